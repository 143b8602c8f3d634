package admin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/aistrale/aistrale/storage"
)

// request is what is known of a request before anything is read of it.
type request struct {
	id      string // UUIDv7, in x-request-id, the log and the audit log
	address string // of the client
	path    string // with its method
	route   string // the id of the operation; "" where none was found
}

// Defect is a failure of the API's own.
type Defect struct {
	RequestID string
	Route     string // the id of the operation
	Cause     any    // an error, or what a panic was called with
	Panicked  bool   // told by the function that recovered
}

// defect tells of a failure of ours.
func (a *api) defect(ctx context.Context, cause any, panicked bool) {
	if a.Defect != nil {
		r := requestOf(ctx)
		a.Defect(Defect{r.id, r.route, cause, panicked})
	}
}

type requestKey struct{}

func requestOf(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return &request{}
}

// guarded gives every request an id.
func (a *api) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		address, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			address = r.RemoteAddr
		}
		known := &request{id: uuid.Must(uuid.NewV7()).String(), address: address, path: storage.MaskBearers(r.Method + " " + r.URL.Path)}
		w.Header().Set("x-request-id", known.id)
		ctx := context.WithValue(r.Context(), requestKey{}, known)
		defer a.survive(ctx, w)
		if !plainURL(r.URL) {
			writeProblem(w, huma.Error400BadRequest("the path has empty or relative parts, or it or the query holds control characters or is not UTF-8 in URL encoding"))
			return
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// plainURL reports whether a URL says nothing that is no text: a store would refuse it, and with it
// the note of what was tried. Parts of a query that cannot be read would count as not said, and a
// path that leads elsewhere would be redirected.
func plainURL(u *url.URL) bool {
	query, err := url.QueryUnescape(u.RawQuery)
	if err != nil || strings.Contains(u.RawQuery, ";") {
		return false
	}
	text := u.Path + query
	return path.Clean(u.Path) == strings.TrimSuffix(u.Path, "/") && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// errBrokenOff ends a connection whose answer can be neither finished nor taken back.
var errBrokenOff = errors.New("the answer broke off")

// survive makes of a panic an answer and a line in the log.
func (a *api) survive(ctx context.Context, w http.ResponseWriter) {
	p := recover()
	if p == nil {
		return
	}
	if p == errBrokenOff { //nolint:errorlint // it is the one value
		panic(http.ErrAbortHandler)
	}
	a.Log.Error("control plane: a panic", "request_id", requestOf(ctx).id, "request", requestOf(ctx).path,
		"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	a.defect(ctx, p, true)
	writeProblem(w, huma.Error500InternalServerError("the gateway failed; its log has the reason under this request's x-request-id"))
}
