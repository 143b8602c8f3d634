package openai

import (
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// What is billed by the piece or by the length is told beside tokens, or in their place.
// Source: https://platform.openai.com/docs/api-reference (audio, images).

// heard reports whether a transcript says how long its sound is.
func (s *sight) heard() bool { return s.task && len(s.length) > 0 }

// observeUnits adds the images of a reply, and where its usage does not say it, how long the
// sound was.
func (s *sight) observeUnits(seen *providers.Seen) {
	if len(seen.Usage.Lines) == 0 {
		seen.Usage.Lines = append(seen.Usage.Lines, providers.UsageLine{})
	}
	line := &seen.Usage.Lines[0]
	if s.made > 0 && len(s.kind) == 0 {
		line.Set(providers.Images, s.made)
	}
	_, told := line.Get(providers.AudioInMs)
	if ms := milliseconds(gjson.ParseBytes(s.length)); s.heard() && !told && !line.Has() && ms > 0 {
		line.Set(providers.AudioInMs, ms)
	}
	seen.HasUsage = seen.HasUsage || line.Has()
}

// milliseconds reads a number of seconds, or a text of one, exact to the millisecond.
func milliseconds(value gjson.Result) int64 {
	const most = 1e9 // seconds
	if s := value.Float(); s > 0 && s < most {
		return int64(s*1000 + 0.5)
	}
	return 0
}
