package mock

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
	"github.com/valyala/fasthttp"
)

// asked makes a call with a credential of any language's, without a network.
func asked(s *Server, method, path, body string, headers ...string) *fasthttp.Response {
	var ctx fasthttp.RequestCtx
	ctx.Request.Header.SetMethod(method)
	ctx.Request.SetRequestURI(path)
	ctx.Request.Header.Set("Anthropic-Version", "2023-06-01")
	ctx.Request.SetBodyString(body)
	for i := 0; i+1 < len(headers); i += 2 {
		ctx.Request.Header.Set(headers[i], headers[i+1])
	}
	s.Handler(&ctx)
	out := &fasthttp.Response{}
	ctx.Response.CopyTo(out)
	return out
}

func TestStored_Claude(t *testing.T) {
	s := New(Options{})
	ask := func(status int, method, path, body string) string {
		t.Helper()
		resp := asked(s, method, AnthropicPath+path, body, "X-Api-Key", "one")
		if resp.StatusCode() != status {
			t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode(), resp.Body())
		}
		return string(resp.Body())
	}
	const good = `{"custom_id":"a","params":{"model":"claude","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}}`
	id := gjson.Get(ask(200, http.MethodPost, claudeBatches, `{"requests":[`+good+`,`+strings.Replace(good, `"max_tokens":9,`, "", 1)+`]}`), "id").Str
	ask(404, http.MethodGet, claudeBatches+"/"+id+"/results", "")
	shown := ask(200, http.MethodGet, claudeBatches+"/"+id, "")
	if gjson.Get(shown, "processing_status").Str != "ended" || gjson.Get(shown, "request_counts.errored").Int() != 1 || !strings.HasPrefix(gjson.Get(shown, "results_url").Str, "https://api.anthropic.com/") {
		t.Errorf("%s", shown)
	}
	results := ask(200, http.MethodGet, claudeBatches+"/"+id+"/results", "")
	if strings.Count(results, "\n") != 2 || gjson.Get(results, "result.message.usage.output_tokens").Int() == 0 || !strings.Contains(results, `"type":"errored"`) {
		t.Errorf("%s", results)
	}
	if resp := asked(s, http.MethodGet, AnthropicPath+claudeBatches+"/"+id, "", "X-Api-Key", "two"); resp.StatusCode() != 404 {
		t.Errorf("another account: %d", resp.StatusCode())
	}
	ask(400, http.MethodPost, claudeBatches, `{"requests":[]}`)
	ask(200, http.MethodDelete, claudeBatches+"/"+id, "")
	ask(404, http.MethodGet, claudeBatches+"/"+id, "")
}

func TestStored_Google(t *testing.T) {
	s := New(Options{})
	send := func(status int, method, path, body string, headers ...string) *fasthttp.Response {
		t.Helper()
		resp := asked(s, method, path, body, append(headers, "X-Goog-Api-Key", "one")...)
		if resp.StatusCode() != status {
			t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode(), resp.Body())
		}
		return resp
	}
	send(400, http.MethodPost, googleUpload, `{}`, "X-Goog-Upload-Protocol", "multipart")
	began := send(200, http.MethodPost, googleUpload, `{"file":{"displayName":"x"}}`, "X-Goog-Upload-Protocol", "resumable", "X-Goog-Upload-Command", "start")
	_, to, _ := strings.Cut(string(began.Header.Peek("X-Goog-Upload-Url")), "googleapis.com")
	send(200, http.MethodPost, to, "12345", "X-Goog-Upload-Command", "upload", "X-Goog-Upload-Offset", "0")
	send(400, http.MethodPost, to, "6", "X-Goog-Upload-Command", "upload", "X-Goog-Upload-Offset", "4")
	done := send(200, http.MethodPost, to, "6", "X-Goog-Upload-Command", "upload, finalize", "X-Goog-Upload-Offset", "5")
	name := gjson.GetBytes(done.Body(), "file.name").Str
	if string(done.Header.Peek("X-Goog-Upload-Status")) != "final" || gjson.GetBytes(done.Body(), "file.sizeBytes").Str != "6" {
		t.Errorf("%s", done.Body())
	}
	if got := send(200, http.MethodGet, GeminiPath+"/"+name+":download?alt=media", "").Body(); string(got) != "123456" {
		t.Errorf("the file holds %q", got)
	}
	if resp := asked(s, http.MethodGet, GeminiPath+"/"+name, "", "X-Goog-Api-Key", "two"); resp.StatusCode() != 403 {
		t.Errorf("another account: %d", resp.StatusCode())
	}
	cache := gjson.GetBytes(send(200, http.MethodPost, GeminiPath+"/cachedContents", `{"model":"models/gemini","ttl":"60s","contents":[]}`).Body(), "name").Str
	send(400, http.MethodPost, GeminiPath+"/cachedContents", `{"model":"models/missing"}`)
	if got := send(200, http.MethodGet, GeminiPath+"/cachedContents", "").Body(); gjson.GetBytes(got, "cachedContents.0.name").Str != cache {
		t.Errorf("listed: %s", got)
	}
	send(200, http.MethodDelete, GeminiPath+"/"+cache, "")
	send(403, http.MethodGet, GeminiPath+"/"+cache, "")
}
