package main_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"
)

const chatPath = "/v1/chat/completions"

// refusal checks that an answer is an error in OpenAI's form that says what is wrong.
func refusal(t *testing.T, name string, status, want int, body, code string, words ...string) {
	t.Helper()
	e := gjson.Get(body, "error")
	if status != want || !gjson.Valid(body) || e.Get("message").Str == "" || e.Get("type").Str == "" {
		t.Errorf("%s: %d %.300s, want %d and an error", name, status, body, want)
		return
	}
	if code != "" && e.Get("code").Str != code {
		t.Errorf("%s: code %s, want %s (%s)", name, e.Get("code").Raw, code, body)
	}
	for _, w := range words {
		if !strings.Contains(e.Raw, w) {
			t.Errorf("%s: %s does not say %q", name, e.Raw, w)
		}
	}
	for _, secret := range []string{fullKey, narrowKey, "goroutine ", ".go:", "127.0.0.1"} {
		if strings.Contains(body, secret) {
			t.Errorf("%s: %s shows %q", name, body, secret)
		}
	}
}

func TestBadInput_bodies(t *testing.T) {
	t.Parallel()
	r := start(t, "")
	f := func(name, body string, words ...string) {
		t.Helper()
		status, answer := r.post(t, chatPath, fullKey, strings.NewReader(body))
		refusal(t, name, status, http.StatusBadRequest, answer, "", words...)
		if kind := gjson.Get(answer, "error.type").Str; kind != "invalid_request_error" {
			t.Errorf("%s: type %q", name, kind)
		}
		r.alive(t)
	}
	chat := func(more string) string {
		return `{"model":"mock/gpt","messages":[{"role":"user","content":"hi"}]` + more + `}`
	}
	f("nothing", "", "empty")
	f("no JSON", "hello", "JSON")
	f("HTML", "<html></html>", "JSON")
	f("a form", "model=mock%2Fgpt", "JSON")
	f("half JSON", chat("")[:40], "ends at byte 40")
	f("an array", "["+chat("")+"]", "object")
	f("a string", `"mock/gpt"`, "object")
	f("null", `null`, "object")
	f("two values", chat("")+chat(""), "byte")
	f("a comment", chat(` /* why not */`), "JSON")
	f("a trailing comma", chat(`,`), "member name")

	f("no model", `{"messages":[{"role":"user","content":"hi"}]}`, `"model"`)
	f("a model that is no string", `{"model":7,"messages":[]}`, `"model"`, "a string", "a number")
	f("a model that is an object", `{"model":{"id":"mock/gpt"},"messages":[]}`, `"model"`, "a string", "an object")
	f("a stream that is no boolean", chat(`,"stream":"true"`), `"stream"`, "a boolean", "a string")
	f("max_tokens that is a text", chat(`,"max_tokens":"many"`), `"max_tokens"`, "an integer", "a string")
	f("max_tokens that is broken", chat(`,"max_tokens":1.5`), `"max_tokens"`, "an integer")
	f("stream_options without stream", chat(`,"stream_options":{"include_usage":true}`), `"stream_options"`)
	f("stream_options of a wrong type", chat(`,"stream":true,"stream_options":[]`), `"stream_options"`)

	f("the model twice", chat(`,"model":"mock/claude"`), `"model"`, "twice")
	f("the model twice, escaped", chat(`,"mod\u0065l":"mock/claude"`), `"model"`, "twice")
	f("Model beside model", chat(`,"Model":"mock/claude"`), "model", "Model")
	f("messages twice", chat(`,"messages":[]`), `"messages"`, "twice")
	f("a long s in messages", chat(`,"meſſages":[]`), "messages")

	f("deep nesting of arrays", chat(`,"x":`+strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000)), "nested deeper")
	f("deep nesting of objects", chat(`,"x":`+strings.Repeat(`{"a":`, 100_000)+"1"+strings.Repeat("}", 100_000)), "nested deeper")
	f("deep nesting without end", `{"a":`+strings.Repeat("[", 100_000), "nested deeper")
	f("invalid UTF-8", chat(",\"user\":\"\xff\""), "UTF-8")
	f("a surrogate in UTF-8", chat(",\"user\":\"\xed\xa0\x80\""), "UTF-8")
	f("a byte order mark", "\ufeff"+chat(""), "JSON")
	f("a lone high surrogate", chat(`,"user":"\ud800"`), "surrogate")
	f("a lone low surrogate", chat(`,"user":"\udc00x"`), "surrogate")
	f("a bare control character", chat(",\"user\":\"a\nb\""), "control character")
	f("a zero byte", chat("")+"\x00", "byte")
}

