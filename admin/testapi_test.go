package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aistrale/aistrale/internal/guard"
	"github.com/aistrale/aistrale/internal/outlet"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/postgres"
	"github.com/aistrale/aistrale/storage/sqlite"
	"github.com/aistrale/aistrale/storage/storagetest"
)

// onStores runs a test on both stores.
func onStores(t *testing.T, test func(t *testing.T, api *testAPI)) {
	t.Helper()
	t.Parallel()
	onStoresAlone(t, test)
}

// onStoresAlone does so with no other test beside it.
func onStoresAlone(t *testing.T, test func(t *testing.T, api *testAPI)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		store, ledger := migrated(t)
		s, err := sqlite.Open(t.Context(), store)
		do(t, err)
		t.Cleanup(func() { _ = s.Close() })
		l, err := sqlite.OpenLedger(t.Context(), ledger)
		do(t, err)
		t.Cleanup(func() { _ = l.Close() })
		test(t, newTestAPI(t, s, l))
	})
	t.Run("postgres", func(t *testing.T) {
		s, err := postgres.Open(t.Context(), postgres.Options{URL: storage.NewSecret(emptyStore.Postgres(t))})
		do(t, err)
		t.Cleanup(func() { _ = s.Close() })
		test(t, newTestAPI(t, s, s))
	})
}

// emptyStore is a PostgreSQL store without anything in it.
var emptyStore = storagetest.Template{Fill: func(t testing.TB, address string) {
	t.Helper()
	s, err := postgres.Open(t.Context(), postgres.Options{URL: storage.NewSecret(address)})
	do(t, err)
	do(t, s.Close())
}}

// migration is a SQLite store and a ledger without anything in them, made once: their schemas take
// seconds under the race detector.
var migration struct {
	once          sync.Once
	store, ledger []byte
}

// migrated gives the paths of copies.
func migrated(t *testing.T) (store, ledger string) {
	t.Helper()
	at := func() (store, ledger string) {
		folder := t.TempDir()
		return filepath.Join(folder, sqlite.FileName), filepath.Join(folder, sqlite.LedgerFileName)
	}
	migration.once.Do(func() {
		store, ledger := at()
		s, err := sqlite.Open(t.Context(), store)
		do(t, err)
		do(t, s.Close())
		l, err := sqlite.OpenLedger(t.Context(), ledger)
		do(t, err)
		do(t, l.Close())
		migration.store, err = os.ReadFile(store)
		do(t, err)
		migration.ledger, err = os.ReadFile(ledger)
		do(t, err)
	})
	store, ledger = at()
	do(t, os.WriteFile(store, migration.store, 0o600))
	do(t, os.WriteFile(ledger, migration.ledger, 0o600))
	return store, ledger
}

// testStore is a store with what only tests ask.
type testStore interface {
	Store
	dataKeys
	AddPayloads(ctx context.Context, payloads ...storage.SealedPayload) error
}

type dataKeys interface {
	DataKeys(ctx context.Context) ([]storage.DataKey, error)
	AddDataKey(ctx context.Context, k storage.DataKey) error
}

// testAPI is the API on a listener.
type testAPI struct {
	t     *testing.T
	store testStore
	books testLedger
	url   string
	clock time.Time
	root  string // the installation's own token

	vault   testVault
	sealer  *Sealer
	auditor *Auditor
	witness testWitness
	notices *Notices
	courier *Courier
	mails   testMailer
	tried   storage.CredentialTest // what trying a credential gives
	stands  []BudgetStands         // of budgets
	parts   []Part                 // of the gateway
}

// testLedger is a ledger that tests write to.
type testLedger interface {
	Ledger
	Write(ctx context.Context, entries []storage.Entry) error
}

func newTestAPI(t *testing.T, s testStore, l testLedger) *testAPI {
	t.Helper()
	a := &testAPI{t: t, store: s, books: l, clock: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)}
	token, text := storage.NewAdminToken("root", a.clock)
	do(t, s.AddAdminToken(t.Context(), token))
	a.root = text.Reveal()
	a.vault = newTestVault(t, s)
	vault, log, now := a.vault, slog.New(slog.NewTextHandler(t.Output(), nil)), func() time.Time { return a.clock }
	a.sealer = NewSealer(SealerOptions{Store: s, Vault: vault, Wrapper: vault.master, Log: log, Now: now})
	a.notices = NewNotices(NoticesOptions{Store: s, Log: log, Now: now})
	a.auditor = NewAuditor(AuditorOptions{Store: s, Vault: vault, Log: log, Now: now, Every: time.Minute, Records: 100, Witnesses: []Outlet{&a.witness}, Notices: a.notices})
	guarded, err := guard.New(guard.Rules{Allow: []string{"127.0.0.1"}, HTTP: true})
	do(t, err)
	poster := outlet.NewPoster(guarded)
	a.courier = NewCourier(CourierOptions{Notices: a.notices, Vault: vault, Poster: poster, Mailer: &a.mails, Log: log})
	server := httptest.NewServer(NewAPI(APIOptions{
		Upstreams: a, Sealer: a.sealer,
		Store: s, Vault: vault, Auditor: a.auditor, Ledger: l, Budgets: a.budgets, Parts: func() []Part { return a.parts },
		Notices: a.notices, Poster: poster, Mailer: &a.mails,
		CheckKey: func(*storage.Key) error { return nil }, CheckPayloads: func(p storage.PayloadSettings) error { return p.Check() },
		CheckBounds: func(*storage.Bounds) error { return nil },
		Log:         log, Now: now, Version: "test",
		SessionLasts: 12 * time.Hour, SessionIdle: time.Hour, passwordMemory: 8,
	}))
	t.Cleanup(server.Close)
	a.url = server.URL + prefix
	return a
}

