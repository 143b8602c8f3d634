package mock

import (
	"bytes"
	"encoding/base64"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/providers"
)

// huggingFace is the manner of Hugging Face's own inference, which stands beside its router.
// Source: https://huggingface.co/docs/inference-providers/providers/hf-inference
type huggingFace struct{}

// inferencePath is where the tasks stand.
const inferencePath = "/hf-inference/models/"

// findInference finds a model's task: the path says it, or else the model's name.
func findInference(name string) place {
	at := place{language: huggingFace{}}
	switch model, extracts := strings.CutSuffix(name, "/pipeline/feature-extraction"); {
	case extracts:
		at.model, at.operation = model, operation{read: readExtraction, whole: writeExtraction}
	case strings.Contains(model, "whisper"):
		at.model, at.operation = model, operation{read: readRecognition, whole: writeRecognition, raw: true}
	default:
		at.model, at.operation = model, operation{read: readPainting, whole: writePainting, kind: paintingType}
	}
	return at
}

func (huggingFace) authorise(h *fasthttp.RequestHeader) *refusal {
	if key, ok := bytes.CutPrefix(h.Peek("Authorization"), []byte("Bearer ")); !ok || len(key) == 0 || isBad(key) {
		return &refusal{status: 401, message: "Invalid username or password."}
	}
	return nil
}

func (huggingFace) head(v *visit) { v.ctx.Response.Header.Set("X-Compute-Time", "0.1") }

func (huggingFace) refuse(_ *visit, r *refusal) []byte {
	message := r.message
	if message == "" {
		message = fasthttp.StatusMessage(r.status)
	}
	return append(providers.AppendString([]byte(`{"error":`), message), '}')
}

func (huggingFace) broken(f *film) { f.end() }

func inferenceAsk(r *request) (*ask, *refusal) {
	a := newAsk(r.body, r.model)
	a.media = &media{format: "jpeg", images: 1, free: true}
	if isMissing(r.model) {
		return nil, &refusal{status: 404, message: "Model " + r.model + " does not exist"}
	}
	return a, nil
}

func readPainting(r *request) (*ask, *refusal) {
	a, refused := inferenceAsk(r)
	if refused != nil {
		return nil, refused
	}
	for _, name := range []string{"width", "height"} {
		if side := r.doc.Get("parameters." + name); side.Exists() && (side.Int() < 64 || side.Int() > 4096) {
			return nil, invalid("", "`"+name+"` must be between 64 and 4096")
		}
	}
	if r.doc.Get("inputs").Str == "" {
		return nil, invalid("", "Error in `inputs`: field required")
	}
	a.script = []string{""}
	return a, nil
}

func paintingType(*ask) string { return "image/jpeg" }

func writePainting(dst []byte, a *ask, _ *answer) []byte {
	raw, err := base64.StdEncoding.DecodeString(picture("jpeg", a.id))
	if err != nil {
		panic(err) // of our own encoder
	}
	return append(dst, raw...)
}

// readRecognition reads a sound: the body itself, or base64 in JSON where there are parameters.
func readRecognition(r *request) (*ask, *refusal) {
	a, refused := inferenceAsk(r)
	if refused != nil {
		return nil, refused
	}
	sound := r.body
	if r.doc.IsObject() {
		var err error
		if sound, err = base64.StdEncoding.DecodeString(r.doc.Get("inputs").Str); err != nil {
			return nil, invalid("", "Error in `inputs`: it is not base64")
		}
		a.media.words = r.doc.Get("parameters.return_timestamps").Bool()
	} else if !strings.HasPrefix(r.mime, "audio/") && r.mime != "application/octet-stream" {
		return nil, invalid("", "Content type \""+r.mime+"\" not supported.")
	}
	if a.media.seconds = duration(sound); len(sound) == 0 {
		return nil, invalid("", "Soundfile is either not in the correct format or is malformed.")
	}
	return a, nil
}

func writeRecognition(dst []byte, a *ask, ans *answer) []byte {
	text := plainText(ans)
	dst = providers.AppendString(append(dst, `{"text":`...), text)
	if a.media.words {
		dst = number(append(dst, `,"chunks":[`...), `{"timestamp":[0.0,`, a.media.seconds)
		dst = append(providers.AppendString(append(dst, `],"text":`...), text), "}]"...)
	}
	return append(dst, '}')
}

func readExtraction(r *request) (*ask, *refusal) {
	a, refused := inferenceAsk(r)
	if refused != nil {
		return nil, refused
	}
	a.vectors = &vectors{dimensions: defaultDimensions}
	for _, one := range r.doc.Get("inputs").Array() {
		a.vectors.add(one)
	}
	if len(a.vectors.seeds) == 0 {
		return nil, invalid("", "Error in `inputs`: field required")
	}
	return a, nil
}

func writeExtraction(dst []byte, a *ask, _ *answer) []byte {
	for i, seed := range a.vectors.seeds {
		dst = appendVector(append(dst, "[,"[min(i, 1)]), vector(seed, a.vectors.dimensions))
	}
	return append(dst, ']')
}