// Wrong words inside the messages are the face's to refuse where the call is translated.
func TestBadInput_translated(t *testing.T) {
	t.Parallel()
	r := start(t, "")
	f := func(name, body, param string) {
		t.Helper()
		for _, model := range []string{"mock/claude", "mock/gemini"} {
			status, answer := r.post(t, chatPath, fullKey, strings.NewReader(`{"model":"`+model+`",`+body+`}`))
			refusal(t, name, status, http.StatusBadRequest, answer, "")
			if got := gjson.Get(answer, "error.param").Str; got != param {
				t.Errorf("%s: param %q, want %q: %s", name, got, param, answer)
			}
		}
		r.alive(t)
	}
	f("no messages", `"n":1`, "messages")
	f("empty messages", `"messages":[]`, "messages")
	f("messages that are a text", `"messages":"hi"`, "messages")
	f("a message that is a text", `"messages":["hi"]`, "messages[0]")
	f("a role that is none", `"messages":[{"role":"wizard","content":"hi"}]`, "messages[0].role")
	f("a content that is a number", `"messages":[{"role":"user","content":7}]`, "messages[0].content")
	f("a temperature that is a text", `"messages":[{"role":"user","content":"hi"}],"temperature":"hot"`, "temperature")
	f("tools that are an object", `"messages":[{"role":"user","content":"hi"}],"tools":{}`, "tools")
}

func TestBadInput_size(t *testing.T) {
	t.Parallel()
	r := start(t, "")
	f := func(name string, status int, answer string) {
		t.Helper()
		refusal(t, name, status, http.StatusRequestEntityTooLarge, answer, "", "33554432")
		r.alive(t)
	}
	big := `{"model":"mock/gpt","messages":[{"role":"user","content":"` + strings.Repeat("x", 33<<20) + `"}]}`
	status, answer := r.post(t, chatPath, fullKey, strings.NewReader(big))
	f("33 MiB", status, answer)
	status, answer = r.post(t, chatPath, fullKey, struct{ io.Reader }{strings.NewReader(big)}) // no length: chunks
	f("33 MiB in chunks", status, answer)
	status, answer = r.post(t, chatPath, fullKey, bytes.NewReader(packed(t, big)), "content-encoding", "gzip")
	f("33 MiB packed", status, answer)
	status, answer = r.post(t, chatPath, fullKey, bytes.NewReader(bomb(t, 1<<30)), "content-encoding", "gzip")
	f("a gzip bomb of 1 GiB", status, answer)
}

