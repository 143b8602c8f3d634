package main

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/storage"
)

// testVaultOf makes a vault with a data key, in no store.
func testVaultOf(t *testing.T) (*storage.Vault, storage.DataKey) {
	t.Helper()
	master, err := storage.ParseMasterKey(storage.NewMasterKey())
	if err != nil {
		t.Fatal(err)
	}
	v := storage.NewVault(master)
	k, err := v.NewDataKey(t.Context(), time.Unix(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Load(t.Context(), []storage.DataKey{k}); err != nil {
		t.Fatal(err)
	}
	return v, k
}

// A credential is tried at its provider, and what that says comes back without the secret.
func TestTryCredential(t *testing.T) {
	t.Parallel()
	var answer atomic.Pointer[http.HandlerFunc]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/models" || r.Header.Get("authorization") != "Bearer "+canary {
			t.Errorf("%s %s with %q", r.Method, r.URL.Path, r.Header.Get("authorization"))
		}
		(*answer.Load())(w, r)
	}))
	t.Cleanup(server.Close)
	config := defaults()
	config.Providers = []ProviderConfig{{Name: "mine", Dialect: "openai", BaseURL: server.URL + "/v1"}}
	up := upstreams{func() *Config { return config }}
	v, _ := testVaultOf(t)
	c := storage.Credential{Name: "mine", Provider: "mine", Workspace: storage.DefaultWorkspace}
	if err := c.Seal(v, storage.NewSecret(canary), server.URL+"/v1", time.Now()); err != nil {
		t.Fatal(err)
	}
	f := func(outcome string, status int, message string, h http.HandlerFunc) {
		t.Helper()
		answer.Store(&h)
		got, err := up.Try(t.Context(), &c, v)
		if err != nil || got.Outcome != outcome || got.Status != status || !strings.Contains(got.Message, message) || strings.Contains(got.Message, canary) {
			t.Errorf("got %+v, error %v; want %s, %d, %q", got, err, outcome, status, message)
		}
	}
	says := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	f("ok", 0, "", says(200, `{"data":[]}`))
	f("refused", 401, "Incorrect API key provided: "+storage.Redacted, says(401, `{"error":{"message":"Incorrect API key provided: `+canary+`"}}`))
	f("failed", 503, "busy", says(503, `{"error":{"message":"busy"}}`))
	f("failed", 302, "", says(302, ""))
	f("failed", 404, "", says(404, strings.Repeat("x", 10_000)))
	f("unreachable", 0, "", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	server.Close()
	f("unreachable", 0, "refused", nil)

	config.Providers[0].BaseURL = "https://elsewhere.example.com"
	if _, err := up.Try(t.Context(), &c, v); err == nil || !strings.Contains(err.Error(), "was stored for") {
		t.Errorf("error %v where the provider stands elsewhere by now", err)
	}
}

// What a workspace stores serves its own calls and nobody else's.
func TestCredentialsOfWorkspaces(t *testing.T) {
	t.Parallel()
	v, k := testVaultOf(t)
	config := defaults()
	config.Providers = []ProviderConfig{{Name: "openai"}}
	s := &store{vault: v, log: slog.New(slog.DiscardHandler)}
	var rows []storage.Credential
	add := func(workspace, name string, first bool) {
		c := storage.Credential{Name: name, Provider: "openai", Workspace: workspace, Default: first}
		if err := c.Seal(v, storage.NewSecret(workspace+"-"+name), "https://api.openai.com/v1", time.Unix(int64(len(rows)), 0)); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, c)
	}
	wants := func(workspace, credential, secret string, needsKey bool) {
		t.Helper()
		made := &state{known: map[string]bool{}, pools: nil, minters: nil}
		b := newBuilder(made, config)
		b.credentials = s.open(t.Context(), config, rows, []storage.DataKey{k})
		accounts := map[string][]credentialOf{}
		for _, c := range b.credentialsOf(&config.Providers[0], openaiProvider(t)) {
			accounts[c.workspace] = append(accounts[c.workspace], credentialOf{c.name, c.secret.Reveal(), c.missing})
		}
		if got := accounts[workspace]; len(got) != 1 || got[0] != (credentialOf{credential, secret, needsKey}) {
			t.Errorf("workspace %q has %v", workspace, got)
		}
	}
	add("team", "openai", false)
	wants("", "", "", true) // nobody else is served by it
	wants("team", "openai", "team-openai", false)
	add(storage.DefaultWorkspace, "spare", false)
	wants("", "spare", "default-spare", false)
	add(storage.DefaultWorkspace, "openai", false)
	wants("", "openai", "default-openai", false)
	add(storage.DefaultWorkspace, "newest", false)
	wants("", "openai", "default-openai", false)
	add("team", "chosen", true)
	add("team", "newest", false)
	wants("team", "chosen", "team-chosen", false)
	config.Providers[0].Credentials = []CredentialConfig{{Name: "newest"}}
	wants("", "newest", "default-newest", false)
}

type credentialOf struct {
	name, secret string
	missing      bool
}

func openaiProvider(t *testing.T) *providers.Provider {
	t.Helper()
	p, ok := catalog.Known("openai")
	if !ok {
		t.Fatal("the catalogue knows no openai")
	}
	return &p
}
