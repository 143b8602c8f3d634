package mock

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"
	"github.com/valyala/fasthttp"
)

// A rig is a server on loopback and a client of it.
type rig struct {
	t      testing.TB
	server *Server
	url    string
	client *http.Client
}

func newRig(t testing.TB) *rig {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := New(Options{Now: func() time.Time { return time.Unix(1767225600, 0) }})
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	r := &rig{t, s, "http://" + l.Addr().String(), &http.Client{Transport: &http.Transport{}}}
	t.Cleanup(func() {
		r.client.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return r
}

// A reply is an answer read to its end; err is how reading it ended.
type reply struct {
	status int
	head   http.Header
	body   string
	err    error
}

func (r *rig) request(ctx context.Context, path, behaviour, body string) *http.Request {
	r.t.Helper()
	method := http.MethodPost
	if body == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if behaviour != "" {
		req.Header.Set("X-Mock", behaviour)
	}
	switch {
	case strings.HasPrefix(path, OpenAIPath):
		req.Header.Set("Authorization", "Bearer good")
	case strings.HasPrefix(path, AnthropicPath):
		req.Header.Set("X-Api-Key", "good")
		req.Header.Set("Anthropic-Version", "2023-06-01")
	case strings.HasPrefix(path, GeminiPath):
		req.Header.Set("X-Goog-Api-Key", "good")
	}
	return req
}

func (r *rig) do(req *http.Request) reply {
	res, err := r.client.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, string(body), err}
}

func (r *rig) post(path, behaviour, body string) reply {
	r.t.Helper()
	return r.do(r.request(context.Background(), path, behaviour, body))
}

// ok posts and wants a 200 that is valid JSON.
func (r *rig) ok(path, behaviour, body string) gjson.Result {
	r.t.Helper()
	got := r.post(path, behaviour, body)
	if got.err != nil || got.status != 200 || !json.Valid([]byte(got.body)) {
		r.t.Fatalf("%s with %q: %d %v %s", path, behaviour, got.status, got.err, got.body)
	}
	return gjson.Parse(got.body)
}

// events posts and wants a stream that ends cleanly; it gives the events' data.
func (r *rig) events(path, behaviour, body string) []string {
	r.t.Helper()
	got := r.post(path, behaviour, body)
	if got.err != nil || got.status != 200 || !strings.HasPrefix(got.head.Get("Content-Type"), "text/event-stream") {
		r.t.Fatalf("%s with %q: %d %v %s", path, behaviour, got.status, got.err, got.body)
	}
	return dataOf(r.t, got.body)
}

func dataOf(t testing.TB, stream string) []string {
	t.Helper()
	var list []string
	lines := bufio.NewScanner(strings.NewReader(stream))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		if data != "[DONE]" && !json.Valid([]byte(data)) {
			t.Fatalf("event is not JSON: %s", data)
		}
		list = append(list, data)
	}
	return list
}

// join concatenates what a path finds in each event.
func join(events []string, path string) string {
	var text strings.Builder
	for _, e := range events {
		text.WriteString(gjson.Get(e, path).Str)
	}
	return text.String()
}

// eventually waits for what another goroutine is about to do.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}

const (
	respondPath = OpenAIPath + "/responses"
	chatPath    = OpenAIPath + "/chat/completions"
	msgPath     = AnthropicPath + "/v1/messages"
	genPath     = GeminiPath + "/models/gemini:generateContent"
	streamPath  = GeminiPath + "/models/gemini:streamGenerateContent?alt=sse"

	chatBody          = `{"model":"gpt","messages":[{"role":"user","content":"hi there"}]}`
	chatStreamBody    = `{"model":"gpt","stream":true,"messages":[{"role":"user","content":"hi there"}]}`
	respondStreamBody = `{"model":"gpt","stream":true,"store":false,"input":"hi there"}`
	msgBody           = `{"model":"claude","max_tokens":1000,"messages":[{"role":"user","content":"hi there"}]}`
	msgStreamBody     = `{"model":"claude","max_tokens":1000,"stream":true,"messages":[{"role":"user","content":"hi there"}]}`
	genBody           = `{"contents":[{"role":"user","parts":[{"text":"hi there"}]}]}`
)