func packed(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// bomb packs size bytes of blanks, by members that repeat one packed piece.
func bomb(t *testing.T, size int) []byte {
	t.Helper()
	const piece = 1 << 20
	return bytes.Repeat(packed(t, strings.Repeat(" ", piece)), size/piece)
}

func TestBadInput_encodings(t *testing.T) {
	t.Parallel()
	r := start(t, "")
	body := `{"model":"mock/gpt","messages":[{"role":"user","content":"hi"}]}`
	f := func(encoding string, payload []byte, want int, words ...string) {
		t.Helper()
		status, answer := r.post(t, chatPath, fullKey, bytes.NewReader(payload), "content-encoding", encoding)
		if want == http.StatusOK {
			if status != want {
				t.Errorf("%s: %d %s", encoding, status, answer)
			}
			return
		}
		refusal(t, encoding, status, want, answer, "", words...)
		r.alive(t)
	}
	f("gzip", packed(t, body), http.StatusOK)
	f("identity", []byte(body), http.StatusOK)
	f("br", []byte(body), http.StatusUnsupportedMediaType, "br", "gzip")
	f("deflate", []byte(body), http.StatusUnsupportedMediaType, "deflate")
	f("gzip, gzip", packed(t, body), http.StatusUnsupportedMediaType)
	f("gzip", []byte(body), http.StatusBadRequest, "gzip")
	f("gzip", packed(t, body)[:30], http.StatusBadRequest)
	f("zstd", []byte(body), http.StatusBadRequest)
}

func TestBadInput_keys(t *testing.T) {
	t.Parallel()
	r := start(t, "")
	body := `{"model":"mock/gpt","messages":[{"role":"user","content":"hi"}]}`
	f := func(name, key string) {
		t.Helper()
		status, answer := r.post(t, chatPath, key, strings.NewReader(body))
		refusal(t, name, status, http.StatusUnauthorized, answer, "invalid_api_key")
		if key != "" && strings.Contains(answer, key) {
			t.Errorf("%s: %s shows the key", name, answer)
		}
		r.alive(t)
	}
	f("no key", "")
	f("a wrong key", unknownKey)
	f("a wrong secret", fullKey[:len(fullKey)-1]+"x")
	f("a cut key", fullKey[:20])
	f("a provider's key", "sk-proj-0123456789abcdefghijklmnopqrstuvwxyz")
	f("a key of odd characters", "sk-ais-\u00e9\u00e9-x")

	made, err := exec.Command(binary(t), "key", "create", "doomed", "--config", r.config).Output()
	if err != nil {
		t.Fatal(err)
	}
	doomed := strings.TrimSpace(string(made))
	answered := func(want int) func() bool {
		return func() bool {
			status, _ := r.post(t, chatPath, doomed, strings.NewReader(body))
			return status == want
		}
	}
	eventually(t, "a new key is known", answered(http.StatusOK))
	if out, err := exec.Command(binary(t), "key", "revoke", "doomed", "--config", r.config).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	eventually(t, "a revoked key is refused", answered(http.StatusUnauthorized))
	f("a revoked key", doomed)
}

func TestBadInput_models(t *testing.T) {
	t.Parallel()
	r := start(t, "")
	f := func(key, model string, want int, code string, words ...string) {
		t.Helper()
		status, answer := r.post(t, chatPath, key, strings.NewReader(`{"model":"`+model+`","messages":[{"role":"user","content":"hi"}]}`))
		refusal(t, model, status, want, answer, code, words...)
		if len(answer) > 1_000 {
			t.Errorf("%.40s: an answer of %d bytes", model, len(answer))
		}
	}
	before := len(r.mock.Calls())
	for _, model := range []string{"nobody/knows", "no-such-model", "mock", "Mock/gpt", "narrow"} {
		f(fullKey, model, http.StatusNotFound, "model_not_found")
	}
	f(narrowKey, "mock/claude", http.StatusForbidden, "model_not_found")
	for _, model := range []string{ // what must never come near a path or a header
		"mock/", "/gpt", "../gpt", "mock/../gpt", "mock/..", "mock/./gpt", "mock/gpt/../../bill", "mock//gpt",
		"mock/%2e%2e/bill", `mock/gpt\\..\\bill`, "mock/gpt?x=1", "mock/gpt#x", "mock/gp t", `mock/gpt\n`, `mock/gpt\u0000`, "mock/gé",
		"https://example.com/v1", "mock/" + strings.Repeat("x", 10_000),
	} {
		f(fullKey, model, http.StatusBadRequest, "", "model name")
	}
	if calls := r.mock.Calls(); len(calls) != before {
		t.Errorf("an upstream was asked: %s", calls[len(calls)-1].URI)
	}
	f(fullKey, "mock/missing-one", http.StatusNotFound, "model_not_found")
	r.alive(t)
}

func TestBadInput_routes(t *testing.T) {
	t.Parallel()
	r := start(t, "")
	f := func(method, path string, want int) {
		t.Helper()
		req, err := http.NewRequest(method, r.url+path, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("authorization", "Bearer "+fullKey)
		status, answer := r.send(t, req)
		refusal(t, method+" "+path, status, want, answer, "")
		r.alive(t)
	}
	f("GET", chatPath, http.StatusMethodNotAllowed)
	f("PUT", chatPath, http.StatusMethodNotAllowed)
	f("DELETE", "/v1/models", http.StatusMethodNotAllowed)
	f("POST", "/v1/nothing", http.StatusNotFound)
	f("POST", "/", http.StatusNotFound)
	f("GET", "/admin/v1/keys", http.StatusNotFound)
	f("GET", "/metrics", http.StatusNotFound)
	f("GET", "/v1/../admin/v1/keys", http.StatusNotFound)
	f("GET", "/v1/%2e%2e/metrics", http.StatusNotFound)
	f("GET", "/v1/models/nobody/knows", http.StatusNotFound)
}

// raw sends bytes as they are and reads the answer to the end of the connection.
func (r *running) raw(t *testing.T, text string, hold time.Duration) (int, string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(hold)); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(conn, text) // a gateway that has seen enough may close before the end
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

func TestBadInput_headers(t *testing.T) {
	t.Parallel()
	r := start(t, "")
	head := "POST " + chatPath + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " + fullKey + "\r\n"
	f := func(name, text string, want int) {
		t.Helper()
		status, answer := r.raw(t, text, patience)
		refusal(t, name, status, want, answer, "")
		r.alive(t)
	}
	var many strings.Builder
	for i := range 5_000 {
		fmt.Fprintf(&many, "x-%d: y\r\n", i)
	}
	f("a huge header", head+"x-big: "+strings.Repeat("x", 64<<10)+"\r\n\r\n", http.StatusRequestHeaderFieldsTooLarge)
	f("many headers", head+many.String()+"\r\n", http.StatusRequestHeaderFieldsTooLarge)
	f("a huge path", "GET /"+strings.Repeat("x", 64<<10)+" HTTP/1.1\r\nHost: x\r\n\r\n", http.StatusRequestHeaderFieldsTooLarge)
	f("no HTTP", "hello gateway\r\n\r\n", http.StatusBadRequest)
	f("two lengths", head+"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", http.StatusBadRequest)
	f("a length and chunks", head+"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", http.StatusBadRequest)
	f("a negative length", head+"Content-Length: -2\r\n\r\n{}", http.StatusBadRequest)
	f("a broken chunk", head+"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", http.StatusBadRequest)
}

// Whoever sends a request drop by drop is cut off, whether the head or the body stalls.
func TestBadInput_slow(t *testing.T) {
	t.Parallel()
	r := start(t, "timeouts: {read: 200ms, idle: 200ms}\n")
	f := func(name, text string) {
		t.Helper()
		status, answer := r.raw(t, text, patience)
		if status != 0 && status != http.StatusRequestTimeout {
			t.Errorf("%s: %d %s", name, status, answer)
		}
		if strings.Contains(answer, "i/o timeout") {
			t.Errorf("%s: the connection is still open", name)
		}
		r.alive(t)
	}
	f("nothing at all", "")
	f("half a line", "POST "+chatPath)
	f("half a head", "POST "+chatPath+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+fullKey+"\r\n")
	f("half a body", "POST "+chatPath+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+fullKey+"\r\nContent-Length: 100\r\n\r\n{\"model\":")
}
