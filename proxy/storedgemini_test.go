package proxy

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// googleStage takes files in pieces, as Google does.
type googleStage struct {
	t     *testing.T
	asked chan string
}

func (s *googleStage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := r.Header
	w.Header().Set("content-type", "application/json")
	switch command := h.Get("x-goog-upload-command"); {
	case r.URL.Path != "/upload/v1beta/files":
		s.asked <- r.Method + " " + r.URL.RequestURI()
		_, _ = fmt.Fprintf(w, `{"name":%q,"expireTime":"2100-01-01T00:00:00Z"}`, strings.TrimPrefix(r.URL.Path, "/"))
	case command == "start":
		body, _ := io.ReadAll(r.Body)
		s.asked <- "start " + h.Get("x-goog-upload-header-content-type") + " " + h.Get("x-goog-upload-header-content-length") + " " + string(body)
		w.Header().Set("x-goog-upload-url", "https://generativelanguage.googleapis.com/upload/v1beta/files?upload_id=AB-c_1&upload_protocol=resumable")
		w.Header().Set("x-goog-upload-status", "active")
	default:
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			s.t.Errorf("%s breaks off: %v", command, err)
		}
		s.asked <- fmt.Sprintf("%s %s %s at %s, %d bytes of %s as %s", r.Method, r.URL.RawQuery, command, h.Get("x-goog-upload-offset"), n, h.Get("content-type"), h.Get("x-goog-api-key"))
		w.Header().Set("x-goog-upload-status", "active")
		if strings.HasSuffix(command, "finalize") {
			w.Header().Set("x-goog-upload-status", "final")
			_, _ = io.WriteString(w, `{"file":{"name":"files/abc","sizeBytes":"9","uri":"https://generativelanguage.googleapis.com/v1beta/files/abc","expirationTime":"2100-01-01T00:00:00.5Z"}}`)
		}
	}
}

func newGoogleTenants(t *testing.T) (*tenants, chan string) {
	t.Helper()
	s := &googleStage{t: t, asked: make(chan string, 64)}
	return newLargeTenants(t, s.ServeHTTP), s.asked
}

