package gemini

import (
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// readUsage reads usageMetadata. Input holds the cached tokens, and not what the provider's own
// tools added; output is counted apart from thoughts. room is for its one line.
// Source: https://ai.google.dev/api/generate-content#UsageMetadata
func readUsage(room []providers.UsageLine, raw []byte) providers.Usage {
	var line providers.UsageLine
	providers.Members(raw, func(name, value []byte) bool {
		switch string(name) {
		case "promptTokenCount":
			set(&line, providers.InputTotal, value)
		case "cachedContentTokenCount":
			set(&line, providers.CacheRead, value)
		case "candidatesTokenCount":
			set(&line, providers.OutputPlain, value)
		case "thoughtsTokenCount":
			set(&line, providers.Reasoning, value)
		case "toolUsePromptTokenCount":
			set(&line, providers.InputTool, value)
		case "promptTokensDetails":
			modalities(value, func(modality string, n int64) {
				switch modality {
				case "AUDIO", "4":
					line.Set(providers.AudioIn, n)
				case "IMAGE", "2":
					line.Set(providers.ImagesIn, n)
				}
			})
		case "candidatesTokensDetails":
			modalities(value, func(modality string, n int64) {
				switch modality {
				case "AUDIO", "4":
					line.Set(providers.AudioOut, n)
				case "IMAGE", "2":
					line.Set(providers.ImagesOut, n)
				}
			})
		case "serviceTier":
			line.Tier = serviceTier(inner(value))
		case "trafficType": // the cloud's word for it, where there is no other
			if line.Tier == "" {
				line.Tier = trafficTier(string(inner(value)))
			}
		}
		return true
	})
	if !line.Has() {
		return providers.Usage{}
	}
	return providers.Usage{Lines: append(room, line), Raw: raw}
}

// serviceTier gives a tier in small letters, and a known one without an allocation.
// Source: https://ai.google.dev/api/generate-content#ServiceTier
func serviceTier(name []byte) string {
	for _, known := range [...]string{"standard", "flex", "priority"} {
		if strings.EqualFold(string(name), known) {
			return known
		}
	}
	return strings.ToLower(string(name))
}

// trafficTier gives the tier that a kind of traffic is served in; "" is the standard one.
// Source: https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/GenerateContentResponse#TrafficType
func trafficTier(kind string) string {
	switch kind {
	case "ON_DEMAND_FLEX":
		return "flex"
	case "ON_DEMAND_PRIORITY":
		return "priority"
	case "PROVISIONED_THROUGHPUT":
		return "provisioned_throughput"
	}
	return ""
}

func set(line *providers.UsageLine, m providers.Meter, value []byte) {
	if n, ok := count(value); ok {
		line.Set(m, n)
	}
}

// count reads a count of tokens: 64-bit numbers may come as strings.
func count(value []byte) (n int64, ok bool) { return providers.Count(inner(value)) }

// modalities reads a list of {modality, tokenCount}.
func modalities(list []byte, visit func(modality string, n int64)) {
	providers.Elements(list, func(item []byte) bool {
		var modality []byte
		var n int64
		ok := false
		providers.Members(item, func(name, value []byte) bool {
			switch string(name) {
			case "modality":
				modality = inner(value)
			case "tokenCount":
				n, ok = count(value)
			}
			return true
		})
		if ok {
			visit(string(modality), n)
		}
		return true
	})
}

// searches counts the web searches that are charged: each query from generation 3 on, before
// that the grounded prompt, however many queries it took.
// Source: https://ai.google.dev/gemini-api/docs/pricing
func searches(queries gjson.Result, model string) int64 {
	n := int64(len(queries.Array()))
	if n > 0 && generation(model) < 3 {
		return 1
	}
	return n
}

func searchLine(n int64) providers.UsageLine {
	var line providers.UsageLine
	line.Set(providers.Searches, n)
	return line
}

// inner takes the quotes off a string; other values stay as they are.
func inner(value []byte) []byte {
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		return value[1 : len(value)-1]
	}
	return value
}
