package policy

import (
	"slices"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

func said(meters map[providers.Meter]int64) *providers.Usage {
	var l providers.UsageLine
	for m, n := range meters {
		l.Set(m, n)
	}
	return &providers.Usage{Lines: []providers.UsageLine{l}}
}

func TestSettle(t *testing.T) {
	body := []byte(`{"messages":[{"role":"user","content":"Tell me about the sea, please."}]}`)
	input := EstimateInput(body)
	if input < 8 || input > 30 {
		t.Fatalf("the body is estimated at %d tokens", input)
	}
	bound := storage.Bound{Input: 1000, Output: 500}
	both := map[providers.Meter]int64{providers.InputTotal: 19, providers.OutputTotal: 42}
	started := map[providers.Meter]int64{providers.InputUncached: 19, providers.CacheRead: 5, providers.OutputTotal: 1}

	f := func(name string, e Ending, want []providers.Normal, wantEstimated bool) {
		t.Helper()
		e.Bound, e.Body = bound, body
		got, estimated := Settle(nil, e)
		if !slices.Equal(got, want) || estimated != wantEstimated {
			t.Errorf("%s: %+v, estimated %v, want %+v, %v", name, got, estimated, want, wantEstimated)
		}
	}
	lines := func(l ...providers.Normal) []providers.Normal { return l }

	f("never sent", Ending{Usage: said(both)}, nil, false)
	f("never sent, and no bytes to say so", Ending{Stream: true}, nil, false)
	f("refused", Ending{Sent: true, Status: 429}, nil, false)
	f("refused by the upstream's own proxy", Ending{Sent: true, Status: 504, Whole: true}, nil, false)

	f("whole, as said", Ending{Sent: true, Status: 200, Whole: true, Usage: said(both), Content: 9000},
		lines(providers.Normal{InputUncached: 19, Output: 42}), false)
	f("a stream to its end, as said", Ending{Sent: true, Status: 200, Stream: true, Whole: true, Usage: said(both), Content: 9000},
		lines(providers.Normal{InputUncached: 19, Output: 42}), false)
	f("counted by the gateway before", Ending{Sent: true, Status: 200, Whole: true,
		Usage: &providers.Usage{Lines: said(map[providers.Meter]int64{providers.InputTotal: 7}).Lines, Estimated: true}},
		lines(providers.Normal{InputUncached: 7}), true)
	f("embeddings have no output", Ending{Sent: true, Status: 200, Whole: true, Usage: said(map[providers.Meter]int64{providers.InputTotal: 7})},
		lines(providers.Normal{InputUncached: 7}), false)
	f("whole without usage", Ending{Sent: true, Status: 200, Whole: true, Usage: &providers.Usage{}, Content: 400},
		lines(providers.Normal{InputUncached: input, Output: 110}), true)
	f("whole without usage or content", Ending{Sent: true, Status: 200, Whole: true}, lines(providers.Normal{InputUncached: input}), true)
	f("only the searches are said", Ending{Sent: true, Status: 200, Stream: true, Whole: true, Content: 4, Usage: said(map[providers.Meter]int64{providers.Searches: 2})},
		lines(providers.Normal{InputUncached: input, Output: 2, Searches: 2}), true)

	f("the client left behind the last word", Ending{Sent: true, Status: 200, Stream: true, Finish: true, Usage: said(both), Content: 9000},
		lines(providers.Normal{InputUncached: 19, Output: 42}), false)
	f("it left between the finish and the usage", Ending{Sent: true, Status: 200, Stream: true, Finish: true, Content: 400},
		lines(providers.Normal{InputUncached: input, Output: 110}), true)
	f("cut, without usage", Ending{Sent: true, Status: 200, Stream: true, Content: 400},
		lines(providers.Normal{InputUncached: input, Output: 110}), true)
	f("cut, the input was said", Ending{Sent: true, Status: 200, Stream: true, Usage: said(started), Content: 400},
		lines(providers.Normal{InputUncached: 19, CacheRead: 5, Output: 110}), true)
	f("cut, more was said than seen", Ending{Sent: true, Status: 200, Stream: true, Usage: said(both), Content: 4},
		lines(providers.Normal{InputUncached: 19, Output: 42}), true)
	f("cut, never more than the bound", Ending{Sent: true, Status: 200, Stream: true, Content: 1 << 30},
		lines(providers.Normal{InputUncached: input, Output: 500}), true)
	f("left before the stream began", Ending{Sent: true, Stream: true}, lines(providers.Normal{InputUncached: input}), true)
	f("cut, other models worked too", Ending{Sent: true, Status: 200, Stream: true, Content: 400, Usage: &providers.Usage{
		Lines: append([]providers.UsageLine{{Model: "advisor"}}, said(started).Lines...)}},
		lines(providers.Normal{Model: "advisor"}, providers.Normal{InputUncached: 19, CacheRead: 5, Output: 110}), true)

	f("a whole call that nobody waited for", Ending{Sent: true}, lines(providers.Normal{InputUncached: input, Output: 500}), true)
	f("it broke in the body", Ending{Sent: true, Status: 200, Content: 4}, lines(providers.Normal{InputUncached: input, Output: 500}), true)
	f("it broke behind the usage", Ending{Sent: true, Status: 200, Usage: said(both), Content: 400},
		lines(providers.Normal{InputUncached: 19, Output: 110}), true)
}

// Where nobody knows a bound, what was seen is all there is to go by.
func TestSettle_unbounded(t *testing.T) {
	body := []byte(`{"prompt":"` + strings.Repeat("word ", 100) + `"}`)
	f := func(e Ending, output int64) {
		t.Helper()
		e.Sent, e.Body = true, body
		got, estimated := Settle(nil, e)
		if len(got) != 1 || got[0].InputUncached != EstimateInput(body) || got[0].Output != output || !estimated {
			t.Errorf("%+v, want an output of %d", got, output)
		}
	}
	f(Ending{Content: 40}, 11)
	f(Ending{Content: 4 << 20, Stream: true}, 1<<20*11/10+1)
	f(Ending{Content: 4 << 20, Stream: true, Bound: storage.Bound{Input: 10}}, 1<<20*11/10+1)
	f(Ending{Content: 4 << 20, Stream: true, Bound: storage.Bound{Input: 10, Output: 100}}, 100)
}

func TestSettle_allocations(t *testing.T) {
	e := Ending{Sent: true, Status: 200, Whole: true, Usage: said(map[providers.Meter]int64{providers.InputTotal: 1, providers.OutputTotal: 2})}
	cut := Ending{Sent: true, Status: 200, Stream: true, Content: 4, Body: []byte(`{"messages":[{"role":"user","content":"Hi"}]}`)}
	room := make([]providers.Normal, 0, 2)
	for _, e := range []Ending{e, cut} {
		if n := testing.AllocsPerRun(100, func() { Settle(room, e) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
}