func TestServer_Plain(t *testing.T) {
	r := newRig(t)
	want := "This is the mock provider. You said: hi there"
	if got := r.ok(chatPath, "", chatBody).Get("choices.0.message.content").Str; got != want {
		t.Errorf("chat said %q", got)
	}
	if got := r.ok(msgPath, "", msgBody).Get("content.0.text").Str; got != want {
		t.Errorf("messages said %q", got)
	}
	if got := r.ok(genPath, "", genBody).Get("candidates.0.content.parts.0.text").Str; got != want {
		t.Errorf("generateContent said %q", got)
	}
	if got := join(r.events(chatPath, "", chatStreamBody), "choices.0.delta.content"); got != want {
		t.Errorf("chat streamed %q", got)
	}
	if got := join(r.events(respondPath, "", respondStreamBody), "delta"); got != want {
		t.Errorf("responses streamed %q", got)
	}
	if got := join(r.events(msgPath, "", msgStreamBody), "delta.text"); got != want {
		t.Errorf("messages streamed %q", got)
	}
	if got := join(r.events(streamPath, "", genBody), "candidates.0.content.parts.0.text"); got != want {
		t.Errorf("streamGenerateContent streamed %q", got)
	}
}

func TestServer_SameRequestSameBytes(t *testing.T) {
	r := newRig(t)
	f := func(path, behaviour, body string) {
		t.Helper()
		one, two := r.post(path, behaviour, body), r.post(path, behaviour, body)
		if one.body == "" || one.body != two.body {
			t.Errorf("%s with %q gave\n%s\nthen\n%s", path, behaviour, one.body, two.body)
		}
	}
	for _, behaviour := range []string{"", "tool=a,b; thinking=2", "events=9", "refuse", "events=300"} {
		f(chatPath, behaviour, chatBody)
		f(chatPath, behaviour, chatStreamBody)
		f(respondPath, behaviour, respondStreamBody)
		f(msgPath, behaviour, msgBody)
		f(msgPath, behaviour, msgStreamBody)
		f(genPath, behaviour, genBody)
		f(streamPath, behaviour, genBody)
	}
}

