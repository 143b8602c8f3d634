package openai_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
)

// assembled is what a client makes of a reply's events.
type assembled struct {
	text, reasoning, refusal string
	calls                    []providers.ToolCall
	finish                   providers.Finish
	usage                    providers.Normal
	faults, ends             int
}

func assemble(t testing.TB, call *providers.Call, body []byte) assembled {
	t.Helper()
	var a assembled
	var usage providers.Usage
	kinds, numbers := map[int]providers.Kind{}, map[int]int{}
	err := providertest.Decode(openai.Dialect{}, call, bytes.NewReader(body), func(ev *providers.Event) {
		switch ev.Kind {
		case providers.EventBlockStart:
			kinds[ev.Index] = ev.Block.Kind
			if ev.Block.Kind == providers.KindToolCall {
				numbers[ev.Index] = len(a.calls)
				a.calls = append(a.calls, *ev.Block.Call)
			}
		case providers.EventDelta:
			switch kinds[ev.Index] {
			case providers.KindText:
				a.text += ev.Text
			case providers.KindReasoning:
				a.reasoning += ev.Text
			case providers.KindRefusal:
				a.refusal += ev.Text
			case providers.KindToolCall:
				a.calls[numbers[ev.Index]].Arguments += ev.Text
			}
		case providers.EventUsage:
			usage.Merge(*ev.Usage)
		case providers.EventFinish:
			a.finish = ev.Finish
		case providers.EventFault:
			a.faults++
		case providers.EventEnd:
			a.ends++
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	a.usage = usage.Total()
	return a
}

// Random interleavings of the deltas of several calls assemble to the same calls.
func TestInterleavedToolCalls(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 0))
	for range 200 {
		n := 1 + rng.IntN(4)
		var want []providers.ToolCall
		pieces := make([][]string, n)
		for i := range n {
			args := fmt.Sprintf(`{"n":%d,"s":"%s"}`, i, string(rune('a'+rng.IntN(26))))
			want = append(want, providers.ToolCall{ID: fmt.Sprintf("call_%d", i), Name: fmt.Sprintf("f%d", i), Arguments: args})
			for len(args) > 0 {
				k := 1 + rng.IntN(len(args))
				pieces[i] = append(pieces[i], args[:k])
				args = args[k:]
			}
		}
		var body []byte
		delta := func(s string) {
			body = fmt.Appendf(body, "data: {\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[%s]}}]}\n\n", s)
		}
		started := 0
		for left := true; left; {
			left = false
			i := rng.IntN(n)
			if i >= started && started < n {
				delta(fmt.Sprintf(`{"index":%d,"id":"call_%d","type":"function","function":{"name":"f%d","arguments":""}}`, started, started, started))
				started++
			} else if i < started && len(pieces[i]) > 0 {
				delta(fmt.Sprintf(`{"index":%d,"function":{"arguments":%s}}`, i, providers.AppendString(nil, pieces[i][0])))
				pieces[i] = pieces[i][1:]
			}
			for k := range pieces {
				left = left || len(pieces[k]) > 0 || k >= started
			}
		}
		body = append(body, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n"...)
		call := providers.Call{Stream: true, ID: "r"}
		got := assemble(t, &call, body)
		again, err := providertest.Relay(openai.Face{}, openai.Dialect{}, &call, body)
		if err != nil {
			t.Fatal(err)
		}
		relayed := assemble(t, &call, again)
		if fmt.Sprint(got.calls) != fmt.Sprint(want) || fmt.Sprint(relayed.calls) != fmt.Sprint(want) {
			t.Fatalf("got %+v\nrelayed %+v\nwant %+v\n%s", got.calls, relayed.calls, want, body)
		}
	}
}

// Events that the face writes and the dialect reads assemble alike, whole and streamed.
// Together finishes with each call of a stream. All of them count, once.
func TestCallsBehindTheFinish(t *testing.T) {
	chunk := func(call, reason string) string {
		return `data: {"choices":[{"index":0,"delta":{"tool_calls":[` + call + `]},"finish_reason":` + reason + "}]}\n\n"
	}
	const first = `{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}}`
	body := chunk(first, `"tool_calls"`) +
		chunk(`{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":""}}`, "null") +
		chunk(`{"index":1,"function":{"arguments":"{\"y\":"}}`, "null") + chunk(`{"index":1,"function":{"arguments":"2}"}}`, `"tool_calls"`) +
		chunk(first, `"tool_calls"`) + "data: [DONE]\n\n"
	got := assemble(t, &providers.Call{Op: providers.OpChat, Stream: true}, []byte(body))
	want := []providers.ToolCall{{ID: "a", Name: "f", Arguments: `{"x":1}`}, {ID: "b", Name: "g", Arguments: `{"y":2}`}}
	if !slices.Equal(got.calls, want) || got.finish != providers.FinishToolCalls || got.ends != 1 || got.faults != 0 {
		t.Errorf("%+v", got)
	}
}

func TestReplyRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 0))
	words := []string{"a", "ünï", "🙂", "<b>", "\"q\"", "\n", "\\", "long piece of text"}
	for range 300 {
		events, want := randomReply(rng, words)
		for _, stream := range []bool{true, false} {
			call := providers.Call{Stream: stream, IncludeUsage: true, ID: "r", Asked: "m", Created: time.Unix(1, 0)}
			w := openai.Face{}.Writer(&call)
			var out []byte
			for i := range events {
				out = w.Write(out, &events[i])
			}
			got := assemble(t, &call, out)
			if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
				t.Fatalf("stream %v\ngot  %+v\nwant %+v\n%s", stream, got, want, out)
			}
		}
	}
}

