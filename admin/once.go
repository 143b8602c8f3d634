package admin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aistrale/aistrale/storage"
)

// onceLasts is how long an answer is kept for a client that asks again.
const onceLasts = 24 * time.Hour

const maxOnceKey = 255

func onceKind() storage.Kind { return storage.Kind{Name: "idempotency"} }

// answered is the answer to a request that a client may send again. Its body may hold a secret that
// is shown once, so it is kept sealed.
type answered struct {
	Request [32]byte // of all that makes it the same one
	Status  int
	Header  http.Header
}

// once makes POST with an Idempotency-Key happen once: what it changes and its answer are kept
// together, and who sends it again gets that answer, if they may still come in. One that failed
// changed nothing and may be sent again. always are the patterns of those that happen each time.
func (a *api) once(next *http.ServeMux, always map[string]bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("Idempotency-Key")
		if _, pattern := next.Handler(r); key == "" || r.Method != http.MethodPost || always[pattern] {
			next.ServeHTTP(w, r)
			return
		}
		if _, err := a.authenticate(r.Context(), r); err != nil { // next says why, or lets in who signs in
			next.ServeHTTP(w, r)
			return
		}
		if len(key) > maxOnceKey {
			writeProblem(w, huma.Error400BadRequest("Idempotency-Key: it is longer than 255 bytes"))
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			writeProblem(w, huma.NewError(http.StatusRequestEntityTooLarge, "the body is too large"))
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if err := a.onceOnly(w, r, next, onceRow(r, key, body)); err != nil {
			var said huma.StatusError
			if !errors.As(a.problem(r.Context(), err), &said) {
				said = huma.Error500InternalServerError("the gateway failed")
			}
			writeProblem(w, said)
		}
	})
}

// onceRow names the answer by the key and by who sends it; what is asked must be the same again.
func onceRow(r *http.Request, key string, body []byte) kept[answered] {
	who := sha256.Sum256([]byte(r.Header.Get("authorization") + "\x00" + r.Header.Get("cookie") + "\x00" + key))
	row := kept[answered]{Noun: answered{Request: sha256.Sum256([]byte(r.Method + " " + r.URL.String() + "\x00" + string(body)))}}
	row.Kind, row.ID = onceKind(), hex.EncodeToString(who[:])
	return row
}

// errRefused ends the transaction of a request that was answered with an error.
var errRefused = errors.New("the request was refused")

func (a *api) onceOnly(w http.ResponseWriter, r *http.Request, next http.Handler, row kept[answered]) error {
	shelf := shelf[answered]{a.Store, onceKind()}
	recorded := &recorder{header: w.Header().Clone(), status: http.StatusOK}
	var again *kept[answered]
	denials := &denials{}
	err := a.Store.Together(r.Context(), func(ctx context.Context) error {
		old, err := shelf.get(ctx, "", row.ID)
		if err == nil && old.ExpiresAt.After(a.Now()) {
			again = &old
			return nil
		}
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		if err == nil {
			if err := shelf.remove(ctx, old); err != nil {
				return err
			}
		}
		next.ServeHTTP(recorded, r.WithContext(context.WithValue(ctx, denialsKey{}, denials)))
		switch {
		case recorded.status >= http.StatusBadRequest:
			return errRefused
		case recorded.header.Get("set-cookie") != "": // a session is made once, and kept as a hash alone
			return nil
		}
		return a.keepAnswer(ctx, shelf, row, recorded)
	})
	if again != nil {
		return a.answerAgain(w, r, row, again)
	}
	if err != nil && !errors.Is(err, errRefused) {
		return err
	}
	for _, e := range denials.events {
		if err := a.Store.Audit(r.Context(), e); err != nil {
			return err
		}
	}
	recorded.write(w)
	return nil
}

func (a *api) keepAnswer(ctx context.Context, s shelf[answered], row kept[answered], r *recorder) (err error) {
	row.Noun.Status, row.Noun.Header = r.status, r.header
	row.Sealed, err = a.Vault.Seal(ctx, storage.NewSecret(r.body.String()), row.Binding())
	if err != nil {
		return err
	}
	now := a.Now()
	ends := now.Add(onceLasts)
	row.ExpiresAt = &ends
	return s.add(ctx, &row, now)
}

func (a *api) answerAgain(w http.ResponseWriter, r *http.Request, row kept[answered], old *kept[answered]) error {
	if old.Noun.Request != row.Noun.Request {
		return huma.Error422UnprocessableEntity("Idempotency-Key: it was used for another request")
	}
	body, err := a.Vault.Open(r.Context(), old.Sealed, old.Binding())
	if err != nil {
		return err
	}
	maps.Copy(w.Header(), old.Noun.Header)
	w.Header().Set("idempotency-replayed", "true")
	w.WriteHeader(old.Noun.Status)
	_, _ = io.WriteString(w, body.Reveal()) // a client that has left needs no answer
	return nil
}
