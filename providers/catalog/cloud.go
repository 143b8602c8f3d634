package catalog

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/aws"
	"github.com/aistrale/aistrale/providers/bedrock"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
)

// Settings are what an operator says of where an account stands, by their names in the
// configuration. Each provider needs some of them or none.
type Settings struct {
	BaseURL    string // base_url; "" the known one
	Project    string // project: Google's
	Location   string // location: Google's, or AWS's region
	APIVersion string // api_version: Azure's
}

// A cloud is a provider whose address is not the same for everybody.
type cloud struct {
	name string
	make func(Settings) providers.Provider
	// needs lists the settings that it cannot be called without, takes those that it knows.
	needs, takes []string
}

func clouds() []cloud {
	return []cloud{
		{name: "azure", make: azure, needs: []string{"base_url"}, takes: []string{"base_url", "api_version"}},
		{name: "bedrock", make: amazonBedrock, needs: []string{"location"}, takes: []string{"base_url", "location"}},
		{name: "ollama", make: ollama, takes: []string{"base_url"}},
		{name: "vertex", make: vertex, needs: []string{"location", "project"}, takes: []string{"base_url", "location", "project"}},
		{name: "vllm", make: vllm, needs: []string{"base_url"}, takes: []string{"base_url"}},
	}
}

func cloudNamed(name string) (cloud, bool) {
	list := clouds()
	i := slices.IndexFunc(list, func(c cloud) bool { return c.name == name })
	if i < 0 {
		return cloud{takes: []string{"base_url"}}, false
	}
	return list[i], true
}

// Missing lists the settings that a known provider still needs, Idle those that were said and
// that it has no use for.
func Missing(name string, said Settings) []string {
	c, _ := cloudNamed(name)
	return slices.DeleteFunc(slices.Clone(c.needs), func(s string) bool { return said.named()[s] != "" })
}

// Idle is described with Missing.
func Idle(name string, said Settings) (idle []string) {
	c, _ := cloudNamed(name)
	for _, s := range []string{"api_version", "location", "project"} {
		if said.named()[s] != "" && !slices.Contains(c.takes, s) {
			idle = append(idle, s)
		}
	}
	return idle
}

// Tariff is the region whose prices a provider's account is charged by, as the prices name it; ""
// where it does not follow from where the account stands.
func Tariff(name string, said Settings) string {
	if name == "vertex" && said.Location != "global" {
		return Regional
	}
	return ""
}

// Regional is the tariff of calls that stay in one region.
const Regional = "regional"

// Rooted reports a provider whose base URL has no path of its own.
func Rooted(name string) bool { return name == "azure" || name == "bedrock" || name == "vertex" }

func (s Settings) named() map[string]string {
	return map[string]string{"base_url": s.BaseURL, "project": s.Project, "location": s.Location, "api_version": s.APIVersion}
}

// azure serves OpenAI's models under names of the customer's own, deployments. Without an API
// version it is the v1 API, whose paths and bodies are OpenAI's; with one, that deployments stand
// in the path.
//
// Source: https://learn.microsoft.com/azure/ai-foundry/openai/reference and .../api-version-lifecycle
func azure(at Settings) providers.Provider {
	p := providers.Provider{
		Name: "azure", OwnedBy: "azure", BaseURL: at.BaseURL,
		Routes: openaiRoutes(append(mediaOps(), providers.OpChat, providers.OpCompletions, providers.OpEmbeddings)...),
		Sign:   azureKey, Minted: "entra", Env: []string{"AZURE_OPENAI_API_KEY"},
		Look: "/openai/v1/models",
	}
	before, after := "/openai/v1", ""
	if at.APIVersion == "" {
		p = WithResponses(p)
	} else {
		after = "?api-version=" + url.QueryEscape(at.APIVersion)
		before, p.Look = "/openai/deployments/{model}", "/openai/models"+after
	}
	for op := range p.Routes {
		for i := range p.Routes[op] {
			r := &p.Routes[op][i]
			r.Path = before + r.Path + after
		}
	}
	return p
}

