package mock

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
	"github.com/valyala/fasthttp"
)

// storing asks a server without a network.
type storing struct {
	t *testing.T
	s *Server
}

func (x storing) do(credential, method, path, contentType, body string) (int, string) {
	x.t.Helper()
	var ctx fasthttp.RequestCtx
	ctx.Request.Header.SetMethod(method)
	ctx.Request.SetRequestURI(OpenAIPath + path)
	ctx.Request.Header.Set("Authorization", "Bearer "+credential)
	ctx.Request.Header.SetContentType(contentType)
	ctx.Request.SetBodyString(body)
	x.s.Handler(&ctx)
	return ctx.Response.StatusCode(), string(ctx.Response.Body())
}

func (x storing) ask(credential, method, path, body string) string {
	x.t.Helper()
	status, said := x.do(credential, method, path, "application/json", body)
	if status != http.StatusOK {
		x.t.Fatalf("%s %s: %d %s", method, path, status, said)
	}
	return said
}

func (x storing) upload(credential, path, content string) string {
	x.t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("file", "calls.jsonl")
	if err != nil {
		x.t.Fatal(err)
	}
	_, _ = part.Write([]byte(content))
	_ = w.WriteField("purpose", "batch")
	_ = w.Close()
	status, said := x.do(credential, http.MethodPost, path, w.FormDataContentType(), form.String())
	if status != http.StatusOK {
		x.t.Fatalf("upload: %d %s", status, said)
	}
	return gjson.Get(said, "id").Str
}

func TestStored(t *testing.T) {
	x := storing{t, New(Options{})}
	const call = `{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"gpt","messages":[{"role":"user","content":"hi"}]}}` + "\n"
	file := x.upload("one", "/files", call+strings.Replace(call, `"gpt"`, `"missing"`, 1))
	if other := x.upload("two", "/files", "x"); other != file {
		t.Errorf("two accounts count together: %s and %s", file, other)
	}
	if got := x.ask("one", http.MethodGet, "/files/"+file+"/content", ""); !strings.HasPrefix(got, call) {
		t.Errorf("the file holds %q", got)
	}
	batch := gjson.Get(x.ask("one", http.MethodPost, "/batches", `{"input_file_id":"`+file+`","endpoint":"/v1/chat/completions"}`), "id").Str
	done := x.ask("one", http.MethodGet, "/batches/"+batch, "")
	results := x.ask("one", http.MethodGet, "/files/"+gjson.Get(done, "output_file_id").Str+"/content", "")
	if gjson.Get(done, "status").Str != "completed" || strings.Count(results, "\n") != 2 ||
		gjson.Get(results, "response.body.usage.total_tokens").Int() == 0 || !strings.Contains(results, `"status_code":404`) {
		t.Errorf("%s: %s", done, results)
	}
	if bill := x.s.Bill(); len(bill) != 1 || bill[0].Calls != 1 {
		t.Errorf("bill: %+v", bill)
	}
	if status, said := x.do("two", http.MethodGet, "/batches/"+batch, "", ""); status != http.StatusNotFound {
		t.Errorf("another account: %d %s", status, said)
	}

	store := gjson.Get(x.ask("one", http.MethodPost, "/vector_stores", `{"name":"n","file_ids":["`+file+`"]}`), "id").Str
	x.ask("one", http.MethodPost, "/vector_stores/"+store+"/files", `{"file_id":"`+file+`"}`)
	if got := x.ask("one", http.MethodGet, "/vector_stores/"+store+"/files", ""); gjson.Get(got, "data.0.id").Str != file {
		t.Errorf("the store's files: %s", got)
	}
	x.ask("one", http.MethodDelete, "/vector_stores/"+store, "")
	if status, _ := x.do("one", http.MethodGet, "/vector_stores/"+store+"/files", "", ""); status != http.StatusNotFound {
		t.Errorf("of a store that is gone: %d", status)
	}

	upload := gjson.Get(x.ask("one", http.MethodPost, "/uploads", `{"filename":"f","purpose":"batch","bytes":1,"mime_type":"text/plain"}`), "id").Str
	part := x.upload("one", "/uploads/"+upload+"/parts", "part")
	if got := x.ask("one", http.MethodPost, "/uploads/"+upload+"/complete", `{"part_ids":["`+part+`"]}`); gjson.Get(got, "file.bytes").Int() != 4 {
		t.Errorf("completed: %s", got)
	}
	conversation := gjson.Get(x.ask("one", http.MethodPost, "/conversations", `{}`), "id").Str
	if got := x.ask("one", http.MethodGet, "/conversations/"+conversation+"/items", ""); gjson.Get(got, "data.#").Int() != 0 {
		t.Errorf("items: %s", got)
	}
}