// send makes a call of one tenant with a body, and gives its answer's head too.
func (w *tenants) send(t *testing.T, key int, method, address string, body io.Reader, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("x-goog-api-key", keyNumber(key))
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

// A file goes up in pieces by addresses of the gateway's own, which are good for its tenant alone;
// what comes of it is the tenant's.
func TestStored_GeminiUploads(t *testing.T) {
	w, asked := newGoogleTenants(t)
	start := []string{
		"x-goog-upload-protocol", "resumable", "x-goog-upload-command", "start", "content-type", "application/json",
		"x-goog-upload-header-content-type", "text/plain", "x-goog-upload-header-content-length", "9",
	}
	resp, body := w.send(t, mine, http.MethodPost, w.url+"/gemini/upload/v1beta/files", strings.NewReader(`{"file":{"displayName":"x"}}`), start...)
	own := resp.Header.Get("x-goog-upload-url")
	if resp.StatusCode != http.StatusOK || body != "" || own != w.url+"/gemini/upload/v1beta/files/AB-c_1" || resp.Header.Get("x-goog-upload-status") != "active" {
		t.Fatalf("%v %s", resp, body)
	}
	if got := <-asked; got != `start text/plain 9 {"file":{"displayName":"x"}}` {
		t.Errorf("asked %q", got)
	}
	if o := w.shelf.find("AB-c_1"); o == nil || o.Kind != providers.ObjectUpload || o.Workspace != "mine" || o.ExpiresAt == nil {
		t.Errorf("claimed %+v", o)
	}
	credential := w.shelf.find("AB-c_1").Credential
	if resp, body := w.send(t, theirs, http.MethodPost, own, strings.NewReader("12345"), "x-goog-upload-command", "upload", "x-goog-upload-offset", "0"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("another tenant: %d %s", resp.StatusCode, body)
	}
	resp, body = w.send(t, mine, http.MethodPost, own, strings.NewReader("12345"), "x-goog-upload-command", "upload", "x-goog-upload-offset", "0", "content-type", "text/plain")
	if resp.StatusCode != http.StatusOK || body != "" || resp.Header.Get("x-goog-upload-status") != "active" {
		t.Errorf("%v %s", resp, body)
	}
	if got := <-asked; got != "POST upload_id=AB-c_1&upload_protocol=resumable upload at 0, 5 bytes of text/plain as secret-gemini-"+credential {
		t.Errorf("asked %q", got)
	}
	resp, body = w.send(t, also, http.MethodPut, own, io.MultiReader(strings.NewReader("6789")), "x-goog-upload-command", "upload, finalize", "x-goog-upload-offset", "5")
	if resp.StatusCode != http.StatusOK || gjson.Get(body, "file.name").String() != "files/abc" || resp.Header.Get("x-goog-upload-status") != "final" {
		t.Errorf("%v %s", resp, body)
	}
	if got := <-asked; !strings.HasPrefix(got, "PUT ") || !strings.Contains(got, "upload, finalize at 5, 4 bytes of application/octet-stream") {
		t.Errorf("asked %q", got)
	}
	o := w.shelf.find("files/abc")
	if o == nil || o.Workspace != "mine" || o.Kind != providers.ObjectFile || o.Bytes != 9 || o.ExpiresAt == nil || o.Credential != credential {
		t.Fatalf("claimed %+v", o)
	}
	use := `{"contents":[{"parts":[{"fileData":{"fileUri":"` + gjson.Get(body, "file.uri").String() + `"}}]}]}`
	if resp, body := w.send(t, theirs, http.MethodPost, w.url+"/gemini/v1beta/models/gemini/m:generateContent", strings.NewReader(use)); resp.StatusCode != http.StatusNotFound {
		t.Errorf("another tenant uses it: %d %s", resp.StatusCode, body)
	}
	for _, one := range []struct{ method, path, upstream string }{
		{http.MethodGet, "/v1beta/files/abc", "GET /files/abc"},
		{http.MethodGet, "/v1/files/abc:download?alt=media", "GET /files/abc:download?alt=media"},
		{http.MethodDelete, "/v1beta/files/abc", "DELETE /files/abc"},
	} {
		if resp, body := w.send(t, mine, one.method, w.url+"/gemini"+one.path, nil); resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s", one.path, resp.StatusCode, body)
		}
		if got := <-asked; got != one.upstream {
			t.Errorf("asked %q, want %q", got, one.upstream)
		}
	}
	if w.shelf.find("files/abc") != nil {
		t.Error("it is deleted, and still has an owner")
	}
}

