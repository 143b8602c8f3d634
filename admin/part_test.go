package admin

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestParts(t *testing.T) {
	ok, degraded, down := Part{Name: "a", State: PartOK}, Part{Name: "b", State: PartDegraded, Why: "why"}, Part{Name: "c", State: PartDown}
	f := func(sound, serving bool, parts ...Part) {
		t.Helper()
		if Sound(parts) != sound || Serving(parts) != serving {
			t.Errorf("%v: sound %t, serving %t", parts, Sound(parts), Serving(parts))
		}
	}
	f(true, true)
	f(true, true, ok)
	f(false, true, ok, degraded)
	f(false, false, degraded, down, ok)
	if got := lines([]Part{ok, degraded}); got != "a ok\nb degraded: why\n" {
		t.Errorf("%q", got)
	}
}

func TestCondition(t *testing.T) {
	var c Condition
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if p := c.Part("store", "away"); p != (Part{Name: "store", State: PartOK}) {
		t.Errorf("at first: %+v", p)
	}
	c.Note(errors.New("one"), at)
	c.Note(errors.New("two"), at.Add(time.Hour)) // it goes wrong since the first
	want := Part{Name: "store", State: PartDegraded, Why: "away, since 2026-01-02T03:04:05Z", Error: "two"}
	if p := c.Part("store", "away"); p != want {
		t.Errorf("got %+v, want %+v", p, want)
	}
	c.Note(nil, at)
	if p := c.Part("store", "away"); p.State != PartOK {
		t.Errorf("at last: %+v", p)
	}
}

// What was said of a part is for those who have signed in.
func TestReadyz_verbose(t *testing.T) {
	ready := true
	s := NewServer(Options{
		Metrics: http.NotFoundHandler(), API: http.NotFoundHandler(), Ready: func() bool { return ready },
		Parts: func() []Part {
			return []Part{{Name: "store", State: PartDegraded, Why: "away", Error: "dial 10.0.0.1"}}
		},
	})
	f := func(path, accept string, status int, want string) {
		t.Helper()
		r := httptest.NewRequest(http.MethodGet, path, http.NoBody)
		r.Header.Set("accept", accept)
		w := httptest.NewRecorder()
		s.http.Handler.ServeHTTP(w, r)
		if w.Code != status || w.Body.String() != want {
			t.Errorf("%s %s: %d %q, want %d %q", path, accept, w.Code, w.Body, status, want)
		}
	}
	f("/readyz", "", 200, "ok\n")
	f("/readyz?verbose", "*/*", 200, "ok\nstore degraded: away\n")
	f("/readyz?verbose", "application/json", 200, `{"ready":true,"parts":[{"name":"store","state":"degraded","why":"away"}]}`+"\n")
	ready = false
	f("/readyz", "application/json", 503, "not ready\n")
	f("/readyz?verbose=1", "", 503, "not ready\nstore degraded: away\n")
}

func TestHealth_parts(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		f := func(state PartState, ok, ready bool) {
			t.Helper()
			a.parts = []Part{{Name: "redis", State: state, Why: "away", Error: "refused"}}
			got := a.wants(200, a.root, "GET", "/health", "")
			if got.field(t, "ok") != ok || got.field(t, "ready") != ready || !strings.Contains(got.body, `"error":"refused"`) {
				t.Errorf("%s: %s", state, got.body)
			}
		}
		f(PartOK, true, true)
		f(PartDegraded, false, true)
		f(PartDown, false, false)
	})
}
