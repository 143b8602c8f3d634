package proxy

import (
	"encoding/base64"
	"io"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
)

// Files stand in a body as base64, in their places; it can be sent again, and its length is known.
func TestInlined(t *testing.T) {
	contents := []string{strings.Repeat("abc", 3000) + "d", "", "xy"}
	fm := &form{}
	defer fm.spool.close()
	body, want := []byte("["), "["
	req := &providers.UpstreamRequest{}
	for i, content := range contents {
		fm.files = append(fm.files, formFile{name: "file", filename: "a", mime: "image/png", from: fm.spool.size, size: int64(len(content))})
		if _, err := fm.spool.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
		body = append(body, `"`...)
		req.Inline = append(req.Inline, providers.Inlined{At: len(body), File: i})
		body = append(body, `",`...)
		want += `"` + base64.StdEncoding.EncodeToString([]byte(content)) + `",`
	}
	req.Body, want = append(body, "1]"...), want+"1]"
	in := newInlined(fm, req)
	for range 2 {
		got, err := io.ReadAll(in)
		if err != nil || string(got) != want || in.Length() != int64(len(want)) {
			t.Errorf("%d bytes, said %d, want %d, %v", len(got), in.Length(), len(want), err)
		}
		if !in.Rewind() {
			t.Error("it cannot be sent again")
		}
	}
	if names := fm.names(nil); len(names) != 3 || names[0] != (providers.File{Field: "file", Name: "a", Type: "image/png"}) {
		t.Errorf("%+v", names)
	}
}
