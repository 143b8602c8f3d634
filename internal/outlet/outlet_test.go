package outlet

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFile(t *testing.T) {
	f := File{filepath.Join(t.TempDir(), "checkpoints")}
	for _, text := range []string{"one\n", "two\n", "one\n"} {
		if err := f.Put(t.Context(), "", []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(f.Path)
	if err != nil || string(got) != "one\n\ntwo\n\n" {
		t.Fatalf("got %q, error %v", got, err)
	}
	if info, err := os.Stat(f.Path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, error %v", info.Mode(), err)
	}
	if err := (File{t.TempDir()}).Put(t.Context(), "", []byte("x")); err == nil {
		t.Error("a folder was written to")
	}
}

func TestWebhook(t *testing.T) {
	status, got, name := 204, "", ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		got, name = string(text), r.Header.Get("idempotency-key")
		if status == 302 {
			w.Header().Set("location", "/elsewhere")
		}
		w.WriteHeader(status)
	}))
	defer server.Close()
	w, err := NewWebhook(server.URL+"/hook?token=secret", "text/plain")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Put(t.Context(), "checkpoint-1", []byte("text")); err != nil || got != "text" || name != "checkpoint-1" {
		t.Fatalf("got %q as %q, error %v", got, name, err)
	}
	for _, status = range []int{302, 400, 503} {
		if err := w.Put(t.Context(), "n", []byte("text")); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%d: error %v", status, err)
		}
	}
	server.Close()
	if err := w.Put(t.Context(), "n", []byte("text")); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("nobody there: error %v", err)
	}
	for _, address := range []string{"", "ftp://x", "x", "http://"} {
		if _, err := NewWebhook(address, "text/plain"); err == nil {
			t.Errorf("%q was taken", address)
		}
	}
}
