package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	status, text := http.StatusOK, "ok\n"
	asked := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text))
	}))
	defer asked.Close()
	d := newDesk(t)
	if said := d.must("health", asked.URL+"/readyz"); said != "ok\n" {
		t.Errorf("said %q", said)
	}
	status, text = http.StatusServiceUnavailable, "not ready\n"
	d.refuses(1, "503 Service Unavailable: not ready", "health", asked.URL+"/readyz")
	asked.Close()
	d.refuses(1, "connection refused", "health", asked.URL+"/readyz")
	d.refuses(2, "usage: aistrale health", "health", "a", "b")
	d.refuses(2, "usage: aistrale health", "health", "http://%zz")
}
