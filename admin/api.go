package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	strict "github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// prefix is where the API stands on the control plane's listener.
const prefix = "/admin/v1"

// maxBody bounds a request's body in bytes.
const maxBody = 1 << 20

// APIOptions are what the API works on.
type APIOptions struct {
	Store Store
	// Vault gives what seals and opens, with the store's data keys of now.
	Vault   Vault
	Auditor *Auditor
	Ledger  Ledger // nil where none is kept
	// Budgets says how a workspace's budgets of money stand; nil: nobody counts them here.
	Budgets func(ctx context.Context, workspace string) ([]BudgetStands, error)
	// Notices are told of changes, Poster and Mailer hold webhooks' addresses to what may be called;
	// without a Mailer there are none of mail.
	Notices *Notices
	Poster  Poster
	Mailer  Mailer
	// Sealer has what is sealed sealed anew.
	Sealer *Sealer
	// Upstreams are the providers.
	Upstreams Upstreams
	// CheckKey says what is wrong with a key for the configuration in force.
	CheckKey func(*storage.Key) error
	// CheckPayloads does so with what a project keeps of its calls.
	CheckPayloads func(storage.PayloadSettings) error
	// CheckBounds says the same of limits and budgets of a workspace or a project.
	CheckBounds func(*storage.Bounds) error
	// Defect is told of failures of the API's own, by whoever met them; nil: nobody is.
	Defect func(Defect)
	// Parts says how those of the running gateway do; nil: none runs.
	Parts   func() []Part
	Log     *slog.Logger
	Now     func() time.Time
	Version string
	// OIDC is where people may sign in besides; nil: nowhere.
	OIDC *OIDCOptions
	// SessionLasts is how long a browser stays signed in, SessionIdle how long without a request.
	SessionLasts, SessionIdle time.Duration

	passwordMemory uint32   // of a hash, in KiB; 0 is the usual
	passwordKey    argon2id // nil is the usual
}

// api is the API over the store: one handler for each route.
type api struct {
	APIOptions
	permits  *policy.Permits
	users    shelf[storage.User]
	sessions shelf[storage.Session]
	hasher   *hasher
	throttle *throttle
	oidc     *identityProvider // nil where none is configured
	turns    chan struct{}     // who asks the ledger has one
	exports  chan struct{}     // who exports rows has one
	// profiling has who takes a profile of the processor.
	profiling chan struct{}
}

// NewAPI gives the handler of everything under /admin/v1. It is made at the first request: to describe
// some two hundred routes takes a fifth of a gateway's start.
func NewAPI(o APIOptions) http.Handler {
	made := sync.OnceValue(func() http.Handler {
		handler, _ := build(o)
		return handler
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { made().ServeHTTP(w, r) })
}

// OpenAPI gives the description of the API as JSON, in one fixed form.
func OpenAPI(version string) ([]byte, error) {
	_, description := build(APIOptions{Version: version, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	return json.MarshalIndent(description, "", "  ")
}

func build(o APIOptions) (http.Handler, *huma.OpenAPI) {
	a := &api{
		APIOptions: o, permits: policy.NewPermits(policy.Permissions()),
		users: shelf[storage.User]{o.Store, userKind()}, sessions: shelf[storage.Session]{o.Store, sessionKind()},
		hasher: newHasher(cmp.Or(o.passwordMemory, argonMemory)), throttle: newThrottle(o.Now), oidc: newIdentityProvider(o.OIDC), turns: make(chan struct{}, usageAtOnce), exports: make(chan struct{}, exportsAtOnce),
		profiling: make(chan struct{}, 1),
	}
	if o.passwordKey != nil {
		a.hasher.key = o.passwordKey
	}
	mux, always := http.NewServeMux(), map[string]bool{}
	served := humago.NewWithPrefix(mux, prefix, describe(o.Version))
	for _, r := range a.routes() {
		r.serve(&r, a, served)
		always[r.method+" "+prefix+r.path] = r.always
	}
	description := served.OpenAPI()
	plain(description)
	written := sync.OnceValues(func() ([]byte, error) { return json.Marshal(description) }) // which takes as long as all the rest
	mux.HandleFunc("GET "+prefix+"/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		text, err := written()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("content-type", "application/openapi+json")
		_, _ = w.Write(text) // a client that has left needs no answer
	})
	mux.HandleFunc(prefix+"/", unknownPath)
	// Cookies are sent along by any page that a browser has open; bearers are not.
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, huma.Error403Forbidden("a page of another site asks this of the browser"))
	}))
	return a.guarded(crossOrigin.Handler(a.once(mux, always))), description
}

// describe says what the API is, and how bodies are read: strictly, with no name twice.
func describe(version string) huma.Config {
	c := huma.DefaultConfig("AISTRALE control plane", version)
	c.OpenAPIPath, c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", "", nil
	c.RejectUnknownQueryParameters = true
	c.Transformers = []huma.Transformer{withoutValues}
	format := huma.Format{
		Marshal:   func(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) },
		Unmarshal: func(data []byte, v any) error { return strict.Unmarshal(data, v) },
	}
	c.Formats = map[string]huma.Format{"application/json": format, "json": format} // the second for all that end in +json
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token":   {Type: "http", Scheme: "bearer", Description: "An API token, ais-admin-…"},
		"session": {Type: "apiKey", In: "cookie", Name: sessionCookie, Description: "Made by POST /session"},
	}
	c.Info.Description = "Users, keys, credentials, prompts, usage and the audit log of a gateway. " +
		"Errors are RFC 9457 problems. What a request needs and who may make it is said at each operation."
	return c
}

func unknownPath(w http.ResponseWriter, r *http.Request) {
	writeProblem(w, huma.Error404NotFound("there is nothing at "+requestOf(r.Context()).path))
}