func TestServer_Addresses(t *testing.T) {
	r := newRig(t)
	f := func(path, errorPath, want string) {
		t.Helper()
		got := r.post(path, "", chatBody)
		if got.status != 404 || gjson.Get(got.body, errorPath).String() != want {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	f(OpenAIPath+"/nothing", "error.type", "invalid_request_error")
	f(AnthropicPath+"/v1/nothing", "error.type", "not_found_error")
	f(GeminiPath+"/models/gemini:nothing", "error.status", "NOT_FOUND")
	f(GeminiPath+"/models/a/b:generateContent", "error.status", "NOT_FOUND")
	f("/nothing", "error", "")
	if got := r.post(chatPath, "", ""); got.status != 405 {
		t.Errorf("GET of chat: %d %s", got.status, got.body)
	}
}

// A chunk per event, however few writes they took.
func TestServer_ChunkPerEvent(t *testing.T) {
	r := newRig(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for range 2 { // the connection is kept
		if err := r.request(context.Background(), chatPath, "events=500", chatStreamBody).Write(conn); err != nil {
			t.Fatal(err)
		}
		br := bufio.NewReader(conn)
		res, err := http.ReadResponse(br, nil)
		if err != nil {
			t.Fatal(err)
		}
		// ReadResponse's body would join the chunks; count them on the wire's copy instead.
		var wire bytes.Buffer
		if _, err := io.Copy(&wire, res.Body); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(wire.String(), "\n\n"); n != 503 {
			t.Errorf("%d events", n)
		}
	}
	if err := r.request(context.Background(), chatPath, "events=500", chatStreamBody).Write(conn); err != nil {
		t.Fatal(err)
	}
	chunks, br := 0, bufio.NewReader(conn)
	for line := ""; line != "\r\n"; {
		if line, err = br.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	for {
		size, err := br.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if size == "0\r\n" {
			break
		}
		event := ""
		for !strings.HasSuffix(event, "\n\n\r\n") {
			line, err := br.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			event += line
		}
		if strings.Count(event, "data: ") != 1 {
			t.Fatalf("a chunk of %s", event)
		}
		chunks++
	}
	if chunks != 503 {
		t.Errorf("%d chunks", chunks)
	}
}

// A defect is an answer, not the end of the gateway that the emulator runs in.
func TestServer_SurvivesDefect(t *testing.T) {
	s := New(Options{})
	var ctx fasthttp.RequestCtx
	ctx.Init(plain(10), &net.TCPAddr{}, silence{})
	s.serve(&ctx, place{language: openAI{}, operation: operation{read: func(*request) (*ask, *refusal) { panic("staged") }}})
	if body := string(ctx.Response.Body()); ctx.Response.StatusCode() != 500 || !strings.Contains(body, "staged") || s.Open() != 0 {
		t.Errorf("%d %s, %d open", ctx.Response.StatusCode(), body, s.Open())
	}
}

func TestServer_OldHTTP(t *testing.T) {
	r := newRig(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "POST %s HTTP/1.0\r\nHost: x\r\nAuthorization: Bearer x\r\nContent-Length: %d\r\n\r\n%s", chatPath, len(chatStreamBody), chatStreamBody); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(conn); err != nil || !strings.Contains(string(got), "505") || !strings.Contains(string(got), "HTTP/1.1.") {
		t.Errorf("%s %v", got, err)
	}
}

// FuzzServer holds that no body breaks a reader or its writers.
func FuzzServer(f *testing.F) {
	for _, body := range []string{chatBody, chatStreamBody, msgBody, msgStreamBody, genBody,
		`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"use the tool"}]}],"tools":[{"name":"a","input_schema":{"type":"object"}}],"thinking":{"type":"adaptive"}}`,
		`{"contents":[{"parts":[{"text":"a"}]},{"role":"model","parts":[{"functionCall":{"name":"f"}}]},{"parts":[{"functionResponse":{"name":"f","response":{}}}]}]}`,
		`{"requests":[{"model":"models/m","content":{"parts":[{"text":"a"}]}}]}`,
		`{"model":"m","input":["a"],"dimensions":3}`,
		`{"model":"m","input":[{"role":"user","content":"use the tool"},{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"a","output":"b"}],"tools":[{"type":"function","name":"f"}],"reasoning":{"summary":"auto"}}`,
	} {
		f.Add([]byte(body))
	}
	operations := []operation{
		{read: readChat, whole: writeChat, film: filmChat}, {read: readCompletions, whole: writeCompletions, film: filmCompletions},
		{read: readRespond, whole: writeRespond, film: filmRespond},
		{read: readEmbeddings, whole: writeEmbeddings}, {read: readCount, whole: writeCount}, {read: readTokenCount, whole: writeTokenCount},
		{read: readMessages, whole: writeMessage, film: filmMessage},
		{read: readGenerate, whole: writeGenerate, film: filmGenerate}, {read: readBatch, whole: writeBatch},
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if !gjson.ValidBytes(body) {
			return
		}
		for i, op := range operations {
			a, refused := op.read(&request{body: body, doc: gjson.ParseBytes(body), model: "m"})
			if refused != nil {
				continue
			}
			ans := compose(a, &Behaviour{})
			if got := op.whole(nil, a, ans); !gjson.ValidBytes(got) {
				t.Errorf("operation %d wrote %s", i, got)
			}
			if op.film != nil {
				var one filmTest
				one.check(t, op.film, a, ans)
			}
		}
	})
}
