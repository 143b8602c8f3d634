package mock

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"
)

// skipSignature is what Google documents for calls that another model made.
// Source: https://ai.google.dev/gemini-api/docs/thought-signatures
const skipSignature = "skip_thought_signature_validator"

// A generateTurn is one content, as far as its neighbours must fit to it.
type generateTurn struct {
	role      string
	index     int
	calls     []string // names, in order
	responses []string
	signed    bool   // the first call has a signature
	seal      string // of the first call
}

func (g *generateReader) readContents() *refusal {
	var turns []generateTurn
	current := 0 // where the turns since the user's last text begin
	for i, one := range g.contents.Array() {
		turn := generateTurn{role: one.Get("role").Str, index: i}
		if refused := g.content(one, &turn); refused != nil {
			return refused
		}
		if refused := fits(&turn, turns); refused != nil {
			return refused
		}
		turns = append(turns, turn)
		switch {
		case len(turn.calls) > 0:
			g.ask.rounds++
			g.ask.results = nil
		case turn.role == "model":
			g.ask.results = nil
		case len(turn.responses) == 0:
			current = i
			g.ask.rounds, g.ask.results = 0, nil
		}
	}
	last := turns[len(turns)-1]
	if last.role == "model" {
		return invalidf("Please ensure that multiturn requests end with a user role or a function response.")
	}
	return signedSince(turns, current)
}

// fits holds a turn of calls or responses against the one before.
func fits(turn *generateTurn, before []generateTurn) *refusal {
	var last generateTurn
	if len(before) > 0 {
		last = before[len(before)-1]
	}
	if len(turn.calls) > 0 && last.role != "user" && last.role != "function" {
		return invalidf("Please ensure that function call turn comes immediately after a user turn or after a function response turn.")
	}
	if len(turn.responses) != len(last.calls) {
		if len(last.calls) == 0 {
			return invalidf("Please ensure that function response turn comes immediately after a function call turn.")
		}
		return invalidf("Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.")
	}
	for _, name := range turn.responses {
		if !contains(last.calls, name) {
			return invalidf("Please ensure that function response name matches a function call of the turn before: %s", name)
		}
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, one := range list {
		if one == s {
			return true
		}
	}
	return false
}

// signedSince wants each step of the current turn to carry its signature on its first call, as
// Gemini 3 does, and every signature that is there to be whole.
func signedSince(turns []generateTurn, current int) *refusal {
	for i := range turns {
		t := &turns[i]
		switch {
		case len(t.calls) == 0:
		case !t.signed && i > current:
			return invalidf("Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call `default_api:%s` , position %d. Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.", t.calls[0], i+1)
		case t.signed && !isSkip(t.seal) && t.seal != sealed("gemini", t.calls...):
			return invalidf("Corrupted thought signature.")
		}
	}
	return nil
}

func isSkip(signature string) bool {
	raw, err := base64.StdEncoding.DecodeString(signature)
	return signature == skipSignature || err == nil && string(raw) == skipSignature
}

func (g *generateReader) content(one gjson.Result, turn *generateTurn) *refusal {
	switch turn.role {
	case "", "user":
		turn.role = "user"
	case "model", "function":
	default:
		return invalidf("Please use a valid role: user, model.")
	}
	parts := one.Get("parts").Array()
	if len(parts) == 0 {
		return invalidf("* GenerateContentRequest.contents[%d].parts: contents.parts must not be empty.\n", turn.index)
	}
	for j, p := range parts {
		if refused := g.part(fmt.Sprintf("contents[%d].parts[%d]", turn.index, j), p, turn); refused != nil {
			return refused
		}
	}
	return nil
}

func (g *generateReader) part(at string, p gjson.Result, turn *generateTurn) *refusal {
	signature := either(p, "thoughtSignature", "thought_signature")
	kind := ""
	var data gjson.Result
	var refused *refusal
	p.ForEach(func(name, v gjson.Result) bool {
		switch name.Str {
		case "text", "functionCall", "functionResponse", "inlineData", "fileData", "executableCode", "codeExecutionResult":
			kind, data = name.Str, v
		case "inline_data", "file_data":
			kind, data = "inlineData", v
		case "function_call":
			kind, data = "functionCall", v
		case "function_response":
			kind, data = "functionResponse", v
		case "thought", "thoughtSignature", "thought_signature", "videoMetadata", "mediaResolution", "media_resolution", "partMetadata":
		default:
			refused = unknownName(name.Str, at)
		}
		return refused == nil
	})
	if refused != nil {
		return refused
	}
	switch kind {
	case "":
		return invalidf("* GenerateContentRequest.%s.data: required oneof field 'data' must have one initialized field\n", at)
	case "text":
		return g.text(p, signature, turn)
	case "functionCall":
		return turn.call(at, data, signature)
	case "functionResponse":
		name := data.Get("name").Str
		if name == "" || !data.Get("response").IsObject() {
			return invalidf("* GenerateContentRequest.%s.function_response: name and response are required.\n", at)
		}
		turn.responses = append(turn.responses, name)
		g.ask.results = append(g.ask.results, result{name, responseText(data.Get("response"))})
	}
	return nil
}

// responseText gives a result as text: the usual single member's, or the whole object.
func responseText(v gjson.Result) string {
	for _, name := range [...]string{"output", "result", "error"} {
		if one := v.Get(name); one.Type == gjson.String {
			return one.Str
		}
	}
	return v.Raw
}

func (g *generateReader) text(p, signature gjson.Result, turn *generateTurn) *refusal {
	if turn.role == "user" && !p.Get("thought").Bool() {
		if text := p.Get("text").Str; strings.TrimSpace(text) != "" {
			g.ask.user = text
		}
	}
	if signature.Exists() && !isToken("gemini text", signature.Str) && !isSkip(signature.Str) {
		return invalidf("Corrupted thought signature.")
	}
	return nil
}

func (t *generateTurn) call(at string, data, signature gjson.Result) *refusal {
	name := data.Get("name").Str
	switch {
	case t.role != "model":
		return invalidf("* GenerateContentRequest.%s: function calls are only allowed in a model turn.\n", at)
	case name == "":
		return invalidf("* GenerateContentRequest.%s.function_call.name: Name cannot be empty.\n", at)
	case data.Get("args").Exists() && !data.Get("args").IsObject():
		return invalid(at+".function_call.args", "Invalid value at '"+at+".function_call.args' (type.googleapis.com/google.protobuf.Struct)")
	}
	if len(t.calls) == 0 {
		t.signed, t.seal = signature.Exists(), signature.Str
	} else if signature.Exists() && !isSkip(signature.Str) {
		return invalidf("Corrupted thought signature.") // the mock signs only the first call of a step
	}
	t.calls = append(t.calls, name)
	return nil
}
