package proxy

import (
	"errors"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
)

// A side that cannot be told is left out by itself, and why says nothing that anybody has said.
func TestCaptured_TranscriptOfOneSide(t *testing.T) {
	const asked = `{"model":"m","messages":[{"role":"user","content":"my secret"}]}`
	f := func(name, request string, redacted func([]byte) ([]byte, error), input, output bool, why error) {
		t.Helper()
		c := &Captured{
			Request: []byte(request), Response: []byte(wholeReply),
			face: openai.Face{}, call: providers.Call{Op: providers.OpChat},
		}
		m, err := c.Transcript(func(string) providers.Dialect { return openai.Dialect{} }, redacted)
		if !errors.Is(err, why) || err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error is %v, want %v", name, err, why)
		}
		if (m.Input != nil) != input || (m.Output != nil) != output {
			t.Errorf("%s: the input is %s, the output %s", name, m.Input, m.Output)
		}
	}
	as := func(b []byte) ([]byte, error) { return b, nil }
	asks := func(b []byte) bool { return strings.Contains(string(b), "messages") }
	f("both", asked, as, true, true, nil)
	f("no request", `{"model":"m","messages":[{"role":"secret"}]}`, as, false, true, errAskedWords)
	f("no redacting of the answer", asked, func(b []byte) ([]byte, error) {
		if asks(b) {
			return b, nil
		}
		return nil, errors.New("secret")
	}, true, false, errAnsweredWords)
	f("a reader that breaks", asked, func(b []byte) ([]byte, error) {
		if asks(b) {
			panic("secret")
		}
		return b, nil
	}, false, true, errAskedWords)
	f("neither", asked, func([]byte) ([]byte, error) { return nil, errors.New("secret") }, false, false, errAskedWords)
}
