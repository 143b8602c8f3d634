package accesstoken

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// keyFile is a service account's key as Google hands it out.
func keyFile(t *testing.T, tokenURI string) storage.Secret {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(testKey())
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "p", "private_key_id": "k1", "client_email": "gateway@p.iam.gserviceaccount.com",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": tokenURI,
	})
	if err != nil {
		t.Fatal(err)
	}
	return storage.NewSecret(string(text))
}

// tokenServer gives a numbered token for every good assertion.
type tokenServer struct {
	*httptest.Server
	asked  atomic.Int64
	answer func(n int64, w http.ResponseWriter)
}

func newTokenServer(t *testing.T) *tokenServer {
	t.Helper()
	s := &tokenServer{answer: func(n int64, w http.ResponseWriter) {
		fmt.Fprintf(w, `{"access_token":"ya29.%d","expires_in":3599,"token_type":"Bearer"}`, n)
	}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := s.asked.Add(1)
		if err := s.verify(r); err != nil {
			t.Error(err)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		s.answer(n, w)
	}))
	t.Cleanup(s.Close)
	return s
}

// verify holds a request to what the protocol says.
func (s *tokenServer) verify(r *http.Request) error {
	if grant := r.FormValue("grant_type"); r.Method != http.MethodPost || grant != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		return fmt.Errorf("%s of %q", r.Method, grant)
	}
	parts := strings.Split(r.FormValue("assertion"), ".")
	if len(parts) != 3 {
		return fmt.Errorf("%d parts", len(parts))
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return err
	}
	if err := rsa.VerifyPKCS1v15(&testKey().PublicKey, crypto.SHA256, sum[:], signature); err != nil {
		return err
	}
	var header struct{ Alg, Typ, Kid string }
	var claims struct {
		Iss, Scope, Aud string
		Iat, Exp        int64
	}
	for i, into := range []any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, into); err != nil {
			return err
		}
	}
	if header.Alg != "RS256" || header.Typ != "JWT" || header.Kid != "k1" || claims.Iss != "gateway@p.iam.gserviceaccount.com" ||
		claims.Aud != s.URL+"/token" || claims.Scope != scope || claims.Exp-claims.Iat != 3600 {
		return fmt.Errorf("%+v, %+v", header, claims)
	}
	return nil
}

// clock is a time that the test sets.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(c.at.Load(), 0) }

func newTestSource(t *testing.T, s *tokenServer) (*Source, *clock) {
	t.Helper()
	a, err := readAccount(keyFile(t, "https://oauth2.googleapis.com/token"), s.URL+"/token")
	if err != nil {
		t.Fatal(err)
	}
	c := &clock{}
	c.at.Store(time.Now().Unix())
	source := newSource(a, c.now, &http.Transport{})
	t.Cleanup(source.Close)
	return source, c
}

func (s *Source) must(t *testing.T, want string) {
	t.Helper()
	got, err := s.Token(t.Context())
	if err != nil || got.Reveal() != want {
		t.Errorf("token %q, %v, want %q", got.Reveal(), err, want)
	}
}

// settled waits for the token under way.
func (s *Source) settled() { s.wg.Wait() }

func TestSource(t *testing.T) {
	server := newTokenServer(t)
	source, clock := newTestSource(t, server)
	var all sync.WaitGroup
	for range 50 { // all wait for one token
		all.Go(func() { source.must(t, "ya29.1") })
	}
	all.Wait()
	clock.at.Add(3599 - 301)
	source.must(t, "ya29.1")
	if n := server.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	clock.at.Add(2) // the next is made beside, and nobody waits for it
	server.answer = func(n int64, w http.ResponseWriter) {
		fmt.Fprintf(w, `{"access_token":"ya29.%d","expires_in":3599}`, n)
	}
	source.must(t, "ya29.1")
	source.settled()
	source.must(t, "ya29.2")
	if n := server.asked.Load(); n != 2 {
		t.Errorf("asked %d times", n)
	}
}

// A token server that fails is not stormed, and a token that holds is used meanwhile.
func TestSource_failure(t *testing.T) {
	server := newTokenServer(t)
	source, clock := newTestSource(t, server)
	source.must(t, "ya29.1")
	good := server.answer
	server.answer = func(_ int64, w http.ResponseWriter) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"invalid_grant","error_description":"account not found"}`)
	}
	clock.at.Add(3599 - 60)
	source.must(t, "ya29.1")
	source.settled()
	source.must(t, "ya29.1")
	clock.at.Add(60)
	_, err := source.Token(t.Context())
	if err == nil || !strings.Contains(err.Error(), "status 400: invalid_grant account not found") {
		t.Errorf("%v", err)
	}
	for range 10 {
		if _, err := source.Token(t.Context()); err == nil {
			t.Error("a token out of nothing")
		}
	}
	if n := server.asked.Load(); n != 3 {
		t.Errorf("asked %d times", n)
	}
	server.answer = good
	clock.at.Add(3)
	source.must(t, "ya29.4")
}

func TestSource_waitEnds(t *testing.T) {
	server := newTokenServer(t)
	held, begun := make(chan struct{}), make(chan struct{})
	server.answer = func(int64, http.ResponseWriter) { close(begun); <-held }
	source, _ := newTestSource(t, server)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-begun; cancel() }()
	if _, err := source.Token(ctx); err == nil || ctx.Err() == nil {
		t.Errorf("%v", err)
	}
	close(held)
	source.Close()
	if _, err := source.Token(t.Context()); err == nil {
		t.Error("a token after the end")
	}
}

func TestCheck(t *testing.T) {
	f := func(secret storage.Secret, tokenURL, want string) {
		t.Helper()
		err := Check(Google, secret, tokenURL)
		if want == "" && err == nil {
			return
		}
		if err == nil || !strings.Contains(err.Error(), want) || want == "" || strings.Contains(err.Error(), "PRIVATE KEY") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	f(keyFile(t, "https://oauth2.googleapis.com/token"), "", "")
	f(keyFile(t, "http://127.0.0.1:1/token"), "", "set token_url")
	f(keyFile(t, "https://oauth2.googleapis.com.example.com/token"), "", "set token_url")
	f(keyFile(t, "http://127.0.0.1:1/token"), "http://127.0.0.1:1/token", "")
	f(storage.NewSecret(`{"type":"authorized_user"}`), "", `"authorized_user"`)
	f(storage.NewSecret(`{"type":"service_account"}`), "", "client_email")
	f(storage.NewSecret(`{"type":"service_account","client_email":"a","private_key":"x"}`), "", "no PEM")
	f(storage.NewSecret(`{`), "", "neither a token nor the JSON")
	if Is(storage.NewSecret("ya29.token")) || !Is(keyFile(t, "")) {
		t.Error("a token and a key are not told apart")
	}
}