// azureKey signs with a key of the resource, or with an access token of Entra ID: a JWT, which no
// key looks like.
func azureKey(r *providers.UpstreamRequest, with providers.Signing) {
	if strings.HasPrefix(with.Secret, "eyJ") && strings.Count(with.Secret, ".") == 2 {
		providers.Bearer(r, with)
		return
	}
	providers.HeaderKey("api-key")(r, with)
}

// vertex serves Gemini and Claude, each in its own language, and open models in OpenAI's.
//
// Sources: https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest and
// .../partner-models/claude/use-claude, .../maas/call-open-model-apis
func vertex(at Settings) providers.Provider {
	p := providers.Provider{
		Name: "vertex", OwnedBy: "google", BaseURL: at.BaseURL,
		Sign: providers.Bearer, Minted: "google", Forward: anthropicForward(), Env: []string{"VERTEX_CREDENTIALS"},
		Look: "/v1beta1/publishers/google/models?pageSize=1",
	}
	if p.BaseURL == "" {
		p.BaseURL = vertexAddress(at.Location)
	}
	place := "/v1/projects/" + url.PathEscape(at.Project) + "/locations/" + url.PathEscape(at.Location)
	google, claude := place+"/publishers/google/models/{model}", place+"/publishers/anthropic/models/{model}"
	p.Routes = map[providers.Op][]providers.Route{providers.OpChat: {
		{
			Language: "anthropic", Models: "claude", Dialect: anthropic.Hosted{Version: "vertex-2023-10-16"}, Governed: anthropic.Governed(),
			Path: claude + ":rawPredict", StreamPath: claude + ":streamRawPredict",
		},
		// Models of other publishers have theirs in their names: meta/llama-4-scout-17b-16e-instruct-maas.
		{
			Language: "openai", Models: "/", Dialect: openai.Dialect{}, Governed: openai.Governed(),
			Path: place + "/endpoints/openapi/chat/completions",
		},
		{
			Language: "gemini", Dialect: gemini.Hosted{}, Governed: gemini.Governed(),
			Path: google + ":generateContent", StreamPath: google + ":streamGenerateContent?alt=sse",
		},
	}, providers.OpCountTokens: {
		{
			Language: "anthropic", Models: "claude", Dialect: anthropic.Hosted{Version: "vertex-2023-10-16"}, Governed: anthropic.Governed(),
			Path: place + "/publishers/anthropic/models/count-tokens:rawPredict",
		},
		{Language: "gemini", Dialect: gemini.Hosted{}, Governed: gemini.Governed(), Path: google + ":countTokens"},
	}, providers.OpEmbeddings: {
		{
			Language: "gemini", Models: "gemini-embedding-2", Dialect: gemini.Hosted{}, Governed: gemini.Governed(),
			Path: google + ":embedContent", Pair: gemini.EmbedContent(),
		},
		{Language: "gemini", Models: "embedding", Dialect: gemini.Hosted{}, Governed: gemini.Governed(), Path: google + ":predict", Pair: gemini.Predict()},
	}}
	geminiMedia(p.Routes, gemini.Hosted{}, google)
	return p
}

// vertexAddress is the host of a location: of a region, of a continent's, or of the whole world.
// Source: https://cloud.google.com/vertex-ai/generative-ai/docs/learn/locations
func vertexAddress(location string) string {
	switch location {
	case "":
		return ""
	case "global":
		return "https://aiplatform.googleapis.com"
	case "eu", "us":
		return "https://aiplatform." + location + ".rep.googleapis.com"
	}
	return "https://" + location + "-aiplatform.googleapis.com"
}

