package main_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/storage/storagetest"
)

// A call that was made before costs nothing the second time, whichever gateway serves it, and the
// ledger has it.
func testCached(t *testing.T, more string, gateways int) {
	p := newPlace(t)
	_, upstream := emulator(t) // one, since an answer is of an address
	config := strings.NewReplacer("tags: [nightly]", "tags: [nightly], cache: 1h", "{name: mock}", `{name: mock, base_url: "http://`+upstream+`"}`).
		Replace(accountable(p, more))
	g := p.serve(t, config)
	ask := func(g *program, key, stream, want string) {
		t.Helper()
		req := g.request(t, key, "mock/claude", `,"stream":`+stream)
		req.Header.Set("x-mock", "input=19; output=42")
		status, h, body := do(t, req)
		if got := h.Get("x-aistrale-cache"); status != http.StatusOK || got != want {
			t.Errorf("%d, %q, want %q: %s", status, got, want, body)
		}
		if want == "hit" && h.Get("x-aistrale-cost-usd") != "0.00" {
			t.Errorf("a hit costs %s", h.Get("x-aistrale-cost-usd"))
		}
	}
	for _, stream := range []string{"false", "true"} {
		ask(g, fullKey, stream, "miss")
		ask(g, narrowKey, stream, "")
		if gateways > 1 {
			continue
		}
		ask(g, fullKey, stream, "hit")
	}
	if gateways > 1 { // the writer is off the path
		eventually(t, "a kept answer", func() bool {
			req := g.request(t, fullKey, "mock/claude", `,"stream":true`)
			req.Header.Set("x-mock", "input=19; output=42")
			_, h, _ := do(t, req)
			return h.Get("x-aistrale-cache") == "hit"
		})
		g.stop(t)
		ask(p.serve(t, config), fullKey, "true", "hit")
		return
	}
	p.asks(t, "0.requests", "6")
	p.asks(t, "0.errors", "0")
	p.asks(t, "0.input_tokens", "76")
	p.asks(t, "0.output_tokens", "168")
}

func TestCached(t *testing.T) { testCached(t, "", 1) }

func TestCached_inRedis(t *testing.T) {
	t.Parallel()
	testCached(t, "cache: {redis: true}\nstorage: {redis: \""+storagetest.Redis(t)+"\"}\n", 2)
}
