package proxy

import (
	"compress/gzip"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/internal/guard"
	"github.com/aistrale/aistrale/providers"
)

func TestFetch_RefusesPrivateAddresses(t *testing.T) {
	called := false
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer s.Close()
	fetcher := NewFetcher(1000, time.Second)
	for _, u := range []string{s.URL, "file:///etc/passwd", "http://user:pass@93.184.216.34/", "gopher://x", "http://localhost/"} {
		if _, err := fetcher.Fetch(context.Background(), u+"?sig=canary", func(int) error { return nil }); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", u, err)
		}
	}
	if called {
		t.Error("a private address was called")
	}
}

// unguarded fetches from the test's own servers, too.
func unguarded(most int64) *GuardedFetcher {
	return newFetcher(guard.Rules{HTTP: true, Allow: []string{"127.0.0.1"}}, most, 5*time.Second)
}

func TestFetch_BoundsWhatItReads(t *testing.T) {
	f := func(name, want string, answer http.HandlerFunc) {
		t.Helper()
		s := httptest.NewServer(answer)
		defer s.Close()
		asked := 0
		media, err := unguarded(300_000).Fetch(context.Background(), s.URL, func(size int) error {
			if asked = size; size > 1_500_000 {
				return errors.New("no room")
			}
			return nil
		})
		switch {
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %d bytes, %v", name, len(media.Data), err)
		case want == "" && (err != nil || asked < len(media.Data) || media.Type != "image/png"):
			t.Errorf("%s: %q, %d bytes in room for %d, %v", name, media.Type, len(media.Data), asked, err)
		}
	}
	send := func(size int, length bool) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("content-type", "image/png; x=y")
			if length {
				w.Header().Set("content-length", strconv.Itoa(size))
			}
			_, _ = w.Write(make([]byte, size))
		}
	}
	f("none", "", send(0, true))
	f("small", "", send(100, true))
	f("at the limit", "", send(300_000, false))
	f("past it", "larger", send(300_001, false))
	f("said to be past it", "larger", send(400_000, true))
	f("packed", "larger", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("content-encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = z.Write(make([]byte, 10<<20))
		_ = z.Close()
	})
	f("cut off", "unexpected EOF", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("content-length", "200")
		_, _ = w.Write(make([]byte, 100))
	})
	f("refused", "404", http.NotFound)
}

// fetchFunc is a Fetcher.
type fetchFunc func(url string, room func(int) error) (providers.Media, error)

func (f fetchFunc) Fetch(_ context.Context, url string, room func(int) error) (providers.Media, error) {
	return f(url, room)
}

// What URLs hold is bounded as the body is, and its memory is given back.
func TestFlight_FetchIsBounded(t *testing.T) {
	f := func(name string, size, urls int, kind providers.FaultKind) {
		t.Helper()
		g := &Gateway{options: Options{Limits: Limits{MaxBody: 1 << 20}}}
		g.memory.left.Store(2 << 20)
		g.options.Fetch = fetchFunc(func(_ string, room func(int) error) (providers.Media, error) {
			if err := room(size); err != nil {
				return providers.Media{}, err
			}
			return providers.Media{Data: strings.Repeat("x", size)}, nil
		})
		fl := &flight{g: g}
		var list []string
		for i := range urls {
			list = append(list, "https://example.com/"+strconv.Itoa(i))
		}
		_, err := fl.fetch(list)
		if kind == 0 {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		} else if got := fault(err).Kind; got != kind {
			t.Errorf("%s: kind %d, want %d: %v", name, got, kind, err)
		}
		if left := g.memory.left.Load() + fl.memory; left != 2<<20 || fl.memory < 0 {
			t.Errorf("%s: %d bytes left, %d taken", name, left, fl.memory)
		}
	}
	f("few", 100, maxFetches, 0)
	f("many", 100, maxFetches+1, providers.FaultInvalid)
	f("large ones", 300_000, 3, 0)
	f("larger than a body may be", 300_000, 4, providers.FaultTooLarge)
	f("past the memory of all", 3<<20, 1, providers.FaultUnavailable)
}
