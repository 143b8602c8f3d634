package responses

import (
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// readUsage reads the usage of a response; false where it has none. Searches are priced by
// number: what the response counts itself goes before what its items show.
func readUsage(response gjson.Result) (providers.Usage, bool) {
	said := response.Get("usage")
	if !said.IsObject() {
		return providers.Usage{}, false
	}
	line := providers.UsageLine{Tier: response.Get("service_tier").Str}
	for _, m := range [...]struct {
		meter providers.Meter
		path  string
	}{
		{providers.InputTotal, "input_tokens"},
		{providers.CacheRead, "input_tokens_details.cached_tokens"},
		{providers.CacheWrite, "input_tokens_details.cache_write_tokens"},
		{providers.ImagesIn, "input_tokens_details.image_tokens"},
		{providers.AudioIn, "input_tokens_details.audio_tokens"},
		{providers.OutputTotal, "output_tokens"},
		{providers.Reasoning, "output_tokens_details.reasoning_tokens"},
		{providers.AudioOut, "output_tokens_details.audio_tokens"},
	} {
		if v := said.Get(m.path); v.Type == gjson.Number && v.Num >= 0 {
			line.Set(m.meter, v.Int())
		}
	}
	if n := searches(response); n > 0 {
		line.Set(providers.Searches, n)
	}
	return providers.Usage{Lines: []providers.UsageLine{line}, Raw: []byte(said.Raw)}, true
}

func searches(response gjson.Result) (n int64) {
	if said := response.Get("tool_usage.web_search.num_requests"); said.Type == gjson.Number {
		return said.Int()
	}
	response.Get("output").ForEach(func(_, item gjson.Result) bool {
		if action := item.Get("action.type").Str; item.Get("type").Str == "web_search_call" && (action == "" || action == "search") {
			n++
		}
		return true
	})
	return n
}

// appendUsage is the usage object of any provider's meters.
func appendUsage(dst []byte, u *providers.Usage) []byte {
	n := u.Called()
	dst = appendCount(dst, '{', "input_tokens", n.Input())
	dst = appendCount(append(dst, `,"input_tokens_details":`...), '{', "cached_tokens", n.CacheRead)
	if written := n.CacheWrite5m + n.CacheWrite1h; written > 0 {
		dst = appendCount(dst, ',', "cache_write_tokens", written)
	}
	dst = appendCount(append(dst, '}'), ',', "output_tokens", n.Output)
	dst = appendCount(append(dst, `,"output_tokens_details":`...), '{', "reasoning_tokens", n.Reasoning)
	return append(appendCount(append(dst, '}'), ',', "total_tokens", n.Input()+n.Output), '}')
}

func appendCount(dst []byte, before byte, name string, n int64) []byte {
	dst = append(append(dst, before, '"'), name...)
	return strconv.AppendInt(append(dst, '"', ':'), n, 10)
}
