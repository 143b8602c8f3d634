package main_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tidwall/gjson"
)

// A recorder stands in for one provider: it writes down what it is asked, and says hi in the
// language of the path.
type recorder struct {
	*httptest.Server
	name  string
	known *url.URL // where the provider is
	mu    sync.Mutex
	asked []string
}

func newRecorder(t *testing.T, name, baseURL string) *recorder {
	t.Helper()
	known, err := url.Parse(baseURL)
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{name: name, known: known}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	if req.URL.Path == "/token" {
		answerJSON(w, http.StatusOK, `{"access_token":"`+mintedToken(string(body))+`","expires_in":3599,"token_type":"Bearer"}`)
		return
	}
	r.mu.Lock()
	r.asked = append(r.asked, r.told(req, body))
	r.mu.Unlock()
	hi(w, req.URL.Path, strings.Contains(req.URL.Path, "tream") || gjson.GetBytes(body, "stream").Bool())
}

// The tokens that are minted for a service account, and for an application of Entra ID.
const (
	googleToken = "ya29.minted-for-an-hour"
	entraToken  = "eyJ0.minted.for-an-hour"
)

func mintedToken(form string) string {
	if strings.Contains(form, "grant_type=client_credentials") {
		return entraToken
	}
	return googleToken
}

var (
	signature = regexp.MustCompile(`Signature=[0-9a-f]{64}`)
	sealed    = regexp.MustCompile(`[0-9]{8}T[0-9]{6}Z`)
	signedDay = regexp.MustCompile(`EXAMPLE/[0-9]{8}/`)
)

// told is a request as it came, without what is secret and what no two have alike.
func (r *recorder) told(req *http.Request, body []byte) string {
	known, name := r.known, r.name
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s://%s%s\n", req.Method, known.Scheme, known.Host, req.RequestURI)
	for _, h := range slices.Sorted(maps.Keys(req.Header)) {
		if h == "User-Agent" || h == "Content-Length" {
			continue
		}
		value := strings.Join(req.Header[h], " | ")
		value = strings.NewReplacer(secretOf(name), "[secret]", googleToken, "[minted]", entraToken, "[minted]", "session-of-"+name, "[session]").Replace(value)
		value = signature.ReplaceAllString(value, "Signature=[signature]")
		value = sealed.ReplaceAllString(signedDay.ReplaceAllString(value, "EXAMPLE/[day]/"), "[time]")
		fmt.Fprintf(&b, "%s: %s\n", strings.ToLower(h), value)
	}
	fmt.Fprintf(&b, "\n%s\n", body)
	return b.String()
}

func secretOf(name string) string { return "secret-of-" + name + "-0123456789" }

// compare holds what a provider was asked against its golden file. AISTRALE_UPDATE=1 writes it.
func (r *recorder) compare(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	got := strings.Join(r.asked, "\n")
	r.mu.Unlock()
	file := filepath.Join("testdata", "requests", r.name+".txt")
	if os.Getenv("AISTRALE_UPDATE") != "" {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != got {
		t.Errorf("%s is asked\n%s\nwant (%v)\n%s", r.name, got, err, want)
	}
}
