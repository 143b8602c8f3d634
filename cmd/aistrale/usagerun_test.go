package main_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/storage/storagetest"
)

// accountable is a config whose gateway keeps what it spends.
func accountable(p *place, more string) string {
	return fmt.Sprintf(`listen: "127.0.0.1:0"
admin_listen: "127.0.0.1:0"
data_dir: %s
providers: [{name: mock}]
keys:
  - {name: full, key: %s, tags: [nightly]}
  - {name: narrow, key: %s, project: web}
%s`, filepath.Join(p.dir, "data"), fullKey, narrowKey, more)
}

// spend sends one request with headers, and gives the gateway's id of it.
func (g *program) spend(t *testing.T, key, model, more string, headers ...string) string {
	t.Helper()
	req := g.request(t, key, model, more)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	status, header, body := do(t, req)
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	return header.Get("x-request-id")
}

// asks runs aistrale usage with --json until it says want under a path: a running gateway ships
// within moments, and not at once.
func (p *place) asks(t *testing.T, path, want string, args ...string) {
	t.Helper()
	var said string
	ok := func() bool {
		said = p.must(t, "", append([]string{"usage", "--json", "--config", filepath.Join(p.dir, "aistrale.yaml")}, args...)...)
		return gjson.Get(said, path).String() == want
	}
	for range 200 {
		if ok() {
			return
		}
	}
	t.Errorf("usage %q: %s is %s, want %s of %s", args, path, gjson.Get(said, path).Raw, want, said)
}

// What a gateway was asked for is what usage tells, by the emulator's prices of 1 and 2 USD per
// million tokens: beside the running gateway, after its end, and after it was killed.
func testUsage(t *testing.T, more func(p *place) string) {
	p := newPlace(t)
	g := p.serve(t, accountable(p, more(p)))
	id := g.spend(t, fullKey, "mock/gpt", `,"user":"ada","metadata":{"team":"red"}`, "x-mock", "input=19; output=42", "x-aistrale-tags", "batch, red",
		"x-stainless-retry-count", "2", "x-request-id", "mine")
	g.spend(t, fullKey, "mock/claude", `,"stream":true`, "x-mock", "input=1000; output=500")
	g.spend(t, narrowKey, "mock/gemini", "", "x-mock", "input=7; output=3")
	if status, _, body := do(t, func() *http.Request {
		req := g.request(t, narrowKey, "mock/gpt", "")
		req.Header.Set("x-mock", "status=400")
		return req
	}()); status != http.StatusBadRequest {
		t.Fatalf("%d %s", status, body)
	}

	p.asks(t, "0.requests", "4")
	p.asks(t, "#", "1")
	p.asks(t, "0.errors", "1")
	p.asks(t, "0.input_tokens", "1026")
	p.asks(t, "0.output_tokens", "545")
	p.asks(t, "0.cost_usd", "0.002116")
	p.asks(t, `#(model="claude").cost_usd`, "0.002", "--by", "model")
	p.asks(t, `#(key_name="narrow").requests`, "2", "--by", "key")
	p.asks(t, `#(project="web").cost_usd`, "0.000013", "--by", "project")
	p.asks(t, `#(tag="nightly").requests`, "2", "--by", "tag")
	p.asks(t, "0.requests", "2", "--where", "model=mock/gpt")

	config := filepath.Join(p.dir, "aistrale.yaml")
	rows := p.must(t, "", "usage", "rows", "--json", "--config", config, "--request", id)
	for path, want := range map[string]string{
		"#": "1", "0.attempt": "1", "0.status": "200", "0.outcome": "ok", "0.provider": "mock", "0.model": "gpt", "0.asked": "mock/gpt",
		"0.key_name": "full", "0.input_tokens": "19", "0.output_tokens": "42", "0.cost_usd": "0.000103", "0.tags": "nightly,batch,red",
		"0.end_user": "ada", "0.metadata": `{"team":"red"}`, "0.retry": "2", "0.client_request_id": "mine", "0.estimated": "false", "0.final": "true",
	} {
		if got := gjson.Get(rows, path).String(); got != want {
			t.Errorf("%s is %q, want %q in %s", path, got, want, rows)
		}
	}

	g.stop(t)
	p.asks(t, "0.requests", "4")
	g = p.begin(t, "serve", "--config", config)
	g.spend(t, fullKey, "mock/gpt", "", "x-mock", "input=1; output=1")
	g.signal(t, syscall.SIGKILL)
	if code := g.ended(t); code != -1 {
		t.Errorf("killed, it ends with %d", code)
	}
	// The first answer has it: nothing but the command is there to ship it.
	if said := p.must(t, "", "usage", "--json", "--config", config); gjson.Get(said, "0.requests").Int() != 5 || gjson.Get(said, "0.cost_usd").Raw != "0.002119" {
		t.Errorf("after a kill: %s", said)
	}
	if all := p.must(t, "", "usage", "rows", "--config", config); strings.Count(all, "\n") != 5 {
		t.Errorf("rows are\n%s", all)
	}
}

func TestUsage_sqlite(t *testing.T) {
	t.Parallel()
	testUsage(t, func(*place) string { return "" })
}

func TestUsage_postgres(t *testing.T) {
	t.Parallel()
	testUsage(t, func(*place) string { return `storage: {postgres: "` + storagetest.Postgres(t) + `"}` + "\n" })
}

func TestUsage_postgresJournal(t *testing.T) {
	t.Parallel()
	testUsage(t, func(*place) string {
		return `storage: {postgres: "` + storagetest.Postgres(t) + `"}` + "\njournal: postgres\n"
	})
}
