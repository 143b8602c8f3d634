package catalog_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
	"github.com/aistrale/aistrale/providers/responses"
)

// What clients asked in a language goes to upstreams of that language byte for byte, and what
// those said comes back so.
func TestCorpus_exact(t *testing.T) {
	for _, c := range []struct {
		kinds             []string
		face              providers.Face
		dialect           providers.Dialect
		requests, streams int // at least so many
	}{
		{[]string{"chat"}, openai.Face{}, openai.Dialect{}, 500, 250},
		{[]string{"messages"}, anthropic.Face{}, anthropic.Dialect{}, 500, 200},
		{[]string{"responses"}, responses.Face{}, responses.Dialect{}, 350, 140},
		{[]string{"generateContent", "streamGenerateContent"}, gemini.Face{}, gemini.Dialect{}, 500, 100},
	} {
		t.Run(c.face.Language(), func(t *testing.T) {
			requests, streams := 0, 0
			for _, name := range corpusFiles {
				eachLine(t, corpusFolder(t), name, func(line []byte) {
					o := gjson.ParseBytes(line)
					if kind := o.Get("kind").Str; kind != c.kinds[0] && kind != c.kinds[len(c.kinds)-1] {
						return
					}
					body := o.Get("request_body")
					adds := o.Get("stream").Bool() && !body.Get("stream_options.include_usage").Bool() && c.kinds[0] == "chat"
					if body.IsObject() && o.Get("status").Int() == 200 && !adds { // but for what Chat must be asked for
						requests++
						splicedAsItCame(t, c.dialect, o.Get("id").Str, body.Raw)
					}
					if body := o.Get("response_body"); body.Type == gjson.String && o.Get("status").Int() == 200 {
						streams++
						passedAsItCame(t, c.face, o.Get("id").Str, body.Str)
					}
				})
			}
			t.Logf("%d requests, %d streams", requests, streams)
			if requests < c.requests || streams < c.streams {
				t.Errorf("only %d requests and %d streams", requests, streams)
			}
		})
	}
}

// splicedAsItCame gives the model another name, and looks for what else has changed.
func splicedAsItCame(t *testing.T, dialect providers.Dialect, id, body string) {
	t.Helper()
	var doc providers.Document
	if err := doc.Scan([]byte(body), nil); err != nil {
		t.Errorf("%s: %v", id, err)
		return
	}
	want := body
	if model := doc.Field("model"); model != nil {
		want = body[:model.Start] + `"another"` + body[model.End:]
		if strings.HasPrefix(body[model.Start:], `"models/`) {
			want = body[:model.Start] + `"models/another"` + body[model.End:]
		}
	} else if dialect != (gemini.Dialect{}) { // it stood in the path of another cloud
		want = strings.TrimSuffix(body, "}") + `,"model":"another"}`
	}
	stream, _, _ := doc.Bool("stream")
	plan, err := dialect.Splice(&providers.Call{Op: providers.OpChat, Doc: &doc, Model: "another", Path: "/path", Stream: stream})
	if err != nil {
		t.Errorf("%s: %v", id, err)
		return
	}
	if got := string(plan.Requests[0].Whole()); got != want || len(plan.Dropped) > 0 {
		t.Errorf("%s: sent %s for %s, dropped %q", id, brief(got), brief(body), plan.Dropped)
	}
}

// passedAsItCame has every byte of a stream belong to one of its events, in their order.
func passedAsItCame(t *testing.T, face providers.Face, id, body string) {
	t.Helper()
	var out []byte
	writer := face.Writer(&providers.Call{Stream: true})
	err := providertest.Frames(true, bytes.NewReader([]byte(body)), func(raw, data []byte) {
		out = append(out, raw...)
		writer.Passed(data)
	})
	if err != nil || string(out) != body {
		t.Errorf("%s: %d bytes of %d, %v", id, len(out), len(body), err)
	}
}
