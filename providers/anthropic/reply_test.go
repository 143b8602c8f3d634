package anthropic_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/providertest"
)

// grammar checks the order of a reply's events.
type grammar struct {
	t       *testing.T
	started bool
	ended   bool
	open    map[int]bool // by index; false once closed
	text    map[int]string
}

func check(t *testing.T) *grammar {
	return &grammar{t: t, open: map[int]bool{}, text: map[int]string{}}
}

func (g *grammar) event(ev *providers.Event) {
	if g.ended {
		g.t.Fatalf("event %d after the end", ev.Kind)
	}
	if !g.started && ev.Kind != providers.EventStart && ev.Kind != providers.EventPing && ev.Kind != providers.EventFault {
		g.t.Fatalf("event %d before the start", ev.Kind)
	}
	open, begun := g.open[ev.Index]
	switch ev.Kind {
	case providers.EventStart:
		if g.started {
			g.t.Fatal("two starts")
		}
		g.started = true
	case providers.EventBlockStart:
		if begun || ev.Block == nil || ev.Block.Kind == 0 {
			g.t.Fatalf("block %d begins twice, or as nothing", ev.Index)
		}
		g.open[ev.Index] = true
	case providers.EventDelta, providers.EventCitation:
		if !open {
			g.t.Fatalf("event %d for block %d, which is not open", ev.Kind, ev.Index)
		}
		g.text[ev.Index] += ev.Text
	case providers.EventBlockStop:
		if !open {
			g.t.Fatalf("block %d ends, but is not open", ev.Index)
		}
		g.open[ev.Index] = false
	case providers.EventEnd:
		for i, open := range g.open {
			if open {
				g.t.Fatalf("block %d is open at the end", i)
			}
		}
		g.ended = true
	case providers.EventFault:
		if ev.Fault == nil || ev.Fault.Message == "" || ev.Fault.Kind == 0 {
			g.t.Fatalf("an empty fault: %+v", ev.Fault)
		}
		g.ended = true
	}
}

func (g *grammar) read(stream bool, body []byte) {
	err := providertest.Decode(anthropic.Dialect{}, &providers.Call{Stream: stream}, bytes.NewReader(body), g.event)
	if err != nil {
		g.t.Skip(err)
	}
	if !g.ended {
		g.t.Fatal("neither end nor fault")
	}
}

func replies(f *testing.F, ext string) {
	files, err := filepath.Glob("testdata/*/upstream_response" + ext)
	if err != nil || len(files) == 0 {
		f.Fatalf("no replies: %v", err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
}

func FuzzReadStream(f *testing.F) {
	replies(f, ".sse")
	f.Add([]byte("data: {\"type\":\"message_start\",\"message\":{}}\n\ndata: {\"type\":\"content_block_start\",\"index\":1e300,\"content_block\":{\"type\":\"tool_use\",\"input\":{\"a\":1}}}\n\ndata: {\"type\":\"message_stop\"}\n\n"))
	f.Fuzz(func(t *testing.T, body []byte) { check(t).read(true, body) })
}

func FuzzReadWhole(f *testing.F) {
	replies(f, ".json")
	f.Add([]byte(`{"type":"message","content":[1,null,{"type":"text","text":7,"citations":[null,{}]},{"type":"tool_use","input":[]}],"usage":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		anthropic.Dialect{}.Observe(body)
		anthropic.Dialect{}.Fault(400, func(string) string { return "" }, body)
		check(t).read(false, body)
	})
}

// TestInterleaved: whatever the order in which the pieces of several calls come, each call is
// put together alike.
func TestInterleaved(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for round := range 200 {
		n := 2 + rng.IntN(4)
		want := make([]string, n)
		left := make([][]string, n) // events of each block, in their order
		for i := range n {
			want[i] = fmt.Sprintf(`{"city":"%s","n":%d}`, strings.Repeat("x", rng.IntN(20)), round)
			left[i] = append(left[i], fmt.Sprintf(`{"type":"content_block_start","index":%d,"content_block":{"type":"tool_use","id":"t%d","name":"f","input":{}}}`, i, i))
			for rest := want[i]; rest != ""; {
				k := 1 + rng.IntN(len(rest))
				piece := providers.AppendString(nil, rest[:k])
				left[i] = append(left[i], fmt.Sprintf(`{"type":"content_block_delta","index":%d,"delta":{"type":"input_json_delta","partial_json":%s}}`, i, piece))
				rest = rest[k:]
			}
			left[i] = append(left[i], fmt.Sprintf(`{"type":"content_block_stop","index":%d}`, i))
		}
		body := `data: {"type":"message_start","message":{"id":"m"}}` + "\n\n"
		for open := n; open > 0; {
			if i := rng.IntN(n); len(left[i]) > 0 {
				body += "data: " + left[i][0] + "\n\n"
				if left[i] = left[i][1:]; len(left[i]) == 0 {
					open--
				}
			}
		}
		body += `data: {"type":"message_delta","delta":{"stop_reason":"tool_use"}}` + "\n\ndata: " + `{"type":"message_stop"}` + "\n\n"
		g := check(t)
		g.read(true, []byte(body))
		for i := range n {
			if g.text[i] != want[i] {
				t.Fatalf("call %d is %s, want %s, of\n%s", i, g.text[i], want[i], body)
			}
		}
	}
}
