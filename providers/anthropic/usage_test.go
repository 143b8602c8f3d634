package anthropic_test

import (
	"fmt"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
)

// merged folds what Observe sees, as the relay does.
func merged(frames ...string) *providers.Usage {
	var u providers.Usage
	for _, f := range frames {
		if seen := (anthropic.Dialect{}).Observe([]byte(f)); seen.HasUsage {
			u.Merge(seen.Usage)
		}
	}
	return &u
}

// decoded folds what the decoder says.
func decoded(frames ...string) *providers.Usage {
	var u providers.Usage
	d := anthropic.Dialect{}.ReadReply(&providers.Call{})
	for _, f := range frames {
		for _, ev := range d.Decode(nil, []byte(f)) {
			if ev.Kind == providers.EventUsage {
				u.Merge(*ev.Usage)
			}
		}
	}
	return &u
}

func lines(u *providers.Usage) string {
	out := ""
	for i := range u.Lines {
		n := u.Lines[i].Normal()
		out += fmt.Sprintf("%s/%s: in %d read %d w5m %d w1h %d out %d think %d search %d; ",
			n.Model, n.Tier, n.InputUncached, n.CacheRead, n.CacheWrite5m, n.CacheWrite1h, n.Output, n.Reasoning, n.Searches)
	}
	return out
}

func TestUsage(t *testing.T) {
	f := func(want string, frames ...string) {
		t.Helper()
		if got := lines(merged(frames...)); got != want {
			t.Errorf("observed\n%s\nwant\n%s", got, want)
		}
		if got := lines(decoded(frames...)); got != want {
			t.Errorf("decoded\n%s\nwant\n%s", got, want)
		}
	}
	whole := func(usage string) string {
		return `{"type":"message","content":[],"stop_reason":"end_turn","usage":` + usage + `}`
	}
	start := func(usage string) string {
		return `{"type":"message_start","message":{"id":"m","usage":` + usage + `}}`
	}
	delta := func(usage string) string {
		return `{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":` + usage + `}`
	}

	// Cached input stands beside input_tokens, and is counted once.
	f("/: in 3 read 0 w5m 12304 w1h 0 out 550 think 0 search 0; ",
		whole(`{"input_tokens":3,"cache_creation_input_tokens":12304,"cache_read_input_tokens":0,"output_tokens":550}`))
	f("/priority: in 3 read 7 w5m 300 w1h 200 out 42 think 40 search 2; ",
		whole(`{"input_tokens":3,"cache_creation_input_tokens":500,"cache_read_input_tokens":7,"cache_creation":{"ephemeral_5m_input_tokens":300,`+
			`"ephemeral_1h_input_tokens":200},"output_tokens":42,"output_tokens_details":{"thinking_tokens":40},"service_tier":"priority","server_tool_use":{"web_search_requests":2}}`))

	// Fast mode has prices of its own.
	f("/fast: in 3 read 0 w5m 0 w1h 0 out 9 think 0 search 0; ",
		start(`{"input_tokens":3,"output_tokens":1,"service_tier":"standard","speed":"fast"}`), delta(`{"output_tokens":9}`))
	f("/standard: in 3 read 0 w5m 0 w1h 0 out 1 think 0 search 0; ",
		whole(`{"input_tokens":3,"output_tokens":1,"service_tier":"standard","speed":"standard"}`))

	// What message_delta leaves out stays, what it repeats wins, nothing is summed.
	// https://github.com/BerriAI/litellm/issues/11789
	f("/standard: in 4 read 2455 w5m 0 w1h 0 out 23 think 0 search 0; ",
		start(`{"input_tokens":4,"cache_read_input_tokens":2455,"cache_creation_input_tokens":0,"output_tokens":1,"service_tier":"standard"}`),
		delta(`{"output_tokens":11}`), delta(`{"output_tokens":23}`))
	f("/: in 90 read 5 w5m 0 w1h 0 out 23 think 0 search 0; ",
		start(`{"input_tokens":10,"cache_read_input_tokens":5,"output_tokens":8}`), delta(`{"input_tokens":90,"output_tokens":23}`))
	f("/: in 10 read 5 w5m 0 w1h 0 out 9 think 0 search 0; ",
		start(`{"input_tokens":10,"cache_read_input_tokens":5,"output_tokens":8}`), delta(`{"input_tokens":null,"cache_read_input_tokens":null,"output_tokens":9}`))

	// Other models' work is theirs, and is not in the total.
	f("/: in 2411 read 0 w5m 0 w1h 0 out 145 think 0 search 0; claude-opus-4-8/: in 3543 read 0 w5m 0 w1h 0 out 30 think 0 search 0; ",
		whole(`{"input_tokens":2411,"output_tokens":145,"iterations":[{"type":"message","input_tokens":1128,"output_tokens":135},`+
			`{"type":"advisor_message","model":"claude-opus-4-8","input_tokens":2543,"output_tokens":18},`+
			`{"type":"advisor_message","model":"claude-opus-4-8","input_tokens":1000,"output_tokens":12},`+
			`{"type":"message","input_tokens":1283,"output_tokens":10}]}`))
	// A total over all models is cut to the called one's part.
	f("/: in 10 read 0 w5m 0 w1h 0 out 1 think 0 search 0; other/: in 20 read 0 w5m 0 w1h 0 out 2 think 0 search 0; ",
		whole(`{"input_tokens":30,"output_tokens":3,"iterations":[{"type":"message","input_tokens":10,"output_tokens":1},`+
			`{"type":"fallback_message","model":"other","input_tokens":20,"output_tokens":2}]}`))
	// Compaction is billed, though the total leaves it out.
	f("/: in 203000 read 0 w5m 0 w1h 0 out 4500 think 0 search 0; ",
		start(`{"input_tokens":23000,"output_tokens":1}`),
		delta(`{"input_tokens":23000,"output_tokens":1000,"iterations":[{"type":"compaction","input_tokens":180000,"output_tokens":3500},`+
			`{"type":"message","input_tokens":23000,"output_tokens":1000}]}`))
}

// TestUsageCost holds the usage of https://github.com/BerriAI/litellm/issues/9812 against what
// Anthropic's console billed for it at Claude 3.7 Sonnet's prices: $0.05439, not $0.0913.
func TestUsageCost(t *testing.T) {
	n := merged(`{"type":"message","usage":{"input_tokens":3,"cache_creation_input_tokens":12304,"cache_read_input_tokens":0,"output_tokens":550}}`).Total()
	const in, read, write5m, write1h, out = 3000, 300, 3750, 6000, 15000 // nano-USD per token
	cost := n.InputUncached*in + n.CacheRead*read + n.CacheWrite5m*write5m + n.CacheWrite1h*write1h + n.Output*out
	if cost != 54_399_000 {
		t.Errorf("%d nano-USD, want 54399000", cost)
	}
	if n.Input() != 12307 {
		t.Errorf("input of %d tokens, want 12307", n.Input())
	}
}
