package mock

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tidwall/gjson"
	"github.com/valyala/fasthttp"
)

func (r *rig) admin(method, path string) gjson.Result {
	r.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, r.url+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	got := r.do(req)
	if got.err != nil || got.status != 200 || !gjson.Valid(got.body) {
		r.t.Fatalf("%s %s: %+v", method, path, got)
	}
	return gjson.Parse(got.body)
}

func TestCalls(t *testing.T) {
	r := newRig(t)
	req := r.request(context.Background(), streamPath, "events=3", genBody)
	req.Header.Set("X-Goog-Api-Key", "canary-key")
	req.Header.Set("Cookie", "canary-cookie")
	r.do(req)
	r.post(chatPath, "status=500", chatBody)
	calls := r.server.Calls()
	if len(calls) != 2 {
		t.Fatalf("%+v", calls)
	}
	one, two := calls[0], calls[1]
	if one.Seq != 1 || one.Method != "POST" || one.URI != streamPath || string(one.Body) != genBody || one.State != CallFinished || one.Events != 3 || one.Status != 200 {
		t.Errorf("%+v", one)
	}
	if !slices.Contains(one.Headers, "X-Mock: events=3") || !slices.Contains(one.Headers, "X-Goog-Api-Key: ") || strings.Contains(strings.Join(one.Headers, ""), "canary") {
		t.Errorf("%q", one.Headers)
	}
	if two.State != CallRefused || two.Status != 500 {
		t.Errorf("%+v", two)
	}
	list := r.admin(http.MethodGet, "/calls")
	if list.Get("total").Int() != 2 || list.Get("open").Int() != 0 || list.Get("calls.0.state").Str != "finished" ||
		list.Get("calls.0.body").Str != genBody || list.Get("calls.0.events").Int() != 3 || list.Get("calls.1.status").Int() != 500 {
		t.Errorf("%s", list.Raw)
	}
	if list = r.admin(http.MethodDelete, "/calls"); list.Get("calls.#").Int() != 0 || list.Get("total").Int() != 2 {
		t.Errorf("forgotten: %s", list.Raw)
	}
}

func TestCalls_Ring(t *testing.T) {
	f := func(keep, made int, want string) {
		t.Helper()
		c := calls{ring: make([]slot, keep), body: 2}
		req := new(fasthttp.Request)
		for i := range made {
			req.SetBodyString(fmt.Sprint("x", i))
			seq := c.begin(req)
			c.end(seq, CallFinished, 200, 0)
			c.leave()
		}
		var got []string
		list, open, total := c.list()
		for _, one := range list {
			got = append(got, fmt.Sprint(one.Seq, string(one.Body)))
		}
		if strings.Join(got, " ") != want || open != 0 || total != uint64(made) {
			t.Errorf("%d of %d: %q, %d open, %d in all", keep, made, got, open, total)
		}
	}
	f(3, 0, "")
	f(3, 2, "1x0 2x1")
	f(3, 5, "3x2 4x3 5x4")
	f(0, 5, "")
}

func TestBill(t *testing.T) {
	r := newRig(t)
	r.ok(chatPath, "input=1000000; output=500000", chatBody)
	r.ok(msgPath, "input=2; output=3", msgBody)
	r.post(msgPath, "status=500", msgBody) // free
	got := r.admin(http.MethodGet, "/bill")
	if got.Get("models.#.model").Raw != `["claude","gpt"]` || got.Get("models.1.nano_usd").Int() != 2_000_000_000 ||
		got.Get("models.0.calls").Int() != 1 || got.Get("models.0.output_tokens").Int() != 3 || got.Get("nano_usd").Int() != 2_000_008_000 {
		t.Errorf("%s", got.Raw)
	}
	if got = r.admin(http.MethodDelete, "/bill"); got.Get("models.#").Int() != 0 || got.Get("nano_usd").Int() != 0 {
		t.Errorf("reset: %s", got.Raw)
	}
}

// Many clients at once: nothing is lost, and the race detector is content.
func TestServer_Concurrent(t *testing.T) {
	r := newRig(t)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for range 20 {
				if i%2 == 0 {
					r.do(r.request(context.Background(), chatPath, "events=20; input=1", chatStreamBody))
				} else {
					r.do(r.request(context.Background(), chatPath, "events=20; input=1", chatBody))
				}
				r.server.Bill()
				r.server.Calls()
			}
		})
	}
	wait.Wait()
	if got, want := r.bill("gpt"), (BillLine{Model: "gpt", Calls: 160, Input: 160, Output: 3200}); got != want {
		t.Errorf("billed %+v, want %+v", got, want)
	}
}

func TestBill_ManyModels(t *testing.T) {
	var b bill
	for i := range maxBilled + 10 {
		b.add(BillLine{Model: fmt.Sprint("m", i), Calls: 1})
	}
	if lines := b.list(); len(lines) != maxBilled+1 || lines[len(lines)-1].Model != "other" || lines[len(lines)-1].Calls != 10 {
		t.Errorf("%d lines, last %+v", len(lines), lines[len(lines)-1])
	}
}
