package catalog

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/providers/mock"
	"github.com/aistrale/aistrale/storage"
)

// A PriceFile is the embedded file of prices: sorted by provider, model and date, and where the
// figures are from. The generator beside this package writes it.
type PriceFile struct {
	Sources []Source        `json:"sources"`
	Prices  []storage.Price `json:"prices"`
}

//go:embed prices.json
var pricesJSON []byte

var priceList = sync.OnceValue(func() []storage.Price {
	var file PriceFile
	if err := json.Unmarshal(pricesJSON, &file); err != nil {
		panic(fmt.Sprintf("catalog: the embedded prices.json: %v", err)) // a build that no test has seen
	}
	list := append(file.Prices, mockPrices()...)
	slices.SortFunc(list, ComparePrices)
	return list
})

// Prices lists the prices that the release was shipped with, sorted by provider, model and date.
func Prices() []storage.Price { return slices.Clone(priceList()) }

// ComparePrices orders prices by provider, model and date.
func ComparePrices(a, b storage.Price) int {
	if c := strings.Compare(a.Provider, b.Provider); c != 0 {
		return c
	}
	if c := strings.Compare(a.Model, b.Model); c != 0 {
		return c
	}
	return a.From.Compare(b.From)
}

// mockPrices are what the emulator's own bill counts with: all input at one price, all output at
// another.
func mockPrices() []storage.Price {
	const million = 1_000_000
	input, output := int64(mock.InputPrice*million), int64(mock.OutputPrice*million)
	var list []storage.Price
	for _, m := range mockModels() {
		p := storage.Price{
			Provider: mockName, Model: m.ID, Source: "aistrale",
			Rates: []storage.Rate{{Input: &input, CacheRead: &input, CacheWrite5m: &input, CacheWrite1h: &input, Output: &output}},
		}
		list = append(list, p)
	}
	list = append(list, mockMediaPrices(&input, &output)...)
	for i := range list {
		list[i].ID = list[i].MakeID()
	}
	return list
}

// mockMediaPrices are those of emulated models of sounds and images, which are sold as their
// namesakes are: by tokens, by the character, by the hour, by the image.
func mockMediaPrices(input, output *int64) (list []storage.Price) {
	character, hour, image := int64(mock.CharacterPrice), int64(mock.SecondPrice*3600), int64(mock.ImagePrice)
	for model, rate := range map[string]storage.Rate{
		"tts-1*": {Character: &character}, "whisper*": {HourIn: &hour}, "dall-e*": {Image: &image},
		"gpt-image*": {Input: input, Output: output}, "gpt-4o-*": {Input: input, Output: output, HourOut: &hour},
	} {
		list = append(list, storage.Price{Provider: mockName, Model: model, Source: "aistrale", Rates: []storage.Rate{rate}})
	}
	return list
}

// Candidates lists the names under which the price of a provider's model is looked for, the most
// specific first: as it was called, as the catalogue names it, then without what changes no
// price: a date, "latest", a route behind a colon (HuggingFace's org/model:provider).
//
// Capabilities are looked for under shorter names too. Prices are not: gpt-9-pro costs ten times
// what gpt-9 does, and a price that is not known must not be taken from another model.
func Candidates(provider, model string) []string {
	switch provider {
	case "gemini":
		model = strings.TrimPrefix(model, "models/")
	case "bedrock":
		return bedrockCandidates(model)
	}
	named := stock().named[provider]
	var names []string
	if lower := strings.ToLower(model); provider == "azure" && lower != model {
		// The lists write Azure's own names in small letters: Cohere-embed-v3-english, DeepSeek-V3.1.
		return append([]string{model}, Candidates(provider, lower)...)
	}
	add := func(name string) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for name := model; name != ""; {
		add(name)
		if m := named[name]; m != nil {
			add(m.ID)
		}
		if base := undated(name); base != name {
			add(base)
			if m := named[base]; m != nil {
				add(m.ID)
			}
		}
		at := max(0, strings.LastIndexAny(name, ":@"))
		if tail := name[at:]; len(tail) == 2 && allDigits(tail[1:]) {
			break // a version: …-v1:0
		}
		name = name[:at]
	}
	return names
}

// geography begins the name of an inference profile that keeps to a part of the world and costs
// what its model does in one region. A global one has prices of its own.
var geography = regexp.MustCompile(`^(us|eu|apac|jp|au|ca)\.`)

// bedrockCandidates are those of a foundation model, an inference profile or an ARN of either.
func bedrockCandidates(model string) []string {
	name := model
	if strings.HasPrefix(name, "arn:") {
		name = name[strings.LastIndexByte(name, '/')+1:]
	}
	var names []string
	for _, n := range [...]string{name, geography.ReplaceAllString(name, "")} {
		plain := version.ReplaceAllString(n, "")
		names = append(names, n, plain, undated(plain))
	}
	slices.SortStableFunc(names, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(append([]string{model}, names...))
}

// Tier gives the tier of rates that a provider's word for a service tier stands for, "" for the
// standard one. known is false for a word that nobody has explained: what it costs is not known.
//
// Sources: https://platform.openai.com/docs/api-reference/chat/object (service_tier),
// https://docs.claude.com/en/api/service-tiers, https://console.groq.com/docs/service-tiers,
// https://ai.google.dev/gemini-api/docs/pricing (standard, batch, flex, priority).
func Tier(provider, word string) (tier string, known bool) {
	switch word {
	case "", "auto", "default", "standard", "standard_only", "on_demand", "unspecified":
		return "", true
	case "batch", "flex", "priority":
		return word, true
	case "scale", "performance", "provisioned_throughput":
		return word, true // by contract (OpenAI's, Groq's, Google's): no list has its price
	case "fast":
		if provider == "anthropic" {
			return "fast", true // speed: fast
		}
		return "priority", true // OpenAI's newer name for it
	}
	return "", false
}
