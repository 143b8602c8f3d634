package bedrock_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/bedrock"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
)

func TestGolden(t *testing.T) { providertest.Golden(t, openai.Face{}, bedrock.Dialect{}) }

func TestCuts(t *testing.T) { providertest.Cuts(t, openai.Face{}, bedrock.Dialect{}, false) }

// Whatever a client asks, the upstream is sent JSON.
func TestWriteRequest(t *testing.T) {
	for _, req := range providertest.Requests(7, 200) {
		plan, err := bedrock.Dialect{}.WriteRequest(req, &providers.Call{Op: providers.OpChat, Model: "amazon.nova-pro-v1:0"})
		if err != nil {
			continue
		}
		for _, r := range plan.Requests {
			if !jsontext.Value(r.Body).IsValid() {
				t.Fatalf("%s", r.Body)
			}
		}
	}
}

// Whatever the upstream says, a reply ends once, and both readers agree on whether it is one.
func FuzzReadReply(f *testing.F) {
	for _, frame := range []string{
		`{"messageStart":{"role":"assistant"}}`, `{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"text":"a"}}}`,
		`{"contentBlockStart":{"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"t","name":"n"}}}}`,
		`{"messageStop":{"stopReason":"end_turn"}}`, `{"metadata":{"usage":{"inputTokens":1}}}`,
		`{"output":{"message":{"content":[{"text":"a"}]}},"stopReason":"end_turn","usage":{}}`, `{`, `{}`, `[]`, `null`,
	} {
		f.Add([]byte(frame), []byte(frame))
	}
	f.Fuzz(func(t *testing.T, one, two []byte) {
		d := bedrock.Dialect{}.ReadReply(&providers.Call{})
		var events []providers.Event
		for _, frame := range [][]byte{one, two} {
			events = d.Decode(events, frame)
			bedrock.Dialect{}.Observe(frame)
		}
		events = d.Close(events)
		ends := 0
		for _, ev := range events {
			if ev.Kind == providers.EventEnd || ev.Kind == providers.EventFault {
				ends++
			}
		}
		if ends != 1 {
			t.Errorf("%q, %q: %d ends", one, two, ends)
		}
	})
}
