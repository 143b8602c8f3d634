package main_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/aistrale/aistrale/storage/storagetest"
)

// A door stands between the program and a server, and can be shut: the server is then as good
// as down for the program, and only for it.
type door struct {
	address, behind string

	mu    sync.Mutex
	open  net.Listener
	conns map[net.Conn]bool
}

// newDoor makes a door in front of the server of a URL, and gives the URL by way of it.
func newDoor(t *testing.T, server string) (*door, string) {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	d := &door{address: "127.0.0.1:0", behind: u.Host, conns: map[net.Conn]bool{}}
	d.unlock(t)
	t.Cleanup(d.shut)
	u.Host = d.address
	return d, u.String()
}

func (d *door) unlock(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", d.address)
	if err != nil {
		t.Fatal(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open, d.address = l, l.Addr().String()
	go d.serve(l)
}

func (d *door) serve(l net.Listener) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", d.behind)
		if err != nil {
			_ = in.Close()
			continue
		}
		d.mu.Lock()
		if d.open == l {
			d.conns[in], d.conns[out] = true, true
		} else {
			_, _ = in.Close(), out.Close()
		}
		d.mu.Unlock()
		go d.carry(in, out)
		go d.carry(out, in)
	}
}

func (d *door) carry(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_, _ = to.Close(), from.Close()
}

// shut breaks what is open and refuses what comes.
func (d *door) shut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open == nil {
		return
	}
	_ = d.open.Close()
	d.open = nil
	for c := range d.conns {
		_ = c.Close()
		delete(d.conns, c)
	}
}

// A gateway on PostgreSQL serves, with the server up, down and up again.
func TestPostgres_downAtStart(t *testing.T) {
	t.Parallel()
	door, at := newDoor(t, storagetest.Postgres(t))
	p := newPlace(t)
	config := p.write(t, "aistrale.yaml", fmt.Sprintf(`listen: "127.0.0.1:0"
admin_listen: "127.0.0.1:0"
data_dir: %s
providers: [{name: mock}]
keys: [{name: full, key: %s}]
storage: {postgres: "%s"}
`, filepath.Join(p.dir, "data"), fullKey, at))

	// Down, and never seen up: the keys of the configuration work, the others must wait.
	door.shut()
	g := p.begin(t, "serve", "--config", config)
	g.says(t, "only the keys of the configuration are known")
	status, body := g.chat(t, fullKey, "mock/gpt")
	if status != http.StatusOK {
		t.Errorf("a key of the configuration: %d %s", status, body)
	}
	if status, body := g.chat(t, unknownKey, "mock/gpt"); status != http.StatusServiceUnavailable || strings.Contains(body, "refused") {
		t.Errorf("another key: %d %s", status, body)
	}
	if code, _, errs := p.run(t, "", "key", "list", "--config", config); code != 1 || !strings.Contains(errs, "storage.postgres") {
		t.Errorf("key list ends with %d: %s", code, errs)
	}

	// One node among others serves on, and says what it lacks.
	if status, body := get(t, g.admin+"/readyz?verbose"); status != http.StatusOK || !strings.Contains(body, "store degraded: it cannot be read") {
		t.Errorf("ready while it is down: %d %s", status, body)
	}

	// It comes up: keys are made and known, those that are not are wrong.
	door.unlock(t)
	g.turns(t, unknownKey, "mock/gpt", http.StatusUnauthorized)
	made := p.must(t, "", "key", "create", "ci", "--config", config)
	g.turns(t, made, "mock/gpt", http.StatusOK)
	if status, body := get(t, g.admin+"/readyz?verbose"); status != http.StatusOK || !strings.Contains(body, "store ok\n") {
		t.Errorf("ready when it is back: %d %s", status, body)
	}

	// Down again: what is known stays in force. A start knows what was known last.
	door.shut()
	if status, body := g.chat(t, made, "mock/gpt"); status != http.StatusOK {
		t.Errorf("while it is down: %d %s", status, body)
	}
	g.signal(t, syscall.SIGKILL) // a polite end would wait for the ledger
	g.ended(t)
	g = p.begin(t, "serve", "--config", config)
	g.says(t, `"age":"`)
	if status, body := g.chat(t, made, "mock/gpt"); status != http.StatusOK {
		t.Errorf("after a start while it is down: %d %s", status, body)
	}
	if status, _ := g.chat(t, unknownKey, "mock/gpt"); status != http.StatusServiceUnavailable {
		t.Errorf("an unknown key after a start while it is down: %d", status)
	}

	door.unlock(t)
	g.turns(t, unknownKey, "mock/gpt", http.StatusUnauthorized)
	p.must(t, "", "key", "revoke", "ci", "--config", config)
	g.turns(t, made, "mock/gpt", http.StatusUnauthorized)
}

