package proxy

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// newLargeTenants has a provider of files that answers by a handler.
func newLargeTenants(t *testing.T, answer http.HandlerFunc, change ...setting) *tenants {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	up, err := NewPool(PoolOptions{BaseURL: s.URL, UserAgent: "test", Connect: time.Second, MaxConns: 64})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(up.Close)
	dir := t.TempDir()
	return newTenants(t, append([]setting{uploads, func(o *Options, state *Snapshot) {
		o.Limits.UploadDir = dir
		delete(state.Accounts, "other")
		for _, accounts := range state.Accounts {
			for _, a := range accounts {
				a.Upstream = up
			}
		}
	}}, change...)...)
}

// heapUsed is what of the heap is in use.
func heapUsed() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A file of 100 MB takes little memory on its way up and down: while the upstream, or the client,
// stands still in the middle, the heap has grown by less than 8 MB.
func TestGateway_LargeFilesTakeLittleMemory(t *testing.T) {
	const size = 100 << 20
	half, goOn, got := make(chan struct{}), make(chan struct{}), make(chan int64, 1)
	w := newLargeTenants(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			n, _ := io.CopyN(io.Discard, r.Body, size/2)
			half <- struct{}{}
			<-goOn
			more, _ := io.Copy(io.Discard, r.Body)
			got <- n + more
			w.Header().Set("content-type", "application/json")
			_, _ = io.WriteString(w, `{"id":"file-1","object":"file","bytes":104857600}`)
			return
		}
		w.Header().Set("content-length", fmt.Sprint(size))
		_, _ = io.Copy(w, &slow{left: size})
	})
	check := func(what string, before int64) {
		t.Helper()
		grown := heapUsed() - before
		t.Logf("%s: the heap has grown by %d KB", what, grown>>10)
		if grown > 8<<20 {
			t.Errorf("%s: the heap has grown by %d KB", what, grown>>10)
		}
	}
	for _, first := range []bool{false, true} { // what the file is for, before it or behind it
		if first && os.Getenv("AISTRALE_PROVE") == "" {
			continue
		}
		const mark = "THE FILE"
		file, purpose := piece{name: "file", filename: "a.bin", mime: "application/octet-stream", value: mark, file: true}, piece{name: "purpose", value: "user_data"}
		parts := []piece{purpose, file}
		if first {
			parts = []piece{file, purpose}
		}
		head, tail, _ := strings.Cut(compose(t, testBoundary, parts...), mark)
		before, done := heapUsed(), make(chan error, 1)
		go func() {
			status, body := w.sendForm(t, "/v1/files", io.MultiReader(strings.NewReader(head), &slow{left: size}, strings.NewReader(tail)))
			if status != http.StatusOK || !strings.Contains(body, "file-1") {
				done <- errors.New(body)
			}
			close(done)
		}()
		<-half
		check(fmt.Sprintf("up, file first %t", first), before)
		goOn <- struct{}{}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if n := <-got; n < size {
			t.Errorf("the upstream got %d bytes of %d", n, size)
		}
	}
	before := heapUsed()
	resp := w.open(t, http.MethodGet, "/v1/files/file-1/content")
	n, err := io.CopyN(io.Discard, resp.Body, size/2)
	if err != nil || resp.ContentLength != size {
		t.Fatalf("%d of %d bytes: %v", n, resp.ContentLength, err)
	}
	check("down", before)
	more, err := io.Copy(io.Discard, resp.Body)
	if err != nil || n+more != size {
		t.Errorf("the client got %d bytes of %d: %v", n+more, size, err)
	}
}

// sendForm sends a form of a length that is not said.
func (w *tenants) sendForm(t *testing.T, path string, body io.Reader) (int, string) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+path, io.NopCloser(body))
	if err != nil {
		return 0, err.Error()
	}
	req.Header.Set("authorization", "Bearer "+keyNumber(mine))
	req.Header.Set("content-type", "multipart/form-data; boundary="+testBoundary)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(text)
}

// open makes a call whose answer is read by the test.
func (w *tenants) open(t *testing.T, method, path string, headers ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("authorization", "Bearer "+keyNumber(mine))
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// A file's bytes are the provider's own: a part of them where the client asks for one, none where
// there are none, and no whole where they break off. None is a reply of a model.
func TestStored_Content(t *testing.T) {
	w := newLargeTenants(t, func(w http.ResponseWriter, r *http.Request) {
		switch said := r.Header.Get("range"); {
		case strings.Contains(r.URL.Path, "empty"):
			w.Header().Set("content-length", "0")
		case strings.Contains(r.URL.Path, "broken"):
			w.Header().Set("content-length", "100")
			_, _ = io.WriteString(w, "half")
		case strings.Contains(r.URL.Path, "gone"):
			w.Header().Set("content-type", "application/json")
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"error":{"message":"No such File object","type":"invalid_request_error","param":"id","code":null}}`)
		default:
			w.Header().Set("content-type", "application/json")
			w.Header().Set("set-cookie", "a=b")
			w.Header().Set("content-disposition", `attachment; filename="a.json"`)
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(`[{"usage":{"prompt_tokens":3,"completion_tokens":2}}]`+said))
		}
	})
	for _, id := range []string{"file", "empty", "broken", "gone"} {
		w.own("mine", "one", providers.ObjectFile, id)
		w.own("mine", "one", providers.ObjectContainer, id)
	}
	f := func(path string, status int, want string, headers ...string) *http.Response {
		t.Helper()
		resp := w.open(t, http.MethodGet, path, headers...)
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != status || string(body) != want && status < 300 {
			t.Errorf("%s: %v, %d %s", path, err, resp.StatusCode, body)
		}
		if rec := w.records.next(t); rec.Status != status || len(rec.Usage.Lines) > 0 {
			t.Errorf("%s: status %d, usage %+v", path, rec.Status, rec.Usage)
		}
		return resp
	}
	const all = `[{"usage":{"prompt_tokens":3,"completion_tokens":2}}]`
	resp := f("/v1/files/file/content", 200, all)
	if h := resp.Header; resp.ContentLength != int64(len(all)) || h.Get("content-disposition") == "" || h.Get("set-cookie") != "" || h.Get("content-type") != "application/json" {
		t.Errorf("head %v", h)
	}
	resp = f("/v1/files/file/content", 206, all[2:7], "range", "bytes=2-6")
	if resp.Header.Get("content-range") != fmt.Sprintf("bytes 2-6/%d", len(all)+len("bytes=2-6")) {
		t.Errorf("head %v", resp.Header)
	}
	f("/v1/containers/file/files/cfile_1/content", 200, all)
	f("/v1/files/empty/content", 200, "")
	f("/v1/files/gone/content", 404, "")
	resp = w.open(t, http.MethodGet, "/v1/files/broken/content")
	if body, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("half a file is whole: %q", body)
	}
	if rec := w.records.next(t); rec.Outcome != storage.OutcomeBrokenStream {
		t.Errorf("outcome %s", rec.Outcome)
	}
}
