package gemini

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/media"
)

// Images serves OpenAI's images, made out of a text or out of other images, by generateContent of
// the models that answer with images. Imagen and its :predict were shut down in August 2026.
// Source: https://ai.google.dev/gemini-api/docs/image-generation and
// https://ai.google.dev/gemini-api/docs/deprecations
func Images() *providers.Pair {
	return &providers.Pair{Client: "openai", Write: writeImages, Read: readImages}
}

// ratios are those that a model of any generation takes.
func ratios() []string {
	return []string{"1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9"}
}

func writeImages(call *providers.Call) (providers.Plan, error) {
	asked, err := media.ReadImages(call, "images")
	if err != nil {
		return providers.Plan{}, err
	}
	aspect, err := asked.Aspect(ratios()...)
	if err != nil {
		return providers.Plan{}, err
	}
	var w body
	w.open('{')
	w.key("contents")
	w.open('[')
	w.open('{')
	w.field("role", "user")
	w.key("parts")
	w.open('[')
	files, err := picturesOf(&w, call, asked.Edit)
	if err != nil {
		return providers.Plan{}, err
	}
	w.textPart(asked.Prompt, nil)
	w.b = append(w.b, "]}]"...)
	w.key("generationConfig")
	w.open('{')
	w.rawField("responseModalities", []byte(`["IMAGE"]`))
	if aspect != "" {
		w.key("imageConfig")
		w.open('{')
		w.field("aspectRatio", aspect)
		if size := imageSize(max(asked.Width, asked.Height)); size != "" {
			w.field("imageSize", size)
		}
		w.shut('}')
	}
	w.b = append(w.b, "}}"...)
	plan := providers.Plan{Dropped: asked.Dropped}
	for range asked.N { // a call makes one image: "Multiple candidates is not enabled for this model"
		plan.Requests = append(plan.Requests, providers.UpstreamRequest{Path: call.Path, Body: w.b, Inline: files})
	}
	return plan, nil
}

// imageSize gives the API's word for the longer side, "" for the size that every model makes.
func imageSize(dots int64) string {
	switch {
	case dots > 2560:
		return "4K"
	case dots > 1792: // the longest of 1K, in 16:9
		return "2K"
	}
	return ""
}

// picturesOf says the images that are to be worked on: files of the client's form, or data URLs.
func picturesOf(w *body, call *providers.Call, edit bool) (files []providers.Inlined, err error) {
	if !edit {
		return nil, nil
	}
	n := 0
	for i, f := range call.Files {
		if f.Field == "mask" || f.Field == "markup" {
			return nil, providers.Invalid(f.Field, "This model's provider takes no "+f.Field+": say in the prompt what is to be changed.")
		}
		kind := f.Type
		if !strings.HasPrefix(kind, "image/") {
			if kind = addressed(&providers.Media{Name: f.Name}, ""); !strings.HasPrefix(kind, "image/") {
				return nil, providers.Invalid(f.Field, "The type of the image is not known: give its file a content type, or a name that ends with .png, .jpg or .webp.")
			}
		}
		inlineData(w, kind, "")
		files = append(files, providers.Inlined{At: len(w.b) - len(`"}}`), File: i})
		n++
	}
	for i, one := range gjson.ParseBytes(call.Doc.Value("images")).Array() {
		kind, data, ok := dataURL(one.Get("image_url").Str)
		if !ok {
			return nil, providers.Invalid(fmt.Sprintf("images[%d]", i), "This model's provider takes images by their bytes only: say a data URL of base64 as the 'image_url'.")
		}
		inlineData(w, kind, data)
		n++
	}
	if n == 0 {
		return nil, providers.Invalid("image", "Missing required parameter: 'image'.")
	}
	return files, nil
}

func inlineData(w *body, kind, data string) {
	w.open('{')
	w.key("inlineData")
	w.open('{')
	w.field("mimeType", kind)
	w.field("data", data)
	w.b = append(w.b, "}}"...)
}

func dataURL(url string) (kind, data string, ok bool) {
	rest, ok := strings.CutPrefix(url, "data:")
	if !ok {
		return "", "", false
	}
	kind, data, ok = strings.Cut(rest, ";base64,")
	return kind, data, ok && strings.HasPrefix(kind, "image/")
}

// readImages reads the images, one of each reply; drafts of thinking models are left out.
func readImages(call *providers.Call, replies [][]byte) (providers.PairReply, error) {
	asked, err := media.ReadImages(call, "images")
	if err != nil {
		return providers.PairReply{}, err
	}
	usage, err := usageOf(replies)
	if err != nil {
		return providers.PairReply{Usage: usage}, err
	}
	var pictures []media.Picture
	for _, reply := range replies {
		before := len(pictures)
		reason, said := generated(gjson.ParseBytes(reply), func(kind, data string) {
			if strings.HasPrefix(kind, "image/") {
				pictures = append(pictures, media.Picture{Type: kind, Data: data})
			}
		})
		if len(pictures) == before {
			return providers.PairReply{Usage: usage}, unmade(call.Op, reason, said)
		}
	}
	return asked.Reply(call, pictures, usage), nil
}

// generated visits the media of a reply, and gives why it has ended and what it says in words.
func generated(reply gjson.Result, visit func(kind, data string)) (reason, text string) {
	reason = blockReason(reply.Get("promptFeedback.blockReason"))
	reply.Get("candidates").ForEach(func(_, candidate gjson.Result) bool {
		if r := finishReason(candidate.Get("finishReason")); r != "" {
			reason = r
		}
		candidate.Get("content.parts").ForEach(func(_, part gjson.Result) bool {
			if data := part.Get("inlineData"); data.IsObject() && !part.Get("thought").Bool() {
				visit(data.Get("mimeType").Str, data.Get("data").Str)
			}
			text += part.Get("text").Str
			return true
		})
		return true
	})
	return reason, text
}

// unmade is a reply without what was asked for.
func unmade(op providers.Op, reason, said string) *providers.Fault {
	switch reason {
	case "", "STOP", "MAX_TOKENS", "OTHER", "IMAGE_OTHER", "NO_IMAGE", "FINISH_REASON_UNSPECIFIED":
	default: // SAFETY, PROHIBITED_CONTENT, IMAGE_SAFETY, RECITATION, …
		return media.Blocked(op, reason)
	}
	const enough = 200
	if len(said) > enough {
		said = strings.ToValidUTF8(said[:enough], "") + "…"
	}
	message := "The model made no image"
	if op == providers.OpSpeech {
		message = "The model made no sound"
	}
	if reason != "" && reason != "STOP" {
		message += " (" + reason + ")"
	}
	if said != "" {
		message += ", and said: " + said
	}
	return &providers.Fault{Kind: providers.FaultUpstream, Retryable: true, Message: message}
}

// usageOf gathers what several calls say of their usage, which adds up. The JSON of a single one
// only is kept.
func usageOf(replies [][]byte) (usage providers.Usage, err error) {
	for _, reply := range replies {
		if !providers.ValidJSON(reply) {
			return usage, broken("the upstream's reply cannot be read", errors.New("gemini: a reply is not valid JSON"))
		}
		seen := Dialect{}.Observe(reply)
		if seen.Fault != nil {
			return usage, seen.Fault
		}
		usage.Lines, usage.Raw = append(usage.Lines, seen.Usage.Lines...), seen.Usage.Raw
	}
	if len(replies) > 1 {
		usage.Raw = nil
	}
	return usage, nil
}

// decoded decodes the API's base64.
func decoded(data string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return nil, broken("the upstream's reply cannot be read", fmt.Errorf("gemini: %w", err))
	}
	return raw, nil
}