// amazonBedrock serves Claude in Anthropic's language, and every other model in Converse, its own.
//
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html
func amazonBedrock(at Settings) providers.Provider {
	claude := anthropic.Hosted{Version: "bedrock-2023-05-31", Bare: true}
	embeds := func(models string, pair *providers.Pair) providers.Route {
		return providers.Route{
			Language: bedrock.Language, Models: models, Dialect: bedrock.Dialect{}, Governed: bedrock.Governed(), Path: "/model/{id}/invoke", Pair: pair,
		}
	}
	p := providers.Provider{
		Name: "bedrock", OwnedBy: "amazon", BaseURL: at.BaseURL, Sign: aws.Signer(at.Location, "bedrock"),
		Forward: anthropicForward(), Env: []string{"AWS_BEARER_TOKEN_BEDROCK"},
		// The runtime has no list of models. This one needs a permission of its own, so that its
		// refusal says nothing.
		Look: "/async-invoke?maxResults=1", Blind: true,
		Routes: map[providers.Op][]providers.Route{providers.OpChat: {
			{
				Language: "anthropic", Models: "claude", Framed: true, Governed: anthropic.Governed(),
				Dialect: claude,
				Path:    "/model/{id}/invoke", StreamPath: "/model/{id}/invoke-with-response-stream",
			},
			{
				Language: bedrock.Language, Framed: true, Dialect: bedrock.Dialect{}, Governed: bedrock.Governed(),
				Path: "/model/{id}/converse", StreamPath: "/model/{id}/converse-stream",
			},
		}, providers.OpCountTokens: {
			{
				Language: "anthropic", Models: "claude", Dialect: claude, Governed: anthropic.Governed(),
				Path: "/model/{id}/count-tokens", Pair: claude.Count(),
			},
			{Language: bedrock.Language, Dialect: bedrock.Dialect{}, Governed: bedrock.Governed(), Path: "/model/{id}/count-tokens"},
		}, providers.OpEmbeddings: {
			embeds("cohere.embed", bedrock.Cohere()),
			embeds("titan-embed", bedrock.Titan()),
		}},
	}
	if p.BaseURL == "" && at.Location != "" {
		p.BaseURL = "https://bedrock-runtime." + at.Location + ".amazonaws.com"
		if strings.HasPrefix(at.Location, "cn-") {
			p.BaseURL += ".cn"
		}
	}
	return p
}

// version is the end of Bedrock's names: anthropic.claude-sonnet-4-5-20250929-v1:0.
var version = regexp.MustCompile(`-v[0-9]+(:[0-9]+)?$`)

// maker gives the name of a cloud's model under the provider that makes it. What it can do is the
// same there; what it costs need not be.
func maker(provider, model string) (makers, name string) {
	switch provider {
	case "azure":
		// Deployments mostly bear their models' names; others need to be told.
		if stock().find("openai", model) != nil {
			return "openai", model
		}
	case "vertex":
		if strings.Contains(model, "claude") {
			return "anthropic", strings.Replace(model, "@", "-", 1)
		}
		return "gemini", model
	case "bedrock":
		if _, claude, ok := strings.Cut(model, "anthropic."); ok {
			return "anthropic", version.ReplaceAllString(claude, "")
		}
	}
	return provider, model
}

// ollama is a server on one's own machine: https://docs.ollama.com/api/openai-compatibility. It
// overlooks max_completion_tokens (ollama/ollama#7125).
func ollama(at Settings) providers.Provider {
	return providers.Provider{
		Name: "ollama", OwnedBy: "ollama", BaseURL: cmp.Or(at.BaseURL, "http://127.0.0.1:11434/v1"), Keyless: true,
		Routes: openaiRoutes(providers.OpChat, providers.OpCompletions, providers.OpEmbeddings),
		Sign:   providers.Bearer, Env: []string{"OLLAMA_API_KEY"},
		Quirks: providers.Quirks{Rename: map[string]string{"max_completion_tokens": "max_tokens"}},
	}
}

// vllm is a server of one's own. It answers whatever it has, sounds and images too
// (https://docs.vllm.ai/projects/vllm-omni/en/latest/serving):
// https://docs.vllm.ai/en/latest/serving/openai_compatible_server
func vllm(at Settings) providers.Provider {
	return providers.Provider{
		Name: "vllm", OwnedBy: "vllm", BaseURL: at.BaseURL, Keyless: true,
		Routes: openaiRoutes(append(mediaOps(), providers.OpChat, providers.OpCompletions, providers.OpEmbeddings)...),
		Sign:   providers.Bearer, Env: []string{"VLLM_API_KEY"},
	}
}
