package gemini

import (
	"github.com/go-json-experiment/json/jsontext"
	"github.com/tidwall/gjson"
)

// hiddenKinds are the parts that other languages have no word for: what the provider's own tools
// did. The reader seals them whole as reasoning without text, so that they come back in place.
func hiddenKind(name string) bool {
	switch name {
	case "executableCode", "codeExecutionResult", "toolCall", "toolResponse":
		return true
	}
	return false
}

// hiddenPart reports whether raw is such a part and nothing else. It came back through the
// client, who must not smuggle in a part that reaches a network or names a stored object.
func hiddenPart(raw []byte) bool {
	if !jsontext.Value(raw).IsValid() || raw[0] != '{' {
		return false
	}
	kinds, good := 0, true
	gjson.ParseBytes(raw).ForEach(func(name, value gjson.Result) bool {
		switch {
		case hiddenKind(name.Str) && value.IsObject():
			kinds++
		case name.Str == "thoughtSignature" && value.Type == gjson.String, name.Str == "thought" && value.IsBool():
		default:
			good = false
		}
		return good
	})
	return good && kinds == 1
}
