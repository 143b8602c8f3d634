package main_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/tidwall/gjson"
)

// An upstream speaks just enough of OpenAI's language, and remembers the credentials that it
// was sent, in whichever header. What it does depends on the model: "quote" refuses and quotes
// the credential, whatever the language; "slow" streams one word, waits to be released, and
// streams another; "hang" never answers.
type upstream struct {
	url     string
	release chan struct{} // a token lets one slow stream go on
	asked   chan struct{} // a token for each request that hangs
	bills   bool          // slow streams end with their usage

	mu   sync.Mutex
	sent []string // credentials
}

// What a slow stream bills, in tokens.
const slowInput, slowOutput = 7, 3

func newUpstream(t *testing.T) *upstream {
	t.Helper()
	u := &upstream{release: make(chan struct{}, 16), asked: make(chan struct{}, 16)}
	server := httptest.NewServer(u)
	t.Cleanup(server.Close)
	u.url = server.URL + "/v1"
	return u
}

// last gives the credential of the last request.
func (u *upstream) last() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.sent) == 0 {
		return ""
	}
	return u.sent[len(u.sent)-1]
}

// all gives every credential, a line each.
func (u *upstream) all() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return strings.Join(u.sent, "\n")
}

func (u *upstream) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.sent)
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	credential := cmp.Or(r.Header.Get("authorization"), r.Header.Get("x-api-key"), r.Header.Get("x-goog-api-key"))
	u.mu.Lock()
	u.sent = append(u.sent, credential)
	u.mu.Unlock()
	model := gjson.GetBytes(body, "model").Str
	if strings.Contains(r.URL.Path, "/quote:") { // Gemini's way to name it
		model = "quote"
	}
	switch model {
	case "slow":
		u.slow(w, r)
	case "hang":
		u.asked <- struct{}{}
		<-r.Context().Done()
	case "quote":
		quoted, _ := json.Marshal("Incorrect API key provided: " + credential + ".")
		answerJSON(w, http.StatusUnauthorized, fmt.Sprintf(`{"error":{"message":%s,"type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`, quoted))
	default:
		answerJSON(w, http.StatusOK, `{"id":"c","object":"chat.completion","created":1,"model":`+strconv.Quote(model)+
			`,"choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}`)
	}
}

func answerJSON(w http.ResponseWriter, status int, text string) {
	w.Header().Set("content-type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

func (u *upstream) slow(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("content-type", "text/event-stream")
	say := func(delta, finish string) {
		_, _ = fmt.Fprintf(w, `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"slow","choices":[{"index":0,"delta":%s,"finish_reason":%s}]}`+"\n\n", delta, finish)
		w.(http.Flusher).Flush()
	}
	say(`{"role":"assistant","content":"first"}`, "null")
	select {
	case <-u.release:
	case <-r.Context().Done():
		return
	}
	say(`{"content":"second"}`, "null")
	say(`{}`, `"stop"`)
	if u.bills {
		_, _ = fmt.Fprintf(w, `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"slow","choices":[],"usage":{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d}}`+"\n\n", slowInput, slowOutput, slowInput+slowOutput)
	}
	_, _ = io.WriteString(w, "data: [DONE]\n\n")
}
