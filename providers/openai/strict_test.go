package openai

import "testing"

func TestStrict(t *testing.T) {
	yes, no := true, false
	f := func(strict *bool, raw string, want, lost bool) {
		t.Helper()
		said, gone := Strict(strict, []byte(raw))
		if got := said != nil && *said; got != want || gone != lost {
			t.Errorf("%s: %t, lost %t", raw, got, gone)
		}
	}
	const good = `{"type":"object","properties":{"a":{"type":["string","null"]}},"required":["a"],"additionalProperties":false}`
	f(&yes, good, true, false)
	f(&no, good, false, false)
	f(nil, good, false, false)
	f(&yes, `{"type":"object","properties":{},"additionalProperties":false}`, true, false)
	f(&yes, `{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"required":["a"],"additionalProperties":false,"$defs":{"A":`+good+`}}`, true, false)
	for _, bad := range []string{
		`{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}`,
		`{"type":"object","properties":{"a":{"type":"string"},"b":{}},"required":["a"],"additionalProperties":false}`,
		`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}`,
		`{"type":"object","properties":{"a":{"type":["object","null"],"properties":{}}},"required":["a"],"additionalProperties":false}`,
		`{"type":"object","properties":{"a":{"oneOf":[{"type":"string"}]}},"required":["a"],"additionalProperties":false}`,
		`{"type":"array","items":{"type":"string"}}`, `{"anyOf":[` + good + `]}`, `[]`, `{`, ``,
	} {
		f(&yes, bad, false, true)
		f(&no, bad, false, false)
	}
}
