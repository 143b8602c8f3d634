package proxy

import "testing"

// In each language a call goes where calls of the same beginning went, whatever the user says.
func TestPrefix(t *testing.T) {
	hash := func(body string) uint64 {
		t.Helper()
		var f flight
		if err := f.doc.Scan([]byte(body), nil); err != nil {
			t.Fatal(err)
		}
		return f.prefix()
	}
	f := func(call, turn, other string) {
		t.Helper()
		if hash(call) != hash(turn) {
			t.Errorf("a later turn goes elsewhere:\n%s\n%s", call, turn)
		}
		if hash(call) == hash(other) {
			t.Errorf("other instructions go the same way:\n%s\n%s", call, other)
		}
	}
	f(`{"messages":[{"role":"system","content":"a"},{"role":"user","content":"hi"}]}`,
		`{"messages":[{"role":"system","content":"a"},{"role":"user","content":"hi"},{"role":"assistant","content":"yes"}]}`,
		`{"messages":[{"role":"system","content":"b"},{"role":"user","content":"hi"}]}`)
	f(`{"system":"a","messages":[{"role":"user","content":"hi"}]}`,
		`{"system":"a","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"yes"}]}`,
		`{"system":"b","messages":[{"role":"user","content":"hi"}]}`)
	f(`{"systemInstruction":{"parts":[{"text":"a"}]},"contents":[{"parts":[{"text":"hi"}]}]}`,
		`{"systemInstruction":{"parts":[{"text":"a"}]},"contents":[{"parts":[{"text":"hi"}]},{"role":"model","parts":[{"text":"yes"}]}]}`,
		`{"systemInstruction":{"parts":[{"text":"b"}]},"contents":[{"parts":[{"text":"hi"}]}]}`)
	f(`{"instructions":"a","input":[{"role":"user","content":"hi"}]}`,
		`{"instructions":"a","input":[{"role":"user","content":"hi"},{"role":"assistant","content":"yes"}]}`,
		`{"instructions":"b","input":[{"role":"user","content":"hi"}]}`)
	f(`{"prompt":"a"}`, `{"prompt":"a","n":2}`, `{"prompt":"b"}`)
	f(`{"tools":[1],"contents":[{"role":"user"}]}`, `{"tools":[1],"contents":[{"role":"user"}],"labels":{}}`, `{"tools":[2],"contents":[{"role":"user"}]}`)
}
