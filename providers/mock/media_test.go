package mock

import (
	"bytes"
	"context"
	"encoding/base64"
	"image/png"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

// form posts a form: fields as pairs of names and values, and files as names, file names and
// contents.
func (r *rig) form(path string, fields []string, files ...[3]string) reply {
	r.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(fields); i += 2 {
		if err := w.WriteField(fields[i], fields[i+1]); err != nil {
			r.t.Fatal(err)
		}
	}
	for _, f := range files {
		part, err := w.CreateFormFile(f[0], f[1])
		if err != nil {
			r.t.Fatal(err)
		}
		if _, err := part.Write([]byte(f[2])); err != nil {
			r.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		r.t.Fatal(err)
	}
	req := r.request(context.Background(), path, "", b.String())
	req.Header.Set("Content-Type", w.FormDataContentType())
	return r.do(req)
}

func TestSpeech(t *testing.T) {
	r := newRig(t)
	path := OpenAIPath + "/audio/speech"
	body := func(more string) string {
		return `{"model":"speaker","input":"one two three","voice":"ash"` + more + `}`
	}
	f := func(format, contentType, begins string) {
		t.Helper()
		got := r.post(path, "", body(`,"response_format":"`+format+`"`))
		if got.status != 200 || got.head.Get("Content-Type") != contentType || !strings.HasPrefix(got.body, begins) {
			t.Errorf("%s: %d %q begins with %.8q", format, got.status, got.head.Get("Content-Type"), got.body)
		}
	}
	f("mp3", "audio/mpeg", "\xff\xfb")
	f("wav", "audio/wav", "RIFF")
	f("pcm", "audio/pcm", "\x00\x00")
	f("opus", "audio/opus", "OggS")
	f("aac", "audio/aac", "\xff\xf1")
	f("flac", "audio/flac", "fLaC")
	wave := r.post(path, "", body(`,"response_format":"wav"`)).body
	if n := len(wave); n != 44+3*960 || duration([]byte(wave)) != 1 {
		t.Errorf("%d bytes, %d seconds", n, duration([]byte(wave)))
	}
	events := r.events(path, "output=5", body(`,"response_format":"wav","stream_format":"sse"`))
	streamed := ""
	for _, e := range events[:len(events)-1] {
		raw, err := base64.StdEncoding.DecodeString(gjson.Get(e, "audio").Str)
		if err != nil || gjson.Get(e, "type").Str != "speech.audio.delta" {
			t.Fatalf("%v: %s", err, e)
		}
		streamed += string(raw)
	}
	last := gjson.Parse(events[len(events)-1])
	if streamed != wave || last.Get("type").Str != "speech.audio.done" || last.Get("usage.output_tokens").Int() != 5 {
		t.Errorf("%d bytes were streamed, %s", len(streamed), last)
	}
	r.server.ResetBill()
	r.post(path, "", `{"model":"tts-1","input":"äöü","voice":"ash"}`)
	if l := r.bill("tts-1"); l.Characters != 3 || l.Output != 0 || l.NanoUSD() != 3*CharacterPrice {
		t.Errorf("%+v", l)
	}
	for _, bad := range []string{
		body(`,"speed":5`), body(`,"response_format":"ogg"`), `{"model":"m","input":"a"}`, `{"model":"m","voice":"ash"}`,
		`{"model":"m","voice":"ash","input":"` + strings.Repeat("a", 4097) + `"}`,
	} {
		if got := r.post(path, "", bad); got.status != 400 {
			t.Errorf("%.60s: %d", bad, got.status)
		}
	}
	if got := r.post(path, "", `{"model":"tts-1","input":"a","voice":"ash","stream_format":"sse"}`); got.status != 400 {
		t.Errorf("tts-1 streamed: %d", got.status)
	}
}

func TestTranscription(t *testing.T) {
	r := newRig(t)
	path, sound := OpenAIPath+"/audio/transcriptions", strings.Repeat("a", 32_000)
	f := func(format, contentType, holds string) {
		t.Helper()
		got := r.form(path, []string{"model", "whisper-1", "response_format", format}, [3]string{"file", "a.mp3", sound})
		if got.status != 200 || got.head.Get("Content-Type") != contentType || !strings.Contains(got.body, holds) {
			t.Errorf("%s: %d %q %s", format, got.status, got.head.Get("Content-Type"), got.body)
		}
	}
	f("json", "application/json", `{"text":"This is the mock provider.","usage":{"type":"duration","seconds":2}}`)
	f("text", "text/plain; charset=utf-8", "This is the mock provider.\n")
	f("srt", "text/plain; charset=utf-8", "1\n00:00:00,000 --> 00:00:02,000\nThis is the mock provider.\n")
	f("vtt", "text/vtt; charset=utf-8", "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n")
	f("verbose_json", "application/json", `"duration":2,"text":"This is the mock provider.","segments":[{"id":0,`)
	if l := r.bill("whisper-1"); l.Calls != 5 || l.Seconds != 10 || l.NanoUSD() != 10*SecondPrice {
		t.Errorf("%+v", l)
	}
	got := r.form(path, []string{"model", "whisper-1", "response_format", "verbose_json", "timestamp_granularities[]", "word"}, [3]string{"file", "a.mp3", sound})
	if words := gjson.Get(got.body, "words.#.word").Raw; words != `["This","is","the","mock","provider."]` {
		t.Errorf("%s", got.body)
	}
	events := dataOf(t, r.form(path, []string{"model", "listener", "stream", "true"}, [3]string{"file", "a.mp3", sound}).body)
	text, last := "", gjson.Parse(events[len(events)-1])
	for _, e := range events {
		text += gjson.Get(e, "delta").Str
	}
	if text != last.Get("text").Str || last.Get("type").Str != "transcript.text.done" || last.Get("usage.input_token_details.audio_tokens").Int() != 20 {
		t.Errorf("%q, %s", text, last)
	}
	if l := r.bill("listener"); l.Input != 20 || l.Output != int64(len(events)-1) {
		t.Errorf("%+v", l)
	}
	if got := r.form(OpenAIPath+"/audio/translations", []string{"model", "whisper-1"}, [3]string{"file", "a.wav", sound}); got.body != `{"text":"This is the mock provider."}` {
		t.Errorf("%s", got.body)
	}
	bad := func(param string, fields []string, files ...[3]string) {
		t.Helper()
		if got := r.form(path, fields, files...); got.status != 400 || gjson.Get(got.body, "error.param").Str != param {
			t.Errorf("%q: %d %s", fields, got.status, got.body)
		}
	}
	bad("file", []string{"model", "whisper-1"})
	bad("file", []string{"model", "whisper-1"}, [3]string{"file", "a.txt", sound})
	bad("model", []string{"language", "en"}, [3]string{"file", "a.mp3", sound})
	bad("response_format", []string{"model", "listener", "response_format", "srt"}, [3]string{"file", "a.mp3", sound})
	bad("timestamp_granularities", []string{"model", "whisper-1", "timestamp_granularities[]", "word"}, [3]string{"file", "a.mp3", sound})
}

func TestImages(t *testing.T) {
	r := newRig(t)
	path := OpenAIPath + "/images/generations"
	got := r.ok(path, "", `{"model":"painter","prompt":"a cat","n":2,"size":"1536x1024","quality":"low"}`)
	images := got.Get("data.#.b64_json").Array()
	if len(images) != 2 || images[0].Str == images[1].Str || got.Get("size").Str != "1536x1024" || got.Get("usage.output_tokens").Int() != 2 {
		t.Fatalf("%s", got)
	}
	raw, err := base64.StdEncoding.DecodeString(images[0].Str)
	if err != nil {
		t.Fatal(err)
	}
	if dots, err := png.Decode(bytes.NewReader(raw)); err != nil || dots.Bounds().Dx() != 8 {
		t.Errorf("%v", err)
	}
	events := r.events(path, "", `{"model":"painter","prompt":"a cat","stream":true,"partial_images":2}`)
	var kinds []string
	for _, e := range events {
		kinds = append(kinds, gjson.Get(e, "type").Str)
	}
	if strings.Join(kinds, " ") != "image_generation.partial_image image_generation.partial_image image_generation.completed" ||
		gjson.Get(events[2], "usage.total_tokens").Int() == 0 || gjson.Get(events[1], "partial_image_index").Int() != 1 {
		t.Errorf("%q", events)
	}
	old := r.ok(path, "", `{"prompt":"a cat","n":3}`)
	if l := r.bill("dall-e-2"); len(old.Get("data.#.url").Array()) != 3 || l.Images != 3 || l.NanoUSD() != 3*ImagePrice {
		t.Errorf("%s, %+v", old, l)
	}
	edit := r.form(OpenAIPath+"/images/edits", []string{"model", "painter", "prompt", "a dog", "n", "1"}, [3]string{"image[]", "a.png", "x"}, [3]string{"image[]", "b.png", "y"})
	if u := gjson.Get(edit.body, "usage.input_tokens_details.image_tokens").Int(); u != 2*imageTokens {
		t.Errorf("%d %s", u, edit.body)
	}
	if got := r.form(OpenAIPath+"/images/variations", nil, [3]string{"image", "a.png", "x"}); got.status != 200 {
		t.Errorf("%s", got.body)
	}
	bad := func(param, body string) {
		t.Helper()
		if got := r.post(path, "", body); got.status != 400 || gjson.Get(got.body, "error.param").Str != param {
			t.Errorf("%s: %d %s", body, got.status, got.body)
		}
	}
	bad("prompt", `{"model":"painter"}`)
	bad("n", `{"model":"painter","prompt":"a","n":11}`)
	bad("partial_images", `{"model":"painter","prompt":"a","partial_images":1}`)
	bad("response_format", `{"model":"painter","prompt":"a","response_format":"url"}`)
	bad("output_format", `{"model":"painter","prompt":"a","output_format":"bmp"}`)
	if got := r.form(OpenAIPath+"/images/edits", []string{"model", "painter", "prompt", "a"}); got.status != 400 {
		t.Errorf("an edit of nothing: %d", got.status)
	}
}

func TestModeration(t *testing.T) {
	r := newRig(t)
	f := func(input string, flagged ...bool) {
		t.Helper()
		got := r.ok(OpenAIPath+"/moderations", "", `{"input":`+input+`}`)
		results := got.Get("results").Array()
		if len(results) != len(flagged) {
			t.Fatalf("%s: %s", input, got)
		}
		for i, one := range results {
			if one.Get("flagged").Bool() != flagged[i] || one.Get("categories.violence").Bool() != flagged[i] {
				t.Errorf("%s: result %d is %s", input, i, one)
			}
		}
	}
	f(`"kind words"`, false)
	f(`["kind words","Violence!"]`, false, true)
	f(`[{"type":"text","text":"violence"},{"type":"image_url","image_url":{"url":"data:,"}}]`, true)
	if lines := r.server.Bill(); len(lines) != 0 {
		t.Errorf("it is free: %+v", lines)
	}
	if got := r.post(OpenAIPath+"/moderations", "", `{"input":[]}`); got.status != 400 {
		t.Errorf("%d", got.status)
	}
}

func TestGenerate_Media(t *testing.T) {
	r := newRig(t)
	ask := func(config string) string {
		return `{"contents":[{"parts":[{"text":"one two three"}]}],"generationConfig":{` + config + `}}`
	}
	path := func(model, method string) string { return GeminiPath + "/models/" + model + ":" + method }
	got := r.ok(path("painter", "generateContent"), "", ask(`"responseModalities":["IMAGE"],"imageConfig":{"aspectRatio":"16:9","imageSize":"2K"}`))
	if got.Get("candidates.0.content.parts.0.inlineData.mimeType").Str != "image/png" || got.Get("usageMetadata.candidatesTokensDetails.0.modality").Str != "IMAGE" {
		t.Errorf("%s", got)
	}
	speech := ask(`"responseModalities":["AUDIO"],"speechConfig":{"voiceConfig":{"prebuiltVoiceConfig":{"voiceName":"Kore"}}}`)
	whole := r.ok(path("speaker", "generateContent"), "", speech).Get("candidates.0.content.parts.0.inlineData")
	pcm, err := base64.StdEncoding.DecodeString(whole.Get("data").Str)
	if err != nil || whole.Get("mimeType").Str != "audio/L16;codec=pcm;rate=24000" || len(pcm)%960 != 0 {
		t.Errorf("%v, %d bytes of %s", err, len(pcm), whole.Get("mimeType"))
	}
	if wave := r.ok(path("gemini-3.8-flash-tts", "generateContent"), "", speech).Get("candidates.0.content.parts.0.inlineData.mimeType"); wave.Str != "audio/wav" {
		t.Errorf("%s", wave)
	}
	streamed := ""
	for _, e := range r.events(path("speaker", "streamGenerateContent?alt=sse"), "", speech) {
		raw, err := base64.StdEncoding.DecodeString(gjson.Get(e, "candidates.0.content.parts.0.inlineData.data").Str)
		if err != nil {
			t.Fatal(err)
		}
		streamed += string(raw)
	}
	if streamed != string(pcm) {
		t.Errorf("%d bytes streamed, %d whole", len(streamed), len(pcm))
	}
	for _, config := range []string{
		`"responseModalities":["SMELL"]`, `"imageConfig":{"aspectRatio":"7:1"}`, `"imageConfig":{"imageSize":"8K"}`,
		`"speechConfig":{"voiceConfig":{"prebuiltVoiceConfig":{"voiceName":"ash"}}}`,
	} {
		if got := r.post(path("m", "generateContent"), "", ask(config)); got.status != 400 {
			t.Errorf("%s: %d", config, got.status)
		}
	}
}

func TestInference(t *testing.T) {
	r := newRig(t)
	post := func(path, contentType, body string) reply {
		t.Helper()
		req := r.request(context.Background(), inferencePath+path, "", body)
		req.Header.Set("Authorization", "Bearer good")
		req.Header.Set("Content-Type", contentType)
		return r.do(req)
	}
	if got := post("a/painter", "application/json", `{"inputs":"a cat","parameters":{"width":512}}`); got.head.Get("Content-Type") != "image/jpeg" || !strings.HasPrefix(got.body, "\xff\xd8") {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := post("openai/whisper-large-v3", "audio/mpeg", "sound"); got.body != `{"text":"This is the mock provider."}` {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := post("openai/whisper-large-v3", "application/json", `{"inputs":"AAAA","parameters":{"return_timestamps":true}}`); gjson.Get(got.body, "chunks.0.timestamp.1").Int() != 1 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := post("a/b/pipeline/feature-extraction", "application/json", `{"inputs":["a","b"]}`); len(gjson.Parse(got.body).Array()) != 2 {
		t.Errorf("%d %s", got.status, got.body)
	}
	for _, bad := range [][3]string{
		{"a/painter", "application/json", `{"inputs":""}`}, {"a/painter", "application/json", `{"inputs":"a","parameters":{"width":1}}`},
		{"a/whisper", "text/html", "sound"}, {"a/whisper", "application/json", `{"inputs":"?"}`},
	} {
		if got := post(bad[0], bad[1], bad[2]); got.status != 400 || gjson.Get(got.body, "error").Str == "" {
			t.Errorf("%q: %d %s", bad, got.status, got.body)
		}
	}
	if got := post("missing", "application/json", `{"inputs":"a"}`); got.status != 404 {
		t.Errorf("%d", got.status)
	}
}
