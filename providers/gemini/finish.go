package gemini

import (
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// finishReason reads a finish reason, which old clients' streams carry as a number.
// Source: https://ai.google.dev/api/generate-content#FinishReason
func finishReason(v gjson.Result) string {
	if v.Type != gjson.Number {
		return v.Str
	}
	names := [...]string{
		0: "FINISH_REASON_UNSPECIFIED", 1: "STOP", 2: "MAX_TOKENS", 3: "SAFETY", 4: "RECITATION", 5: "OTHER", 6: "LANGUAGE",
		7: "BLOCKLIST", 8: "PROHIBITED_CONTENT", 9: "SPII", 10: "MALFORMED_FUNCTION_CALL", 11: "IMAGE_SAFETY",
		12: "UNEXPECTED_TOOL_CALL", 13: "TOO_MANY_TOOL_CALLS",
	}
	if n := v.Int(); n >= 0 && n < int64(len(names)) {
		return names[n]
	}
	return v.Raw
}

// saidReason reads a finish reason as it is written, "" where there is none.
func saidReason(value []byte) string {
	switch string(value) {
	case "":
		return ""
	case `"STOP"`: // nearly always
		return "STOP"
	}
	return finishReason(gjson.ParseBytes(value))
}

// blockReason reads why a prompt was refused, "" where it was not.
// Source: https://ai.google.dev/api/generate-content#BlockReason
func blockReason(v gjson.Result) string {
	if v.Type != gjson.Number {
		if v.Str == "BLOCK_REASON_UNSPECIFIED" {
			return ""
		}
		return v.Str
	}
	names := [...]string{0: "", 1: "SAFETY", 2: "OTHER", 3: "BLOCKLIST", 4: "PROHIBITED_CONTENT", 5: "IMAGE_SAFETY"}
	if n := v.Int(); n >= 0 && n < int64(len(names)) {
		return names[n]
	}
	return v.Raw
}

// misfired reports a reason that says the model failed, not that it was done.
func misfired(reason string) bool {
	switch reason {
	case "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS":
		return true
	}
	return false
}

// filtered reports a reason that says the answer was held back.
func filtered(reason string) bool {
	switch reason {
	case "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII":
		return true
	}
	return strings.HasPrefix(reason, "IMAGE_")
}

// finished says why the choice ended. The API has no reason for calls; an unknown reason is an
// end like any other.
func (c *choice) finished() providers.Event {
	ev := providers.Event{Kind: providers.EventFinish, Choice: c.index, Finish: providers.FinishStop, Native: c.finish, Logprobs: c.logprobs}
	switch {
	case c.finish == "MAX_TOKENS":
		ev.Finish = providers.FinishLength
	case filtered(c.finish):
		ev.Finish = providers.FinishContentFilter
		if !c.said {
			ev.Refusal = c.message
		}
	case c.called:
		ev.Finish = providers.FinishToolCalls
	}
	return ev
}
