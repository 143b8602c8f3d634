package anthropic

import (
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// counters are the members of usage and of the objects in it, by the meter that they set.
// Anthropic counts cached input beside input_tokens, and thinking within output_tokens.
// Source: https://docs.claude.com/en/api/messages (usage)
var counters = [...]struct {
	in, name string
	meter    providers.Meter
}{
	{"", "input_tokens", providers.InputUncached},
	{"", "output_tokens", providers.OutputTotal},
	{"", "cache_read_input_tokens", providers.CacheRead},
	{"", "cache_creation_input_tokens", providers.CacheWrite},
	{"cache_creation", "ephemeral_5m_input_tokens", providers.CacheWrite5m},
	{"cache_creation", "ephemeral_1h_input_tokens", providers.CacheWrite1h},
	{"output_tokens_details", "thinking_tokens", providers.Reasoning},
	{"server_tool_use", "web_search_requests", providers.Searches},
}

// readUsage reads a usage object: what it names counts, what it leaves out is left as it was.
func readUsage(raw []byte) providers.Usage {
	u := providers.Usage{Raw: raw, Lines: make([]providers.UsageLine, 1)}
	line, fast := &u.Lines[0], false
	var list []byte
	providers.Members(raw, func(name, value []byte) bool {
		switch string(name) {
		case "service_tier":
			line.Tier = providers.Text(value)
		case "speed":
			fast = string(value) == `"fast"`
		case "iterations":
			list = value
		default:
			countMember(line, "", name, value)
		}
		return true
	})
	if fast {
		line.Tier = "fast" // beside the service tier, and what makes the price
	}
	if len(list) > 0 {
		u.Lines = iterations(u.Lines, gjson.ParseBytes(list))
	}
	return u
}

// count sets what a usage object names, or the object in it that is called in.
func count(line *providers.UsageLine, in string, object []byte) {
	providers.Members(object, func(name, value []byte) bool {
		countMember(line, in, name, value)
		return true
	})
}

func countMember(line *providers.UsageLine, in string, name, value []byte) {
	if in == "" && value[0] == '{' {
		count(line, string(name), value)
		return
	}
	for i := range counters {
		if c := &counters[i]; c.name == string(name) && c.in == in {
			if n, ok := providers.Count(value); ok {
				line.Set(c.meter, n)
			}
		}
	}
}

// iterations adds what the usage's own counters leave out: the work of other models (an
// advisor, a fallback) in lines of their own, and compaction, which is the same model's.
// Source: https://docs.claude.com/en/docs/build-with-claude/compaction (understanding usage)
func iterations(lines []providers.UsageLine, list gjson.Result) []providers.UsageLine {
	if !list.IsArray() {
		return lines
	}
	var own, other providers.UsageLine // what the list has for the model that was called, and for others
	list.ForEach(func(_, it gjson.Result) bool {
		var line providers.UsageLine
		count(&line, "", []byte(it.Raw))
		switch model := it.Get("model").String(); {
		case model != "" && it.Get("type").String() != "message":
			lines = addLine(lines, model, &line)
			add(&other, &line)
		default:
			add(&own, &line)
		}
		return true
	})
	settle(&lines[0], &own, &other)
	return lines
}

// settle compares the total with the parts: where the total is that of all models, or of the
// others, it becomes the parts of the one that was called, and where it lacks some of those
// (compaction) they are put in.
func settle(total, own, other *providers.UsageLine) {
	for m := range meterCount {
		t, said := total.Get(m)
		mine, listed := own.Get(m)
		if !said || !listed {
			continue
		}
		theirs, _ := other.Get(m)
		if theirs > 0 && (t == mine+theirs || t == theirs) || mine > t {
			total.Set(m, mine)
		}
	}
}

// meterCount is past the last meter that Anthropic sets.
const meterCount = providers.Searches + 1

func addLine(lines []providers.UsageLine, model string, line *providers.UsageLine) []providers.UsageLine {
	for i := 1; i < len(lines); i++ {
		if lines[i].Model == model {
			add(&lines[i], line)
			return lines
		}
	}
	line.Model, line.Tier = model, lines[0].Tier
	return append(lines, *line)
}

func add(sum, line *providers.UsageLine) {
	for m := range meterCount {
		if n, ok := line.Get(m); ok {
			had, _ := sum.Get(m)
			sum.Set(m, had+n)
		}
	}
}
