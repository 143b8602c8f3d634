package proxy

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestLabels(t *testing.T) {
	up := newScript(t, always(whole(wholeReply)))
	g := newTestGateway(t, map[string]*script{"one": up}, func(_ *Options, s *Snapshot) {
		key, err := s.Keys.Find([]byte(testKey), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		key.Tags = []string{"team"}
	})
	f := func(body string, want labels, headers ...string) {
		t.Helper()
		if status, _, text := g.post(t, `{"model":"one/m"`+body+`}`, headers...); status != 200 {
			t.Fatalf("status %d: %s", status, text)
		}
		rec := g.records.next(t)
		got := labels{rec.EndUser, rec.Metadata, rec.Retry, rec.Tags}
		if got.user != want.user || got.metadata != want.metadata || got.retry != want.retry || !slices.Equal(got.tags, want.tags) {
			t.Errorf("%s %q: got %+v, want %+v", body, headers, got, want)
		}
	}
	key := []string{"team"}
	f(``, labels{tags: key})
	f(`,"user":"u1"`, labels{user: "u1", tags: key})
	f(`,"user":"u1","safety_identifier":"s1"`, labels{user: "s1", tags: key})
	f(`,"user":7,"metadata":[1]`, labels{tags: key}) // the upstream's to refuse
	f(`,"metadata":{"a":"b"}`, labels{metadata: `{"a":"b"}`, tags: key})
	f(`,"metadata":{}`, labels{tags: key})
	f(`,"metadata":{"a":"`+strings.Repeat("x", maxMetadata)+`"}`, labels{tags: key})
	f(`,"user":"`+strings.Repeat("é", maxEndUser)+`"`, labels{user: strings.Repeat("é", maxEndUser/2), tags: key})
	f(``, labels{retry: 2, tags: key}, "x-stainless-retry-count", "2")
	f(``, labels{tags: key}, "x-stainless-retry-count", "-2")
	f(``, labels{tags: []string{"team", "a", "env=prod"}}, "x-aistrale-tags", " a, env=prod ,,team,a")
	f(``, labels{tags: key})

	refused := func(tags string) {
		t.Helper()
		status, _, text := g.post(t, `{"model":"one/m"}`, "x-aistrale-tags", tags)
		if status != 400 || !strings.Contains(text, "x-aistrale-tags") {
			t.Errorf("tags %q: status %d: %s", tags, status, text)
		}
		g.records.next(t)
	}
	refused(strings.Repeat("x", maxTag+1))
	refused("all*")
	refused("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q")
}

type labels struct {
	user, metadata string
	retry          int
	tags           []string
}
