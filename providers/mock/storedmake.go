package mock

import (
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// make makes an object of a collection.
func (w *errand) make(name, within string) (*thing, *refusal) {
	c := collections[name]
	switch name {
	case "files", "containers/files", "uploads/parts":
		return w.makeFile(name, within)
	case "vector_stores/files":
		id := w.doc.Get("file_id").Str
		if w.shelf.find("file", id, "") == nil {
			return nil, noThing(id)
		}
		t := &thing{kind: c.kind, id: id, within: within}
		w.shelf.all = append(w.shelf.all, t)
		return w.dress(t, c.object, "completed"), nil
	case "batches":
		return w.makeBatch()
	}
	for _, id := range w.doc.Get("file_ids").Array() {
		if w.shelf.find("file", id.Str, "") == nil {
			return nil, noThing(id.Str)
		}
	}
	t := w.dress(w.shelf.add(c.kind, c.begin, within), c.object, "")
	w.take(t)
	if c.kind == "upload" {
		t.text("status", "pending")
	}
	return t, nil
}

// dress gives an object what all have.
func (w *errand) dress(t *thing, object, status string) *thing {
	t.text("object", object)
	t.set("created_at", strconv.AppendInt(nil, w.server.options.Now().Unix(), 10))
	if status != "" {
		t.text("status", status)
	}
	return t
}

// makeFile takes a file in: of a form, or, in a container, one that is there already.
func (w *errand) makeFile(name, within string) (*thing, *refusal) {
	c := collections[name]
	if id := w.doc.Get("file_id").Str; id != "" {
		old := w.shelf.find("file", id, "")
		if old == nil {
			return nil, noThing(id)
		}
		t := w.dress(w.shelf.add(c.kind, c.begin, within), c.object, "")
		t.content = old.content
		return t, nil
	}
	form, head, content, refused := w.formFile()
	if refused != nil {
		return nil, refused
	}
	t := w.dress(w.shelf.add(c.kind, c.begin, within), c.object, "processed")
	t.content = content
	t.text("filename", head.Filename)
	t.set("bytes", strconv.AppendInt(nil, int64(len(content)), 10))
	if purpose := form.Value["purpose"]; len(purpose) > 0 {
		t.text("purpose", purpose[0])
	}
	return t, nil
}

// formFile gives the one file of a form.
func (w *errand) formFile() (*multipart.Form, *multipart.FileHeader, []byte, *refusal) {
	form, err := w.ctx.MultipartForm()
	if err != nil {
		return nil, nil, nil, invalid("file", "The mock wants a form with a file.")
	}
	heads := append(form.File["file"], form.File["data"]...)
	if len(heads) != 1 {
		return nil, nil, nil, invalid("file", "The form must have one file.")
	}
	file, err := heads[0].Open()
	if err != nil {
		return nil, nil, nil, invalid("file", err.Error())
	}
	content, err := io.ReadAll(file)
	if err != nil {
		return nil, nil, nil, invalid("file", err.Error())
	}
	return form, heads[0], content, nil
}

// act does what a path's last word says with an object.
func (w *errand) act(t *thing, word string) ([]byte, string, *refusal) {
	switch word {
	case "content":
		if t.kind == "vector_store.file" {
			return []byte(`{"object":"vector_store.file_content.page","data":[],"has_more":false}`), jsonType, nil
		}
		return t.content, "application/octet-stream", nil
	case "cancel":
		if t.kind == "response" {
			return nil, "", invalid("", "Cannot cancel a synchronous response.")
		}
		t.text("status", "cancelled")
	case "files":
		return w.list("vector_store.file", t.within), jsonType, nil
	case "search":
		return []byte(`{"object":"vector_store.search_results.page","data":[],"has_more":false,"next_page":null}`), jsonType, nil
	case "complete":
		file := w.dress(w.shelf.add("file", "file-", ""), "file", "processed")
		for _, id := range w.doc.Get("part_ids").Array() {
			if part := w.shelf.find("part", id.Str, t.id); part != nil {
				file.content = append(file.content, part.content...)
			}
		}
		file.set("bytes", strconv.AppendInt(nil, int64(len(file.content)), 10))
		t.text("status", "completed")
		t.set("file", file.json())
	default:
		return nil, "", &refusal{status: http.StatusNotFound, message: "Invalid URL"}
	}
	return t.json(), jsonType, nil
}

func (w *errand) makeBatch() (*thing, *refusal) {
	id := w.doc.Get("input_file_id").Str
	if w.shelf.find("file", id, "") == nil {
		return nil, noThing(id)
	}
	t := w.dress(w.shelf.add("batch", "batch_", ""), "batch", "validating")
	w.take(t)
	t.calls = id
	t.set("output_file_id", []byte("null"))
	t.set("error_file_id", []byte("null"))
	return t, nil
}

// workOff makes the calls of a batch, when it is looked at for the first time.
func (w *errand) workOff(t *thing) {
	in := w.shelf.find("file", t.calls, "")
	if in == nil || t.status() != "validating" {
		return
	}
	var results []byte
	for line := range strings.Lines(string(in.content)) {
		call := gjson.Parse(line)
		if call.IsObject() {
			results = w.result(results, call)
		}
	}
	out := w.dress(w.shelf.add("file", "file-", ""), "file", "processed")
	out.content = results
	out.text("purpose", "batch_output")
	t.text("status", "completed")
	t.text("output_file_id", out.id)
}

func (t *thing) status() string {
	for _, m := range t.members {
		if m.name == "status" {
			return gjson.ParseBytes(m.value).Str
		}
	}
	return ""
}

// result makes one call and writes what came of it.
func (w *errand) result(dst []byte, call gjson.Result) []byte {
	status, body := 200, []byte(nil)
	at := findOpenAI(strings.TrimPrefix(call.Get("url").Str, "/v1"))
	raw := call.Get("body")
	refused := &refusal{status: http.StatusNotFound, message: "Invalid URL"}
	if at.operation.read != nil {
		var a *ask
		if a, refused = at.operation.read(&request{body: []byte(raw.Raw), doc: raw}); refused == nil {
			ans := compose(a, &w.behaviour)
			body = at.operation.whole(nil, a, ans)
			w.server.bill.add(BillLine{Model: a.model, Calls: 1, Input: ans.usage.input, Output: ans.usage.output})
		}
	}
	if refused != nil {
		message, kind, code := openAIError(refused)
		status, body = refused.status, appendOpenAIError(nil, message, kind, refused.param, code)
	}
	dst = providers.AppendString(append(dst, `{"custom_id":`...), call.Get("custom_id").Str)
	dst = number(dst, `,"response":{"status_code":`, int64(status))
	dst = append(append(dst, `,"body":`...), body...)
	return append(dst, "},\"error\":null}\n"...)
}