// A node that knows no key takes no traffic: it could but refuse it.
func TestPostgres_noKeyIsKnown(t *testing.T) {
	t.Parallel()
	told := make(chan string, 16)
	sentry := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // what does not come is missed below
		told <- string(body)
	}))
	t.Cleanup(sentry.Close)
	g := newPlace(t, "AISTRALE_SENTRY_DSN="+strings.Replace(sentry.URL, "http://", "http://publickey@", 1)+"/1").serve(t,
		anywhere+"providers: [{name: mock}]\nstorage: {postgres: \"postgres://u@127.0.0.1:1/db\"}\n")
	for _, at := range []string{g.url, g.admin} {
		if status, body := get(t, at+"/readyz"); status != http.StatusServiceUnavailable {
			t.Errorf("%s: %d %s", at, status, body)
		}
	}
	if _, body := get(t, g.admin+"/readyz?verbose"); !strings.Contains(body, "store down: it cannot be read, and no key is known without it\n") || strings.Contains(body, "127.0.0.1") {
		t.Error(body)
	}

	// The refusal is ours, and Sentry is told of it: not by whom, nor with what.
	status, header, _ := do(t, g.request(t, unknownKey, "mock/gpt", ""))
	if status != http.StatusServiceUnavailable {
		t.Errorf("an unknown key: %d", status)
	}
	got := <-told
	for _, want := range []string{`"code":"unavailable"`, `"plane":"data"`, `"request_id":"` + header.Get("x-request-id") + `"`, `"environment":"production"`} {
		if !strings.Contains(got, want) {
			t.Errorf("Sentry is not told %s: %s", want, got)
		}
	}
	for _, secret := range []string{unknownKey, "nobody01", "127.0.0.1:1/", "127.0.0.1:1 ", "authorization", "hi"} {
		if strings.Contains(strings.ToLower(strings.SplitN(got, "\n", 2)[1]), secret) {
			t.Errorf("Sentry is told %s: %s", secret, got)
		}
	}
}

// No output holds the password of the database, whatever is wrong with it.
func TestPostgres_passwordIsNotShown(t *testing.T) {
	t.Parallel()
	const password = "canary-password-77"
	f := func(url string, code int) {
		t.Helper()
		p := newPlace(t)
		config := p.write(t, "aistrale.yaml", "listen: '127.0.0.1:0'\nadmin_listen: '127.0.0.1:0'\nproviders: [{name: mock}]\nstorage: {postgres: \""+url+"\"}\n")
		got, out, errs := p.run(t, "", "key", "list", "--config", config)
		if got != code || strings.Contains(out+errs, password) || !strings.Contains(errs, "storage.postgres") {
			t.Errorf("%s: exit %d: %s%s", url, got, out, errs)
		}
	}
	f("postgres://u:"+password+"@127.0.0.1:1/db", 1)
	f("postgres://u:"+password+"@127.0.0.1:1/db?sslmode=maybe", 1)
	f("postgres://u:"+password+"%zz@127.0.0.1:1/db", 1)
	f("mysql://u:"+password+"@127.0.0.1:1/db", 1)
}
