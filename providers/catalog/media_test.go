package catalog

import (
	"slices"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
)

// What each provider serves of sounds, images and moderations for OpenAI's clients: the path, and
// "pair" where it has words of its own. docs/providers.md says the same.
func TestKnown_media(t *testing.T) {
	const google = "/models/{model}:generateContent pair"
	all := []string{
		"moderation", "/moderations", "speech", "/audio/speech", "transcription", "/audio/transcriptions", "translation", "/audio/translations",
		"image_generation", "/images/generations", "image_edit", "/images/edits", "image_variation", "/images/variations",
	}
	want := map[string][]string{
		"openai":      all,
		"vllm":        all[2:12],
		"gemini":      {"speech", google, "image_generation", google, "image_edit", google},
		"groq":        all[2:8],
		"huggingface": {"transcription", "//hf-inference/models/{model} pair", "image_generation", "//hf-inference/models/{model} pair"},
		"mistral":     {"moderation", "/moderations", "speech", "/audio/speech pair", "transcription", "/audio/transcriptions"},
		"openrouter":  {"speech", "/audio/speech", "transcription", "/audio/transcriptions pair"},
		"together":    all[2:10],
		"xai":         all[8:10],
	}
	for i := 3; i < 12; i += 2 {
		want["azure"] = append(want["azure"], all[i-1], "/openai/v1"+all[i])
	}
	const vertex = "/v1/projects//locations//publishers/google" + google
	want["vertex"] = []string{"speech", vertex, "image_generation", vertex, "image_edit", vertex}
	for _, name := range Names() {
		p, ok := Known(name)
		if !ok {
			t.Fatal(name)
		}
		var got []string
		for op := providers.OpModerations; op <= providers.OpImageVariations; op++ {
			for _, r := range p.Routes[op] {
				got = append(got, op.String(), strings.TrimSpace(r.Path+map[bool]string{true: " pair"}[r.Pair != nil]))
			}
		}
		if !slices.Equal(got, want[name]) {
			t.Errorf("%s serves %q, want %q", name, got, want[name])
		}
	}
	classic, _ := At("azure", Settings{BaseURL: "https://x.openai.azure.com", APIVersion: "2024-10-21"})
	if r, _ := classic.Route(providers.OpTranscription, "openai", "m"); r.Path != "/openai/deployments/{model}/audio/transcriptions?api-version=2024-10-21" {
		t.Errorf("azure's classic path is %s", r.Path)
	}
}