// Other ways to send a file are refused, and so is an answer without an address.
func TestStored_GeminiUploadsRefused(t *testing.T) {
	w, _ := newGoogleTenants(t)
	resp, body := w.send(t, mine, http.MethodPost, w.url+"/gemini/upload/v1beta/files?uploadType=multipart", strings.NewReader("--x"), "x-goog-upload-protocol", "multipart")
	if resp.StatusCode != http.StatusBadRequest || !strings.Contains(body, "resumable") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	resp, body = w.send(t, mine, http.MethodPost, w.url+"/gemini/v1beta/models/gemini/m:batchGenerateContent", strings.NewReader(`{}`))
	if resp.StatusCode != http.StatusForbidden || !strings.Contains(body, "not served") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	broken := newLargeTenants(t, func(http.ResponseWriter, *http.Request) {})
	resp, body = broken.send(t, mine, http.MethodPost, broken.url+"/gemini/upload/v1beta/files", strings.NewReader(`{}`), "x-goog-upload-protocol", "resumable", "x-goog-upload-command", "start")
	if resp.StatusCode != http.StatusBadGateway || !strings.Contains(body, "address") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

// A large piece goes by: its beginning is there before the client has sent its end. One that is
// larger than it may be is refused, and its upstream's request never ends.
func TestStored_GeminiPiecesGoBy(t *testing.T) {
	reached, got := make(chan struct{}, 8), make(chan error, 8)
	w := newLargeTenants(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyN(io.Discard, r.Body, 256<<10)
		reached <- struct{}{}
		_, err := io.Copy(io.Discard, r.Body)
		got <- err
	}, func(o *Options, _ *Snapshot) { o.Limits.MaxUpload = 1 << 20 })
	w.ownAt("gemini", "mine", "one", providers.ObjectUpload, "up")
	f := func(size int64, known bool, status int) {
		t.Helper()
		body := &slow{left: size, half: 512 << 10, wait: reached}
		if known {
			body.wait = nil
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/gemini/upload/v1beta/files/up", io.NopCloser(body))
		if err != nil {
			t.Fatal(err)
		}
		if req.ContentLength = -1; known {
			req.ContentLength = size
		}
		req.Header.Set("x-goog-api-key", keyNumber(mine))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		rec := w.records.next(t)
		if resp.StatusCode != status || status == http.StatusOK && rec.BytesIn != size {
			t.Errorf("%d bytes, known %t: %d, %d bytes in", size, known, resp.StatusCode, rec.BytesIn)
		}
		if !known {
			if err := <-got; (err == nil) != (status == http.StatusOK) {
				t.Errorf("%d bytes: the upstream's request ends with %v", size, err)
			}
		}
	}
	f(1<<20, false, http.StatusOK)
	f(1<<20+1, false, http.StatusRequestEntityTooLarge)
	f(1<<20+1, true, http.StatusRequestEntityTooLarge)
}

// What is cached is a model's that the key may use, by whichever name, and its tenant's; how long
// it is kept may be changed.
func TestStored_GeminiCaches(t *testing.T) {
	w := newTenants(t)
	for _, k := range w.Snapshot().Keys.All() {
		k.Models, k.Allow = []string{"gemini/m"}, []string{"cached_contents", "cachedContent"}
	}
	w.up.answers(func(r *http.Request) string {
		if strings.HasSuffix(r.URL.Path, ":generateContent") {
			return `{"candidates":[{"content":{"parts":[{"text":"hi"}]},"finishReason":"STOP"}]}`
		}
		expires := "2100-01-01T00:00:00Z"
		if r.Method == http.MethodPatch {
			expires = "2200-01-01T00:00:00Z"
		}
		return `{"name":"cachedContents/c1","model":"models/m","expireTime":"` + expires + `"}`
	})
	const path = "/gemini/v1beta/cachedContents"
	f := func(key int, method, path, body string, status int, upstream string) string {
		t.Helper()
		got, said := w.ask(t, key, method, path, body)
		calls := w.up.calls()
		if got != status || (len(calls) == 1) != (upstream != "") || upstream != "" && !strings.HasSuffix(calls[0], upstream) {
			t.Errorf("%s %s %s: %d %s after %q", method, path, body, got, said, calls)
		}
		return said
	}
	f(mine, http.MethodPost, path, `{"model":"models/secret","contents":[]}`, 403, "")
	f(mine, http.MethodPost, path, `{"contents":[]}`, 400, "")
	f(mine, http.MethodPost, path, `{"model":"models/gemini/m", "contents":[]}`, 200, `POST /cachedContents {"model":"models/m", "contents":[]}`)
	f(mine, http.MethodPost, path, `{"model":"models/m","contents":[]}`, 200, `POST /cachedContents {"model":"models/m","contents":[]}`)
	o := w.shelf.find("cachedContents/c1")
	if o == nil || o.Workspace != "mine" || o.Kind != providers.ObjectCachedContent || o.ExpiresAt == nil {
		t.Fatalf("claimed %+v", o)
	}
	f(mine, http.MethodPatch, path+"/c1?updateMask=ttl", `{"ttl":"600s"}`, 200, `PATCH /cachedContents/c1?updateMask=ttl {"ttl":"600s"}`)
	use := `{"cachedContent":"cachedContents/c1","contents":[]}`
	f(mine, http.MethodPost, "/gemini/v1beta/models/gemini/m:generateContent", use, 200, use)
	f(theirs, http.MethodPost, "/gemini/v1beta/models/gemini/m:generateContent", use, 404, "")
	f(theirs, http.MethodGet, path+"/c1", "", 404, "")
	if said := f(also, http.MethodGet, path+"?pageSize=5", "", 200, "GET /cachedContents/c1"); gjson.Get(said, "cachedContents.0.name").String() != "cachedContents/c1" || gjson.Get(said, "nextPageToken").Exists() {
		t.Errorf("listed: %s", said)
	}
	if said := f(theirs, http.MethodGet, path, "", 200, ""); said != "{}" {
		t.Errorf("another tenant lists %s", said)
	}
	f(mine, http.MethodDelete, path+"/c1", "", 200, "DELETE /cachedContents/c1")
	if w.shelf.find("cachedContents/c1") != nil {
		t.Error("it is deleted, and still has an owner")
	}
}
