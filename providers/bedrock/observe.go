package bedrock

import (
	"bytes"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// Observe implements providers.Dialect. An event's name stands before all else.
func (Dialect) Observe(frame []byte) (seen providers.Seen) {
	switch {
	case begins(frame, "contentBlockDelta"):
		delta := gjson.GetBytes(frame, "contentBlockDelta.delta")
		seen.Content = len(delta.Get("text").Str) + len(delta.Get("toolUse.input").Str) + len(delta.Get("reasoningContent.text").Str)
	case begins(frame, "messageStop"):
		seen.Finish = gjson.GetBytes(frame, "messageStop.stopReason").Str
	case begins(frame, "metadata"):
		see(&seen, gjson.GetBytes(frame, "metadata"))
	case begins(frame, "messageStart"), begins(frame, "contentBlockStart"), begins(frame, "contentBlockStop"):
	case providers.ValidJSON(frame):
		root := gjson.ParseBytes(frame)
		see(&seen, root)
		seen.Finish = root.Get("stopReason").Str
		root.Get("output.message.content").ForEach(func(_, block gjson.Result) bool {
			seen.Content += len(block.Get("text").Str) + len(block.Get("toolUse.input").Raw) + len(block.Get("reasoningContent.reasoningText.text").Str)
			return true
		})
	}
	return seen
}

func begins(frame []byte, name string) bool {
	rest, ok := bytes.CutPrefix(frame, []byte(`{"`))
	return ok && len(rest) > len(name) && string(rest[:len(name)]) == name && rest[len(name)] == '"'
}

func see(seen *providers.Seen, said gjson.Result) {
	if u, ok := readUsage(said); ok {
		seen.Usage, seen.HasUsage = u, true
	}
}

func appendUsage(events []providers.Event, said gjson.Result) []providers.Event {
	if u, ok := readUsage(said); ok {
		return append(events, providers.Event{Kind: providers.EventUsage, Usage: &u})
	}
	return events
}

// readUsage reads the usage that stands beside a reply. Cached input is counted beside
// inputTokens, as Anthropic does.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html
func readUsage(said gjson.Result) (providers.Usage, bool) {
	usage := said.Get("usage")
	if !usage.IsObject() {
		return providers.Usage{}, false
	}
	var line providers.UsageLine
	for _, c := range [...]struct {
		name  string
		meter providers.Meter
	}{
		{"inputTokens", providers.InputUncached},
		{"outputTokens", providers.OutputTotal},
		{"cacheReadInputTokens", providers.CacheRead},
		{"cacheWriteInputTokens", providers.CacheWrite},
	} {
		if n := usage.Get(c.name); n.Type == gjson.Number && n.Num >= 0 {
			line.Set(c.meter, n.Int())
		}
	}
	for _, d := range usage.Get("cacheDetails").Array() {
		switch n := d.Get("inputTokens").Int(); d.Get("ttl").Str {
		case "5m":
			line.Set(providers.CacheWrite5m, n)
		case "1h":
			line.Set(providers.CacheWrite1h, n)
		}
	}
	line.Tier = said.Get("serviceTier.type").Str
	return providers.Usage{Lines: []providers.UsageLine{line}, Raw: []byte(usage.Raw)}, true
}
