package catalog_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/mistral"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
)

// Recorded images and sounds come out of the pairs as they are, with their usage.
func TestCorpus_media(t *testing.T) {
	folder := corpusFolder(t)
	images, sounds := 0, 0
	eachRecord(t, folder, "gemini", func(r *record) {
		body, stream := r.wire(t)
		switch at := "candidates.0.content.parts.#.inlineData|0."; {
		case r.Status != 200:
		case !stream && strings.HasPrefix(gjson.GetBytes(body, at+"mimeType").Str, "image/"):
			images++
			said, err := gemini.Images().Read(mediaCall(t, r, providers.OpImages, `{"prompt":"a cat"}`), [][]byte{body})
			data := gjson.GetBytes(body, at+"data").Str
			if err != nil || gjson.GetBytes(said.Body, "data.0.b64_json").Str != data || said.Usage.Total().ImageOut == 0 || said.Usage.Total().Output < said.Usage.Total().ImageOut {
				t.Errorf("%s: %v, %s", r.ID, err, brief(string(said.Body)))
			}
		case stream && bytes.Contains(body, []byte(`"audio/L16`)):
			sounds++
			spoken(t, r, body)
		}
	})
	eachRecord(t, folder, "other", func(r *record) {
		if sound := gjson.GetBytes(r.Body, "audio_data").Str; r.Kind == "audio" && sound != "" {
			sounds++
			said, err := mistral.Speech().Read(mediaCall(t, r, providers.OpSpeech, `{"input":"Hi.","voice":"v"}`), [][]byte{r.Body})
			if err != nil || base64.StdEncoding.EncodeToString(said.Body) != sound || said.Type != "audio/mpeg" {
				t.Errorf("%s: %v, %d bytes of %s", r.ID, err, len(said.Body), said.Type)
			}
		}
	})
	if images < 2 || sounds < 2 {
		t.Errorf("only %d images and %d sounds", images, sounds)
	}
}

func mediaCall(t *testing.T, r *record, op providers.Op, body string) *providers.Call {
	t.Helper()
	doc := new(providers.Document)
	if err := doc.Scan([]byte(body), nil); err != nil {
		t.Fatal(err)
	}
	call := r.call(false)
	call.Op, call.Doc = op, doc
	return call
}

// spoken holds a stream of samples to what OpenAI's clients get of it.
func spoken(t *testing.T, r *record, body []byte) {
	t.Helper()
	call := mediaCall(t, r, providers.OpSpeech, `{"input":"Hi.","voice":"v","response_format":"pcm"}`)
	call.Stream = true
	writer := gemini.Speech(openai.Face{}.Broken).Stream(call)
	decoder := gemini.Dialect{}.ReadReply(call)
	var got, want []byte
	var events []providers.Event
	err := providertest.Frames(true, bytes.NewReader(body), func(_, data []byte) {
		if data == nil {
			return
		}
		for _, part := range gjson.GetBytes(data, "candidates.0.content.parts").Array() {
			raw, err := base64.StdEncoding.DecodeString(part.Get("inlineData.data").Str)
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, raw...)
		}
		events = decoder.Decode(events[:0], data)
		for i := range events {
			got = writer.Write(got, &events[i])
		}
	})
	events = decoder.Close(events[:0])
	for i := range events {
		got = writer.Write(got, &events[i])
	}
	var heard []byte
	var last gjson.Result
	for line := range strings.Lines(string(got)) {
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			last = gjson.Parse(data)
			raw, _ := base64.StdEncoding.DecodeString(last.Get("audio").Str)
			heard = append(heard, raw...)
		}
	}
	if err != nil || !bytes.Equal(heard, want) || last.Get("type").Str != "speech.audio.done" || last.Get("usage.output_tokens").Int() == 0 {
		t.Errorf("%s: %v, %d bytes of %d, %s", r.ID, err, len(heard), len(want), last)
	}
}