type testVault struct {
	*storage.Vault
	master storage.KeyWrapper
	keys   dataKeys
}

func newTestVault(t *testing.T, s dataKeys) testVault {
	t.Helper()
	master, err := storage.ParseMasterKey(storage.NewMasterKey())
	do(t, err)
	v := storage.NewVault(master)
	key, err := v.NewDataKey(t.Context(), time.Unix(0, 0))
	do(t, err)
	do(t, s.AddDataKey(t.Context(), key))
	do(t, v.Load(t.Context(), []storage.DataKey{key}))
	return testVault{v, master, s}
}

func (v testVault) Seal(_ context.Context, secret storage.Secret, b storage.Binding) (storage.Sealed, error) {
	return v.Vault.Seal(secret, b)
}

func (v testVault) Current(ctx context.Context) (*storage.Vault, error) {
	keys, err := v.keys.DataKeys(ctx)
	if err == nil {
		err = v.Load(ctx, keys)
	}
	return v.Vault, err
}

func (v testVault) Open(_ context.Context, s storage.Sealed, b storage.Binding) (storage.Secret, error) {
	return v.Vault.Open(s, b)
}

func do(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// answerOf is what came back.
type answerOf struct {
	status int
	header http.Header
	body   string
}

// as is who asks: a bearer, or a cookie where it begins with "cookie:".
func (a *testAPI) ask(as, method, path, body string, headers ...string) answerOf {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, strings.NewReader(body))
	do(a.t, err)
	if body != "" {
		r.Header.Set("content-type", "application/json")
	}
	if cookie, ok := strings.CutPrefix(as, "cookie:"); ok {
		r.Header.Set("cookie", sessionCookie+"="+cookie)
	} else if as != "" {
		r.Header.Set("authorization", "Bearer "+as)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	do(a.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	do(a.t, err)
	got := answerOf{response.StatusCode, response.Header, string(bytes.TrimSpace(text))}
	d, err := description()
	do(a.t, err)
	if err := d.judge(method, path, body, &got); err != nil {
		a.t.Errorf("%s %s: %d %.300s: the description says otherwise: %v", method, path, got.status, got.body, err)
	}
	return got
}

// wants is ask where the status is known.
func (a *testAPI) wants(status int, as, method, path, body string, headers ...string) answerOf {
	a.t.Helper()
	got := a.ask(as, method, path, body, headers...)
	if got.status != status {
		a.t.Fatalf("%s %s %s: %d %s, want %d", method, path, body, got.status, got.body, status)
	}
	if status >= 400 && !strings.HasPrefix(got.header.Get("content-type"), "application/problem+json") {
		a.t.Fatalf("%s %s: %d is no problem but %q", method, path, got.status, got.header.Get("content-type"))
	}
	return got
}

// field gives a member of a body.
func (r answerOf) field(t *testing.T, name string) any {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal([]byte(r.body), &body); err != nil {
		t.Fatalf("%s: %v", r.body, err)
	}
	v, ok := body[name]
	if !ok {
		t.Fatalf("%s has no %q", r.body, name)
	}
	return v
}

const password = "correct horse battery"

// user makes a user with a role and gives a token of theirs.
func (a *testAPI) user(name, workspace string, role storage.Role) string {
	a.t.Helper()
	body := map[string]any{"name": name, "password": password}
	if role != "" {
		body["memberships"] = []map[string]any{{"workspace": workspace, "role": role}}
	}
	text, err := json.Marshal(body)
	do(a.t, err)
	a.wants(201, a.root, "POST", "/users", string(text))
	token := a.wants(201, a.signIn(name), "POST", "/me/tokens", `{"name":"test"}`).field(a.t, "token")
	return token.(string)
}

// signIn gives a session's cookie.
func (a *testAPI) signIn(name string) string {
	a.t.Helper()
	got := a.wants(201, "", "POST", "/session", `{"name":"`+name+`","password":"`+password+`"}`)
	return "cookie:" + cookieIn(a.t, got.header)
}

func cookieIn(t *testing.T, h http.Header) string {
	t.Helper()
	for _, c := range (&http.Response{Header: h}).Cookies() {
		if c.Name == sessionCookie {
			return c.Value
		}
	}
	t.Fatalf("no session in %v", maps.Collect(maps.All(h)))
	return ""
}