func randomReply(rng *rand.Rand, words []string) ([]providers.Event, assembled) {
	want := assembled{finish: providers.FinishStop, ends: 1}
	events := []providers.Event{{Kind: providers.EventStart, ID: "up"}}
	index := 0
	add := func(kind providers.Kind, call *providers.ToolCall, pieces int) (all string) {
		events = append(events, providers.Event{Kind: providers.EventBlockStart, Index: index, Block: &providers.Block{Kind: kind, Call: call}})
		for range pieces {
			piece := words[rng.IntN(len(words))]
			all += piece
			events = append(events, providers.Event{Kind: providers.EventDelta, Index: index, Text: piece})
		}
		events = append(events, providers.Event{Kind: providers.EventBlockStop, Index: index})
		index++
		return all
	}
	if rng.IntN(2) == 0 {
		want.reasoning = add(providers.KindReasoning, nil, 1+rng.IntN(3))
	}
	if rng.IntN(3) > 0 {
		want.text = add(providers.KindText, nil, 1+rng.IntN(5))
	}
	for i := range rng.IntN(3) {
		call := providers.ToolCall{ID: fmt.Sprintf("c%d", i), Name: "f"}
		arguments := add(providers.KindToolCall, &call, rng.IntN(3))
		if call.Arguments = arguments; arguments == "" {
			call.Arguments = "{}"
		}
		want.calls = append(want.calls, call)
		want.finish = providers.FinishToolCalls
		events[len(events)-1].Block = nil
	}
	// The block of a start is not to be seen with arguments: they are the deltas.
	for i := range events {
		if b := events[i].Block; b != nil && b.Call != nil {
			b.Call = &providers.ToolCall{ID: b.Call.ID, Name: b.Call.Name}
		}
	}
	var line providers.UsageLine
	line.Set(providers.InputUncached, int64(rng.IntN(100)))
	line.Set(providers.CacheRead, int64(rng.IntN(100)))
	line.Set(providers.OutputTotal, int64(rng.IntN(100)))
	usage := providers.Usage{Lines: []providers.UsageLine{line}}
	want.usage = usage.Total()
	return append(events,
		providers.Event{Kind: providers.EventUsage, Usage: &usage},
		providers.Event{Kind: providers.EventFinish, Finish: want.finish},
		providers.Event{Kind: providers.EventEnd}), want
}
