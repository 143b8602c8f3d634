package admin

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/storage"
)

func TestProfiles(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		if got := a.wants(200, a.root, "GET", "/profiles", ""); !strings.Contains(got.body, `{"name":"profile","count":0}`) || !strings.Contains(got.body, `"name":"heap"`) {
			t.Error(got.body)
		}
		const gzip = "\x1f\x8b"
		f := func(path, kind, begins string) {
			t.Helper()
			got := a.wants(200, a.root, "GET", "/profiles/"+path, "")
			if !strings.HasPrefix(got.body, begins) || got.header.Get("content-type") != kind {
				t.Errorf("%s: %s %.40q", path, got.header.Get("content-type"), got.body)
			}
		}
		f("heap", "application/octet-stream", gzip)
		f("goroutine?debug=1", "text/plain; charset=utf-8", "goroutine profile: total ")
		f("trace?seconds=1", "application/octet-stream", "go 1.")
		a.wants(422, a.root, "GET", "/profiles/profile?seconds=51", "")
		a.wants(404, a.root, "GET", "/profiles/cmdline", "")

		for _, role := range []storage.Role{storage.RoleEngineer, storage.RoleAuditor, storage.RoleViewer} {
			a.wants(403, a.user("everywhere-"+string(role), storage.Everywhere, role), "GET", "/profiles/heap", "")
		}
		a.wants(403, a.user("here", "team", storage.RoleAdmin), "GET", "/profiles/heap", "")
		a.wants(401, "", "GET", "/profiles/heap", "")
		do(t, a.auditor.turn(t.Context()))
		if got := a.wants(200, a.root, "GET", "/audit?action=profiles.take", ""); strings.Count(got.body, `"done"`) != 3 || !strings.Contains(got.body, `"profile/trace"`) || !strings.Contains(got.body, `{"seconds":1}`) {
			t.Errorf("the audit log: %s", got.body)
		}
	})
}

// The processor has one profiler, so that the two stores cannot both be asked for it at once.
func TestProfiles_oneAtATime(t *testing.T) {
	a := &api{profiling: make(chan struct{}, 1)}
	a.profiling <- struct{}{}
	if _, err := a.takeProfile(t.Context(), &profileQuery{Name: profileCPU, Seconds: 1}); err == nil || !strings.Contains(err.Error(), "another profile") {
		t.Error(err)
	}
}

func TestDebugPprof(t *testing.T) {
	var asked []string
	s := NewServer(Options{
		Metrics: http.NotFoundHandler(), Ready: func() bool { return true },
		API: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, r.URL.String())
			w.WriteHeader(http.StatusUnauthorized)
		}),
	})
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/profile?seconds=5", "/debug/pprof/heap"} {
		w := httptest.NewRecorder()
		s.http.Handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
		if w.Code != http.StatusUnauthorized {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if got, want := strings.Join(asked, " "), "/admin/v1/profiles /admin/v1/profiles/profile?seconds=5 /admin/v1/profiles/heap"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
