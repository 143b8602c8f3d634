package main_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers/mock"
)

// mediaCases is how many cases the script of OpenAI's client for Node.js has.
const mediaCases = 15

// billed gives what the emulator billed for a model.
func (r *running) billed(model string) mock.BillLine {
	for _, l := range r.mock.Bill() {
		if l.Model == model {
			return l
		}
	}
	return mock.BillLine{}
}

// recording is a sound with a name, as clients want one.
func recording(name string, bytesOf int) io.Reader {
	return openai.File(strings.NewReader(strings.Repeat("a", bytesOf)), name, "audio/mpeg")
}

func TestGoClient_Media(t *testing.T) {
	t.Parallel()
	r := start(t, "")
	client := goClient(r, fullKey)
	t.Run("speech", func(t *testing.T) { goSpeech(t, r, client) })
	t.Run("transcription", func(t *testing.T) { goTranscription(t, r, client) })
	t.Run("images", func(t *testing.T) { goImages(t, r, client) })
	t.Run("moderation", func(t *testing.T) {
		got, err := client.Moderations.New(t.Context(), openai.ModerationNewParams{
			Model: "chat/judge", Input: openai.ModerationNewParamsInputUnion{OfStringArray: []string{"kind words", "violence"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Results) != 2 || got.Results[0].Flagged || !got.Results[1].Flagged || !got.Results[1].Categories.Violence {
			t.Errorf("%s", got.RawJSON())
		}
	})
}

func goSpeech(t *testing.T, r *running, client openai.Client) {
	ask := openai.AudioSpeechNewParams{
		Model: "chat/tts-1", Input: "one two three", ResponseFormat: openai.AudioSpeechNewParamsResponseFormatWAV,
		Voice: openai.AudioSpeechNewParamsVoiceUnion{OfString: openai.String("ash")},
	}
	got, err := client.Audio.Speech.New(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	sound, err := io.ReadAll(got.Body)
	if err != nil || got.Header.Get("Content-Type") != "audio/wav" || !bytes.HasPrefix(sound, []byte("RIFF")) || len(sound) != 44+3*960 {
		t.Errorf("%d bytes of %s, %v", len(sound), got.Header.Get("Content-Type"), err)
	}
	if l := r.billed("tts-1"); l.Characters != 13 {
		t.Errorf("billed %+v", l)
	}
	ask.Model = "chat/missing-one"
	var refused *openai.Error
	if _, err := client.Audio.Speech.New(t.Context(), ask); !errors.As(err, &refused) || refused.StatusCode != 404 || refused.Code != "model_not_found" {
		t.Errorf("an unknown model: %v", err)
	}
	// A sound that breaks off is an error, never a short sound.
	ask.Model = "chat/tts-1"
	cut, err := client.Audio.Speech.New(t.Context(), ask, told("cut=1"))
	if err == nil {
		defer cut.Body.Close()
		_, err = io.ReadAll(cut.Body)
	}
	if err == nil {
		t.Error("half a sound was taken for the whole")
	}
}

func goTranscription(t *testing.T, r *running, client openai.Client) {
	whole, err := client.Audio.Transcriptions.New(t.Context(), openai.AudioTranscriptionNewParams{
		File: recording("a.mp3", 48_000), Model: "chat/whisper-1", ResponseFormat: openai.AudioResponseFormatVerboseJSON, TimestampGranularities: []string{"word"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if whole.Text == "" || len(whole.Words) == 0 || len(whole.Segments) != 1 || whole.Duration != 3 {
		t.Errorf("%s", whole.RawJSON())
	}
	if l := r.billed("whisper-1"); l.Seconds != 3 {
		t.Errorf("billed %+v", l)
	}
	stream := client.Audio.Transcriptions.NewStreaming(t.Context(), openai.AudioTranscriptionNewParams{
		File: recording("a.mp3", 16_000), Model: "chat/listener", ResponseFormat: openai.AudioResponseFormatJSON,
	})
	text, done := "", openai.TranscriptionStreamEventUnion{}
	for stream.Next() {
		done = stream.Current()
		text += done.Delta
	}
	if err := stream.Err(); err != nil || text == "" || done.Type != "transcript.text.done" || done.Text != text || done.Usage.OutputTokens == 0 {
		t.Errorf("%q, %s, %v", text, done.RawJSON(), err)
	}
	english, err := client.Audio.Translations.New(t.Context(), openai.AudioTranslationNewParams{File: recording("a.mp3", 16_000), Model: "chat/whisper-1"}) //nolint:staticcheck // it is served as long as clients have it
	if err != nil || english.Text == "" {
		t.Errorf("%+v, %v", english, err)
	}
	var refused *openai.Error
	if _, err := client.Audio.Transcriptions.New(t.Context(), openai.AudioTranscriptionNewParams{
		File: recording("a.txt", 10), Model: "chat/whisper-1",
	}); !errors.As(err, &refused) || refused.StatusCode != 400 || refused.Param != "file" {
		t.Errorf("a text as a sound: %v", err)
	}
}

func goImages(t *testing.T, r *running, client openai.Client) {
	_, dot, _ := strings.Cut(pixelURL, ",")
	pixel, err := base64.StdEncoding.DecodeString(dot)
	if err != nil {
		t.Fatal(err)
	}
	made, err := client.Images.Generate(t.Context(), openai.ImageGenerateParams{
		Model: "chat/painter", Prompt: "a cat", N: openai.Int(2), Size: openai.ImageGenerateParamsSize1536x1024,
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(made.Data) != 2 || made.Data[0].B64JSON == "" || made.Usage.TotalTokens == 0 || made.Size != "1536x1024" {
		t.Errorf("%s", made.RawJSON())
	}
	stream := client.Images.GenerateStreaming(t.Context(), openai.ImageGenerateParams{
		Model: "chat/painter", Prompt: "a cat", PartialImages: openai.Int(2),
	})
	var kinds []string
	for stream.Next() {
		ev := stream.Current()
		if kinds = append(kinds, ev.Type); ev.B64JSON == "" {
			t.Errorf("%s has no image", ev.Type)
		}
	}
	const partial = "image_generation.partial_image"
	if err := stream.Err(); err != nil || strings.Join(kinds, " ") != partial+" "+partial+" image_generation.completed" {
		t.Errorf("%q, %v", kinds, err)
	}
	edited, err := client.Images.Edit(t.Context(), openai.ImageEditParams{
		Model: "chat/painter", Prompt: "a dog", Image: openai.ImageEditParamsImageUnion{
			OfFileArray: []io.Reader{openai.File(bytes.NewReader(pixel), "a.png", "image/png"), openai.File(bytes.NewReader(pixel), "b.png", "image/png")},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(edited.Data) != 1 || edited.Usage.InputTokensDetails.ImageTokens == 0 {
		t.Errorf("%s", edited.RawJSON())
	}
	if _, err := client.Images.NewVariation(t.Context(), openai.ImageNewVariationParams{ //nolint:staticcheck // as above
		Model: "chat/dall-e-2", Image: openai.File(bytes.NewReader(pixel), "a.png", "image/png"),
	}); err != nil {
		t.Error(err)
	}
	if l := r.billed("dall-e-2"); l.Images != 1 {
		t.Errorf("billed %+v", l)
	}
}

// inference is Hugging Face, as the emulator plays it.
const inference = `  - {name: huggingface, base_url: "http://EMULATOR/openai/v1", api_key: any}`

// OpenAI's client makes sounds and images with models of Gemini's language.
func TestGoClient_MediaOfGemini(t *testing.T) {
	t.Parallel()
	r := start(t, "")
	client := goClient(r, fullKey)
	t.Run("speech", func(t *testing.T) { goGeminiSpeech(t, client) })
	t.Run("images", func(t *testing.T) { goGeminiImages(t, r, client) })
}

func goGeminiSpeech(t *testing.T, client openai.Client) {
	ask := openai.AudioSpeechNewParams{
		Model: "mock/gemini", Input: "one two three", ResponseFormat: openai.AudioSpeechNewParamsResponseFormatWAV,
		Voice: openai.AudioSpeechNewParamsVoiceUnion{OfString: openai.String("Kore")},
	}
	read := func(more ...option.RequestOption) (string, []byte) {
		t.Helper()
		got, err := client.Audio.Speech.New(t.Context(), ask, more...)
		if err != nil {
			t.Fatal(err)
		}
		defer got.Body.Close()
		sound, err := io.ReadAll(got.Body)
		if err != nil {
			t.Fatal(err)
		}
		return got.Header.Get("Content-Type"), sound
	}
	kind, whole := read(told("events=3"))
	if kind != "audio/wav" || !bytes.HasPrefix(whole, []byte("RIFF")) || len(whole) != 44+3*960 {
		t.Errorf("%d bytes of %s", len(whole), kind)
	}
	ask.StreamFormat = openai.AudioSpeechNewParamsStreamFormatSSE
	kind, events := read(told("events=3; output=7"))
	var streamed []byte
	var last gjson.Result
	for line := range strings.Lines(string(events)) {
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			last = gjson.Parse(data)
			piece, err := base64.StdEncoding.DecodeString(last.Get("audio").Str)
			if err != nil {
				t.Fatal(err)
			}
			streamed = append(streamed, piece...)
		}
	}
	if !strings.HasPrefix(kind, "text/event-stream") || len(streamed) != len(whole) || !bytes.Equal(streamed[44:], whole[44:]) {
		t.Errorf("%d bytes by events of %s, %d whole", len(streamed), kind, len(whole))
	}
	if last.Get("type").Str != "speech.audio.done" || last.Get("usage.output_tokens").Int() != 7 {
		t.Errorf("the last event is %s", last)
	}
	// A stream that breaks off ends with an error, never with its end.
	if _, events = read(told("events=9; cut=3")); bytes.Count(events, []byte("speech.audio.delta")) < 3 ||
		bytes.Contains(events, []byte("speech.audio.done")) || !strings.Contains(string(events), `data: {"error":{`) {
		t.Errorf("a stream that broke off: %.200s … %s", events, events[max(0, len(events)-200):])
	}
	refused := func(param string) {
		t.Helper()
		var got *openai.Error
		if _, err := client.Audio.Speech.New(t.Context(), ask); !errors.As(err, &got) || got.StatusCode != 400 || got.Param != param {
			t.Errorf("%v, want a 400 for %q", err, param)
		}
	}
	ask.ResponseFormat = ""
	refused("response_format")
	ask.ResponseFormat, ask.Voice.OfString = openai.AudioSpeechNewParamsResponseFormatPCM, openai.String("ash")
	refused("") // in the provider's own words
}

func goGeminiImages(t *testing.T, r *running, client openai.Client) {
	made, err := client.Images.Generate(t.Context(), openai.ImageGenerateParams{
		Model: "mock/gemini", Prompt: "a cat", N: openai.Int(2), Size: openai.ImageGenerateParamsSize1536x1024,
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(made.Data) != 2 || made.Data[0].B64JSON == "" || made.Usage.TotalTokens == 0 || made.OutputFormat != "png" {
		t.Errorf("%s", made.RawJSON())
	}
	stream := client.Images.GenerateStreaming(t.Context(), openai.ImageGenerateParams{Model: "mock/gemini", Prompt: "a cat"})
	kinds := ""
	for stream.Next() {
		kinds += stream.Current().Type
	}
	if err := stream.Err(); err != nil || kinds != "image_generation.completed" {
		t.Errorf("%q, %v", kinds, err)
	}
	// The file goes into the body as base64, of every length.
	for size := range 4 {
		content := strings.Repeat("x", 9000+size)
		edited, err := client.Images.Edit(t.Context(), openai.ImageEditParams{
			Model: "mock/gemini", Prompt: "a dog", Image: openai.ImageEditParamsImageUnion{OfFile: openai.File(strings.NewReader(content), "a.png", "image/png")},
		})
		if err != nil {
			t.Fatal(err)
		}
		calls := r.mock.Calls()
		sent := gjson.GetBytes(calls[len(calls)-1].Body, "contents.0.parts.0.inlineData")
		if sent.Get("data").Str != base64.StdEncoding.EncodeToString([]byte(content)) || sent.Get("mimeType").Str != "image/png" || len(edited.Data) != 1 {
			t.Errorf("%d bytes became %.80s", len(content), sent)
		}
	}
}

// OpenAI's client makes images and has sounds written down by Hugging Face's inference.
func TestGoClient_MediaOfHuggingFace(t *testing.T) {
	t.Parallel()
	r := startWith(t, inference, "")
	client := goClient(r, fullKey)
	made, err := client.Images.Generate(t.Context(), openai.ImageGenerateParams{Model: "huggingface/a/painter", Prompt: "a cat", Size: "512x768"})
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := base64.StdEncoding.DecodeString(made.Data[0].B64JSON); err != nil || !bytes.HasPrefix(raw, []byte("\xff\xd8")) {
		t.Errorf("%s", made.RawJSON())
	}
	hear := func(format openai.AudioResponseFormat) *openai.AudioTranscriptionNewResponseUnion {
		t.Helper()
		got, err := client.Audio.Transcriptions.New(t.Context(), openai.AudioTranscriptionNewParams{
			File: recording("a.mp3", 48_000), Model: "huggingface/openai/whisper-large-v3", ResponseFormat: format,
		})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := hear(openai.AudioResponseFormatJSON); got.Text != "This is the mock provider." {
		t.Errorf("%s", got.RawJSON())
	}
	calls := r.mock.Calls()
	if last := calls[len(calls)-1]; len(last.Body) != 48_000 || !slices.Contains(last.Headers, "Content-Type: audio/mpeg") {
		t.Errorf("%d bytes were sent, %q", len(last.Body), last.Headers)
	}
	if got := hear(openai.AudioResponseFormatVerboseJSON); len(got.Segments) != 1 || got.Duration != 3 {
		t.Errorf("%s", got.RawJSON())
	}
	var refused *openai.Error
	if _, err := client.Audio.Translations.New(t.Context(), openai.AudioTranslationNewParams{ //nolint:staticcheck // as above
		File: recording("a.mp3", 10), Model: "huggingface/openai/whisper-large-v3",
	}); !errors.As(err, &refused) || refused.StatusCode != 404 {
		t.Errorf("a translation: %v", err)
	}
}

// An image that a model of Gemini's answers a chat with reaches the clients of every language.
func TestImagesInChats(t *testing.T) {
	t.Parallel()
	r := startWith(t, `  - {name: gemini, base_url: "http://EMULATOR/gemini/v1beta", api_key: any}`, "")
	f := func(path, body, at, begins string) {
		t.Helper()
		status, got := r.post(t, path, fullKey, strings.NewReader(body), "x-api-key", fullKey, "anthropic-version", "2023-06-01")
		if said := gjson.Get(got, at).String(); status != 200 || !strings.HasPrefix(said, begins) {
			t.Errorf("%s: %d %.300s", path, status, got)
		}
	}
	const png, model = "iVBORw0KGgo", "gemini/gemini-3.1-flash-image"
	chat := `{"model":"` + model + `","max_tokens":500,"messages":[{"role":"user","content":"Draw a cat."}]`
	f("/v1/chat/completions", chat+`}`, "choices.0.message.images.0.image_url.url", "data:image/png;base64,"+png)
	f("/v1/responses", `{"model":"`+model+`","input":"Draw a cat."}`, `output.#(type=="image_generation_call").result`, png)
	f("/anthropic/v1/messages", chat+`}`, `content.#(type=="image").source.data`, png)
	f("/gemini/v1beta/models/"+model+":generateContent", `{"contents":[{"parts":[{"text":"Draw a cat."}]}]}`,
		"candidates.0.content.parts.0.inlineData.data", png)
	_, stream := r.post(t, "/v1/chat/completions", fullKey, strings.NewReader(chat+`,"stream":true}`))
	if !strings.Contains(stream, `"images":[{"index":0,"type":"image_url","image_url":{"url":"data:image/png;base64,`+png) {
		t.Errorf("%.300s", stream)
	}
}

func TestNodeClient_Media(t *testing.T) {
	t.Parallel()
	needNode(t)
	r := start(t, "")
	runNode(t, r, nodeFolder, "media.mjs", mediaCases)
	eventually(t, "all upstream calls end", func() bool { return r.mock.Open() == 0 })
}
