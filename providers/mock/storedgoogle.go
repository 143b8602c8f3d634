package mock

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// googleUpload is where Google takes files, in pieces: beside the API, not under it.
// Source: https://ai.google.dev/api/files#method:-media.upload
const googleUpload = "/upload/v1beta/files"

// isPiece reports whether a body is a piece of a file.
func isPiece(ctx *fasthttp.RequestCtx) bool {
	return bytes.HasPrefix(ctx.Path(), []byte(googleUpload)) && ctx.QueryArgs().Has("upload_id")
}

// takeGoogle begins to take a file, or takes a piece of one.
func (w *errand) takeGoogle() (body []byte, contentType string, refused *refusal) {
	in, out := &w.ctx.Request.Header, &w.ctx.Response.Header
	command := string(in.Peek("X-Goog-Upload-Command"))
	if !isPiece(w.ctx) {
		if command != "start" || string(in.Peek("X-Goog-Upload-Protocol")) != "resumable" {
			return nil, "", invalid("", "The mock takes files by the resumable protocol.")
		}
		t := w.shelf.add("google.upload", "AB-", "")
		t.text("displayName", w.doc.Get("file.displayName").Str)
		t.text("mimeType", string(in.Peek("X-Goog-Upload-Header-Content-Type")))
		out.Set("X-Goog-Upload-Url", "https://generativelanguage.googleapis.com"+googleUpload+"?upload_id="+t.id+"&upload_protocol=resumable")
		out.Set("X-Goog-Upload-Status", "active")
		out.Set("X-Goog-Upload-Chunk-Granularity", "262144")
		return nil, "text/plain", nil
	}
	t := w.shelf.find("google.upload", string(w.ctx.QueryArgs().Peek("upload_id")), "")
	if t == nil {
		return nil, "", noThing("the upload")
	}
	if at, err := strconv.Atoi(string(in.Peek("X-Goog-Upload-Offset"))); err != nil || at != len(t.content) {
		return nil, "", invalid("", "The piece does not begin where the last one ended.")
	}
	t.content = append(t.content, w.ctx.PostBody()...)
	if !strings.HasSuffix(command, "finalize") {
		out.Set("X-Goog-Upload-Status", "active")
		return nil, "text/plain", nil
	}
	out.Set("X-Goog-Upload-Status", "final")
	file := w.shelf.add("google.file", "m", "")
	file.content, file.members = t.content, append(file.members, t.members...)
	w.shelf.remove(t)
	w.dressGoogle(file, "files/", 48*time.Hour)
	file.text("uri", "https://generativelanguage.googleapis.com/v1beta/files/"+file.id)
	file.text("state", "ACTIVE")
	file.text("sizeBytes", strconv.Itoa(len(file.content)))
	return []byte(`{"file":` + string(jsonGoogle(file)) + `}`), jsonType, nil
}

// dressGoogle gives an object what all of Google's have.
func (w *errand) dressGoogle(t *thing, under string, keep time.Duration) {
	now := w.server.options.Now().UTC()
	t.text("name", under+t.id)
	t.text("createTime", now.Format(time.RFC3339Nano))
	t.text("updateTime", now.Format(time.RFC3339Nano))
	t.text(map[string]string{"files/": "expirationTime", "cachedContents/": "expireTime"}[under], now.Add(keep).Format(time.RFC3339Nano))
}

// jsonGoogle says an object, whose name is its id.
func jsonGoogle(t *thing) []byte {
	_, members, _ := bytes.Cut(t.json(), []byte(","))
	return append([]byte("{"), members...)
}

// answerGoogle answers a call about a file or a cache.
func (w *errand) answerGoogle() (body []byte, contentType string, refused *refusal) {
	kind, under := "google.file", "files/"
	if w.steps[0] != "files" {
		kind, under = "google.cache", "cachedContents/"
	}
	if len(w.steps) == 1 {
		if w.method != http.MethodPost {
			return w.listGoogle(kind, w.steps[0]), jsonType, nil
		}
		return w.makeCache(under)
	}
	id, download := strings.CutSuffix(w.steps[1], ":download")
	t := w.shelf.find(kind, id, "")
	switch {
	case t == nil:
		return nil, "", &refusal{status: http.StatusForbidden, message: "You do not have permission to access the object " + id + " or it may not exist."}
	case download:
		return t.content, "application/octet-stream", nil
	case w.method == http.MethodDelete:
		w.shelf.remove(t)
		return []byte("{}"), jsonType, nil
	case w.method == http.MethodPatch:
		w.keepFor(t, under)
	}
	return jsonGoogle(t), jsonType, nil
}

func (w *errand) makeCache(under string) (body []byte, contentType string, refused *refusal) {
	model := w.doc.Get("model").Str
	if !strings.HasPrefix(model, "models/") || isMissing(strings.TrimPrefix(model, "models/")) {
		return nil, "", invalid("model", "The mock knows no model of this name: "+model)
	}
	t := w.shelf.add("google.cache", "c", "")
	t.text("model", model)
	t.text("displayName", w.doc.Get("displayName").Str)
	w.keepFor(t, under)
	t.set("usageMetadata", fmt.Appendf(nil, `{"totalTokenCount":%d}`, len(w.doc.Get("contents").Raw)/4))
	return jsonGoogle(t), jsonType, nil
}

// keepFor keeps a cache for as long as the body says, or an hour.
func (w *errand) keepFor(t *thing, under string) {
	keep, err := time.ParseDuration(w.doc.Get("ttl").Str)
	if err != nil {
		keep = time.Hour
	}
	w.dressGoogle(t, under, keep)
}

func (w *errand) listGoogle(kind, member string) []byte {
	list := []byte(`{"` + member + `":[`)
	n := 0
	for _, t := range w.shelf.all {
		if t.kind == kind {
			if n++; n > 1 {
				list = append(list, ',')
			}
			list = append(list, jsonGoogle(t)...)
		}
	}
	if n == 0 {
		return []byte("{}")
	}
	return append(list, "]}"...)
}
