package catalog

import (
	"reflect"
	"slices"
	"testing"

	"github.com/aistrale/aistrale/providers"
)

func TestAt(t *testing.T) {
	f := func(name string, at Settings, model, language, want string) {
		t.Helper()
		p, ok := At(name, at)
		if !ok {
			t.Fatalf("no provider %s", name)
		}
		route, ok := p.Route(providers.OpChat, language, model)
		got := p.BaseURL + " " + route.Language + " " + route.Path
		if route.StreamPath != "" {
			got += " " + route.StreamPath
		}
		if !ok || got != want {
			t.Errorf("%s of %s:\n%s\nwant\n%s", model, name, got, want)
		}
	}
	f("azure", Settings{BaseURL: "https://r.openai.azure.com"}, "d", "openai", "https://r.openai.azure.com openai /openai/v1/chat/completions")
	f("azure", Settings{BaseURL: "https://r.openai.azure.com"}, "d", "responses", "https://r.openai.azure.com responses /openai/v1/responses")
	f("azure", Settings{BaseURL: "https://r.openai.azure.com", APIVersion: "2024-10-21"}, "d", "openai",
		"https://r.openai.azure.com openai /openai/deployments/{model}/chat/completions?api-version=2024-10-21")
	const place, google, claude = "/v1/projects/p/locations/global", "/publishers/google/models/{model}", "/publishers/anthropic/models/{model}"
	vertex := Settings{Location: "global", Project: "p"}
	f("vertex", vertex, "gemini-2.5-pro", "openai", "https://aiplatform.googleapis.com gemini "+place+google+":generateContent "+
		place+google+":streamGenerateContent?alt=sse")
	f("vertex", vertex, "claude-opus-4-5@20251101", "anthropic", "https://aiplatform.googleapis.com anthropic "+place+claude+":rawPredict "+
		place+claude+":streamRawPredict")
	f("vertex", vertex, "deepseek-ai/deepseek-v3.1-maas", "anthropic", "https://aiplatform.googleapis.com openai "+place+"/endpoints/openapi/chat/completions")
	f("bedrock", Settings{Location: "eu-central-1"}, "eu.anthropic.claude-haiku-4-5-20251001-v1:0", "openai",
		"https://bedrock-runtime.eu-central-1.amazonaws.com anthropic /model/{id}/invoke /model/{id}/invoke-with-response-stream")
	f("bedrock", Settings{Location: "cn-north-1", BaseURL: "https://vpce.example.com"}, "amazon.nova-pro-v1:0", "anthropic",
		"https://vpce.example.com bedrock /model/{id}/converse /model/{id}/converse-stream")
	f("ollama", Settings{}, "llama3.2", "openai", "http://127.0.0.1:11434/v1 openai /chat/completions")
	f("vllm", Settings{BaseURL: "http://10.0.0.7:8000/v1"}, "m", "gemini", "http://10.0.0.7:8000/v1 openai /chat/completions")
	f("mistral", Settings{BaseURL: "https://proxy.example.com"}, "m", "openai", "https://proxy.example.com openai /chat/completions")
}

func TestVertexAddress(t *testing.T) {
	for location, want := range map[string]string{
		"": "", "global": "https://aiplatform.googleapis.com", "us": "https://aiplatform.us.rep.googleapis.com",
		"us-east5": "https://us-east5-aiplatform.googleapis.com",
	} {
		if got := vertexAddress(location); got != want {
			t.Errorf("%q is at %q, want %q", location, got, want)
		}
	}
}

func TestMissing(t *testing.T) {
	f := func(name string, said Settings, missing, idle []string) {
		t.Helper()
		if got := Missing(name, said); !slices.Equal(got, missing) {
			t.Errorf("%s lacks %q, want %q", name, got, missing)
		}
		if got := Idle(name, said); !slices.Equal(got, idle) {
			t.Errorf("%s has no use for %q, want %q", name, got, idle)
		}
	}
	f("azure", Settings{Location: "us-east-1"}, []string{"base_url"}, []string{"location"})
	f("vertex", Settings{}, []string{"location", "project"}, nil)
	f("vertex", Settings{Location: "global", Project: "p", APIVersion: "v1"}, nil, []string{"api_version"})
	f("bedrock", Settings{BaseURL: "https://vpce.example.com"}, []string{"location"}, nil)
	f("vllm", Settings{}, []string{"base_url"}, nil)
	f("openai", Settings{Project: "p"}, nil, []string{"project"})
	f("mine", Settings{BaseURL: "http://10.0.0.7"}, nil, nil)
}

// A cloud's model can do what its maker's can.
func TestCapabilities_clouds(t *testing.T) {
	f := func(provider, model, makers, name string) {
		t.Helper()
		got, want := Capabilities(provider, model), Capabilities(makers, name)
		if !want.Known || !reflect.DeepEqual(got, want) || AllowanceFor(provider, model) != AllowanceFor(makers, name) {
			t.Errorf("%s/%s can %+v, want %+v", provider, model, got, want)
		}
	}
	f("vertex", "claude-sonnet-4-5@20250929", "anthropic", "claude-sonnet-4-5-20250929")
	f("vertex", "gemini-2.5-pro", "gemini", "gemini-2.5-pro")
	f("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic", "claude-sonnet-4-5-20250929")
	f("bedrock", "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0", "anthropic", "claude-haiku-4-5")
	f("azure", "gpt-5.1", "openai", "gpt-5.1")
	f("azure", "gpt-4o-team-a", "openai", "gpt-4o")
	for _, unknown := range [][2]string{{"bedrock", "meta.llama3-3-70b-instruct-v1:0"}, {"azure", "my-deployment"}, {"vertex", "meta/llama-4"}} {
		if Capabilities(unknown[0], unknown[1]).Known {
			t.Errorf("%s is known", unknown)
		}
	}
}
