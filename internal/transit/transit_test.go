package transit

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// engine emulates the transit engine's contract: a key of several versions.
type engine struct {
	newest, oldest int
	refuse         int // a status, 0 none
	slow           bool
}

func (e *engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fails := func(status int, text string) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string][]string{"errors": {text}})
	}
	if e.slow { // the body is read first: else the server does not notice that the client has gone
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		return
	}
	switch {
	case e.refuse != 0:
		fails(e.refuse, "as asked for")
		return
	case r.Header.Get("x-vault-token") != "a-token", r.Header.Get("x-vault-namespace") != "team":
		fails(403, "permission denied")
		return
	}
	verb, ok := strings.CutPrefix(r.URL.Path, "/v1/transit/")
	verb, key, _ := strings.Cut(verb, "/")
	if !ok || key != "aistrale" || r.Method != http.MethodPost {
		fails(404, "no handler for route")
		return
	}
	var in struct{ Plaintext, Ciphertext string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		fails(400, err.Error())
		return
	}
	plain := in.Plaintext
	if verb != "encrypt" {
		var version int
		var sealed string
		if _, err := fmt.Sscanf(in.Ciphertext, "vault:v%d:%s", &version, &sealed); err != nil {
			fails(400, "invalid ciphertext: no prefix")
			return
		}
		if version < e.oldest || version > e.newest {
			fails(400, "ciphertext or signature version is disallowed by policy (too old)")
			return
		}
		var good bool
		if plain, good = strings.CutPrefix(sealed, "sealed."); !good {
			fails(400, "cipher: message authentication failed")
			return
		}
	}
	data := map[string]string{"plaintext": plain}
	if verb != "decrypt" {
		data = map[string]string{"ciphertext": fmt.Sprintf("vault:v%d:sealed.%s", e.newest, plain)}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"data": data})
}

func newWrapper(t *testing.T, e *engine) *Wrapper {
	t.Helper()
	s := httptest.NewServer(e)
	t.Cleanup(s.Close)
	w, err := New(Options{Address: s.URL + "/", Token: storage.NewSecret("a-token"), Namespace: "team", Mount: "transit", Key: "aistrale", Timeout: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestTransit(t *testing.T) {
	e := &engine{newest: 1}
	w := newWrapper(t, e)
	wrapped, err := w.Wrap(t.Context(), "dk-1", []byte("a key of 32 bytes"))
	if err != nil {
		t.Fatal(err)
	}
	if key, err := w.Unwrap(t.Context(), "dk-1", wrapped); err != nil || string(key) != "a key of 32 bytes" {
		t.Fatalf("%q, error %v", key, err)
	}
	if _, err := w.Unwrap(t.Context(), "dk-2", wrapped); !errors.Is(err, storage.ErrSealBroken) {
		t.Errorf("it opens for another id: %v", err)
	}
	if again, err := w.Rewrap(t.Context(), "dk-1", wrapped); err != nil || string(again) != string(wrapped) {
		t.Errorf("wrapped otherwise though the key has no new version: %s, error %v", again, err)
	}
	e.newest, e.oldest = 2, 2
	if _, err := w.Unwrap(t.Context(), "dk-1", wrapped); err == nil || !strings.Contains(err.Error(), "too old") {
		t.Errorf("error %v", err)
	}
	e.oldest = 1
	again, err := w.Rewrap(t.Context(), "dk-1", wrapped)
	if err != nil || !strings.HasPrefix(string(again), "vault:v2:") {
		t.Fatalf("%s, error %v", again, err)
	}
	if key, err := w.Unwrap(t.Context(), "dk-1", again); err != nil || string(key) != "a key of 32 bytes" {
		t.Errorf("%q, error %v", key, err)
	}
}

func TestTransitRefuses(t *testing.T) {
	e := &engine{newest: 1}
	w := newWrapper(t, e)
	fails := func(want string, is error) {
		t.Helper()
		_, err := w.Unwrap(t.Context(), "dk-1", []byte("vault:v1:changed"))
		if err == nil || !strings.Contains(err.Error(), want) || is != nil && !errors.Is(err, is) || strings.Contains(err.Error(), "a-token") {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	fails("authentication failed", storage.ErrSealBroken)
	e.refuse = 503
	fails("sealed", nil)
	e.refuse = 403
	fails("403", nil)
	e.refuse, e.slow = 0, true
	fails("deadline", nil)
	for _, foreign := range []string{"", "\x01wrapped by a master key"} {
		if _, err := w.Unwrap(t.Context(), "dk-1", []byte(foreign)); !errors.Is(err, storage.ErrWrongMasterKey) {
			t.Errorf("error %v", err)
		}
	}
}

// A master key of the environment is replaced by the engine's, by giving both.
func TestTransitSucceeds(t *testing.T) {
	old, err := storage.ParseMasterKey(storage.NewSecret(base64.StdEncoding.EncodeToString(make([]byte, 32))))
	if err != nil {
		t.Fatal(err)
	}
	both := storage.Succession{New: newWrapper(t, &engine{newest: 1}), Old: old}
	before, err := old.Wrap(t.Context(), "dk-1", []byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	after, err := both.Rewrap(t.Context(), "dk-1", before)
	if err != nil {
		t.Fatal(err)
	}
	for _, wrapped := range [][]byte{before, after} {
		if key, err := both.Unwrap(t.Context(), "dk-1", wrapped); err != nil || string(key) != "key" {
			t.Errorf("%q, error %v", key, err)
		}
	}
}
