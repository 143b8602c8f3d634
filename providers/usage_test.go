package providers

import (
	"math"
	"reflect"
	"testing"
)

type meterValue struct {
	m Meter
	n int64
}

func lineOf(values ...meterValue) UsageLine {
	var l UsageLine
	for _, v := range values {
		l.Set(v.m, v.n)
	}
	return l
}

func TestUsageLine_Normal(t *testing.T) {
	f := func(name string, l UsageLine, want Normal) {
		t.Helper()
		if got := l.Normal(); got != want {
			t.Errorf("%s\n got %+v\nwant %+v", name, got, want)
		}
	}
	f("nothing said", UsageLine{}, Normal{})
	f("openai: cached tokens stand in the total",
		lineOf(meterValue{InputTotal, 2006}, meterValue{CacheRead, 1920}, meterValue{OutputTotal, 300}, meterValue{Reasoning, 256}),
		Normal{InputUncached: 86, CacheRead: 1920, Output: 300, Reasoning: 256})
	f("anthropic: cached tokens stand beside the input",
		lineOf(meterValue{InputUncached, 3}, meterValue{CacheRead, 40_000}, meterValue{CacheWrite, 1_200}, meterValue{OutputTotal, 17}),
		Normal{InputUncached: 3, CacheRead: 40_000, CacheWrite5m: 1_200, Output: 17})
	f("anthropic: lifetimes named",
		lineOf(meterValue{InputUncached, 3}, meterValue{CacheWrite, 1_500}, meterValue{CacheWrite5m, 500}, meterValue{CacheWrite1h, 1_000}, meterValue{OutputTotal, 1}),
		Normal{InputUncached: 3, CacheWrite5m: 500, CacheWrite1h: 1_000, Output: 1})
	f("anthropic: one lifetime named, the rest is of the default one",
		lineOf(meterValue{InputUncached, 0}, meterValue{CacheWrite, 1_500}, meterValue{CacheWrite1h, 1_000}),
		Normal{CacheWrite5m: 500, CacheWrite1h: 1_000})
	f("gemini: thoughts stand beside the answer, tool prompts beside the prompt",
		lineOf(meterValue{InputTotal, 1_000}, meterValue{CacheRead, 800}, meterValue{InputTool, 30}, meterValue{OutputPlain, 40}, meterValue{Reasoning, 60}),
		Normal{InputUncached: 230, CacheRead: 800, Output: 100, Reasoning: 60})
	f("gemini: an answer without candidates",
		lineOf(meterValue{InputTotal, 10}, meterValue{Reasoning, 60}),
		Normal{InputUncached: 10, Output: 60, Reasoning: 60})
	f("more cached than there is: never a negative price",
		lineOf(meterValue{InputTotal, 10}, meterValue{CacheRead, 12}, meterValue{OutputTotal, 1}),
		Normal{CacheRead: 12, Output: 1})
	f("tokens of images", lineOf(meterValue{InputTotal, 100}, meterValue{ImagesIn, 60}, meterValue{OutputPlain, 50}, meterValue{ImagesOut, 40}),
		Normal{InputUncached: 100, ImageIn: 60, Output: 50, ImageOut: 40})
	f("audio and images", lineOf(meterValue{InputTotal, 100}, meterValue{AudioIn, 60}, meterValue{OutputTotal, 50}, meterValue{AudioOut, 40}, meterValue{Images, 2}, meterValue{Searches, 3}),
		Normal{InputUncached: 100, AudioIn: 60, Output: 50, AudioOut: 40, Images: 2, Searches: 3})
	f("units that are no tokens", lineOf(meterValue{Characters, 19}, meterValue{AudioInMs, 100}, meterValue{AudioOutMs, 2_500}),
		Normal{Characters: 19, AudioInMs: 100, AudioOutMs: 2_500})
	f("images of a kind", UsageLine{Variant: "1024x1792/hd", has: 1 << Images, n: [meters]int64{Images: 2}}, Normal{Images: 2, Variant: "1024x1792/hd"})
}

// Every count that a line has is added.
func TestNormal_Add(t *testing.T) {
	var sum, more Normal
	a, b := reflect.ValueOf(&sum).Elem(), reflect.ValueOf(&more).Elem()
	for i := range a.NumField() {
		if a.Field(i).Kind() == reflect.Int64 {
			a.Field(i).SetInt(5)
			b.Field(i).SetInt(int64(i))
		}
	}
	sum.Model, more.Model = "a", "b"
	sum.Add(&more)
	for i := range a.NumField() {
		if a.Field(i).Kind() == reflect.Int64 && a.Field(i).Int() != int64(5+i) {
			t.Errorf("%s is %d, want %d", a.Type().Field(i).Name, a.Field(i).Int(), 5+i)
		}
	}
	if sum.Model != "a" {
		t.Errorf("the model became %q", sum.Model)
	}
}

// The bills of public issues, where cached tokens were charged twice. A line holds each token
// once, so the price comes out as the provider's own, whichever way that provider counts.
func TestUsageLine_Normal_bills(t *testing.T) {
	type price struct{ in, read, write, out int64 } // nano-USD per token
	f := func(source string, l UsageLine, p price, want, wrong int64) {
		t.Helper()
		n := l.Normal()
		got := n.InputUncached*p.in + n.CacheRead*p.read + (n.CacheWrite5m+n.CacheWrite1h)*p.write + n.Output*p.out
		if got != want {
			t.Errorf("%s: %d nano-USD, want %d (others said %d): %+v", source, got, want, wrong, n)
		}
	}
	f("https://github.com/BerriAI/litellm/issues/9812",
		lineOf(meterValue{InputUncached, 3}, meterValue{CacheWrite, 12_304}, meterValue{CacheRead, 0}, meterValue{OutputTotal, 550}),
		price{in: 3_000, read: 300, write: 3_750, out: 15_000}, 54_399_000, 91_311_000)
	f("https://github.com/BerriAI/litellm/issues/14849",
		lineOf(meterValue{InputTotal, 262_960}, meterValue{CacheRead, 257_955}, meterValue{OutputPlain, 1_744}, meterValue{Reasoning, 0}),
		price{in: 1_250, read: 625, out: 10_000}, 184_918_125, 764_200_000)
	f("https://github.com/BerriAI/litellm/issues/11789",
		lineOf(meterValue{InputUncached, 4}, meterValue{CacheRead, 2_455}, meterValue{CacheWrite, 0}, meterValue{OutputTotal, 23}),
		price{in: 800, read: 80, write: 1_000, out: 4_000}, 291_600, 2_059_000)
	f("https://github.com/maximhq/bifrost/issues/3451",
		lineOf(meterValue{InputUncached, 6}, meterValue{CacheWrite, 159_217}, meterValue{CacheWrite5m, 159_217}, meterValue{CacheWrite1h, 0}, meterValue{OutputTotal, 2_745}),
		price{in: 5_000, read: 500, write: 6_250, out: 25_000}, 1_063_761_250, 1_859_846_250)
	f("https://github.com/maximhq/bifrost/issues/904",
		lineOf(meterValue{InputTotal, 51_232 + 1_188_096}, meterValue{CacheRead, 1_188_096}, meterValue{OutputTotal, 12_909}),
		price{in: 1_250, read: 125, out: 10_000}, 341_642_000, 1_680_000_000)
}

func usageOf(raw string, values ...meterValue) Usage {
	return Usage{Lines: []UsageLine{lineOf(values...)}, Raw: []byte(raw)}
}

func TestUsage_Merge(t *testing.T) {
	f := func(name string, want Normal, raw string, events ...Usage) {
		t.Helper()
		var u Usage
		for _, ev := range events {
			u.Merge(ev)
		}
		if got := u.Total(); got != want || string(u.Raw) != raw {
			t.Errorf("%s\n got %+v raw %s\nwant %+v raw %s", name, got, u.Raw, want, raw)
		}
	}
	// The start counts the input and a first token; the delta only repeats the output. The
	// input must survive, and the outputs must not add up.
	f("envoyproxy/ai-gateway#2290, apache/apisix#13662", Normal{InputUncached: 25, CacheRead: 100, Output: 15}, "[start,delta]",
		usageOf("start", meterValue{InputUncached, 25}, meterValue{CacheRead, 100}, meterValue{OutputTotal, 1}),
		usageOf("delta", meterValue{OutputTotal, 15}))
	// The delta corrects the start's input: the whole prompt first, then what was not cached.
	f("maximhq/bifrost#5354", Normal{InputUncached: 12, CacheRead: 30_000, CacheWrite5m: 500, Output: 90}, "delta",
		usageOf("start", meterValue{InputUncached, 30_512}, meterValue{CacheRead, 0}, meterValue{CacheWrite, 0}, meterValue{OutputTotal, 1}),
		usageOf("delta", meterValue{InputUncached, 12}, meterValue{CacheRead, 30_000}, meterValue{CacheWrite, 500}, meterValue{OutputTotal, 90}))
	f("an explicit zero wins too", Normal{InputUncached: 7, Output: 3}, "b",
		usageOf("a", meterValue{InputUncached, 7}, meterValue{CacheRead, 9}, meterValue{OutputTotal, 1}),
		usageOf("b", meterValue{InputUncached, 7}, meterValue{CacheRead, 0}, meterValue{OutputTotal, 3}))
	f("cumulative on each chunk (Gemini)", Normal{InputUncached: 8, Output: 14, Reasoning: 4}, "c",
		usageOf("a", meterValue{InputTotal, 8}), usageOf("b", meterValue{InputTotal, 8}, meterValue{OutputPlain, 5}, meterValue{Reasoning, 4}),
		usageOf("c", meterValue{InputTotal, 8}, meterValue{OutputPlain, 10}, meterValue{Reasoning, 4}))
	f("what any event names is kept, however often the others come", Normal{InputUncached: 25, Output: 30, Reasoning: 4}, "[a,b,d]",
		usageOf("a", meterValue{InputUncached, 25}, meterValue{OutputTotal, 1}), usageOf("b", meterValue{Reasoning, 4}),
		usageOf("c", meterValue{OutputTotal, 15}), usageOf("d", meterValue{OutputTotal, 30}))
	f("events that take turns", Normal{InputUncached: 7, Output: 8}, "[c,d]",
		usageOf("a", meterValue{InputUncached, 5}), usageOf("b", meterValue{OutputTotal, 6}),
		usageOf("c", meterValue{InputUncached, 7}), usageOf("d", meterValue{OutputTotal, 8}))
	f("a last event that names all stands alone", Normal{InputUncached: 25, Output: 30}, "c",
		usageOf("a", meterValue{InputUncached, 25}), usageOf("b", meterValue{OutputTotal, 15}),
		usageOf("c", meterValue{InputUncached, 25}, meterValue{OutputTotal, 30}))
	f("the same event twice", Normal{InputUncached: 8, Output: 2}, "a",
		usageOf("a", meterValue{InputTotal, 8}, meterValue{OutputTotal, 2}), usageOf("a", meterValue{InputTotal, 8}, meterValue{OutputTotal, 2}))
}

func TestUsage_Merge_lines(t *testing.T) {
	other := lineOf(meterValue{InputUncached, 100}, meterValue{OutputTotal, 10})
	other.Model, other.Tier = "advisor", "priority"
	var u Usage
	u.Merge(usageOf("a", meterValue{InputUncached, 1}, meterValue{OutputTotal, 2}))
	u.Merge(Usage{Lines: []UsageLine{lineOf(meterValue{InputUncached, 1}, meterValue{OutputTotal, 5}), other}, Estimated: true})
	if len(u.Lines) != 2 || u.Lines[1].Model != "advisor" || u.Lines[1].Tier != "priority" || !u.Estimated {
		t.Fatalf("lines %+v", u.Lines)
	}
	kind := lineOf(meterValue{Images, 1})
	kind.Variant = "1024x1024"
	u.Merge(Usage{Lines: []UsageLine{kind}})
	u.Merge(usageOf("", meterValue{Images, 0}))
	if u.Lines[0].Variant != "1024x1024" {
		t.Errorf("the variant was lost to an event without: %+v", u.Lines)
	}
	if got := u.Total(); got != (Normal{InputUncached: 101, Output: 15, Variant: "1024x1024"}) || got.Input() != 101 {
		t.Errorf("total %+v", got)
	}
	if string(u.Raw) != "a" {
		t.Errorf("raw %q was lost to an event without", u.Raw)
	}
}

// One event may name one model twice: a compound system called it twice. The next event says
// the same again, and must not count it again.
func TestUsage_Merge_calls(t *testing.T) {
	call := func(model string, in, out int64) UsageLine {
		l := lineOf(meterValue{InputTotal, in}, meterValue{OutputTotal, out})
		l.Model = model
		return l
	}
	event := Usage{Lines: []UsageLine{call("scout", 117, 4), call("scout", 520, 77), call("oss", 4_754, 618), call("scout", 3_816, 99)}}
	var u Usage
	u.Merge(event)
	u.Merge(event)
	if len(u.Lines) != 2 || u.Lines[0].Normal() != (Normal{Model: "scout", InputUncached: 4_453, Output: 180}) {
		t.Errorf("lines %+v", u.Lines)
	}
	if got := u.Total(); got.InputUncached != 9_207 || got.Output != 798 {
		t.Errorf("total %+v", got)
	}
}

func TestUsage_Merge_copies(t *testing.T) {
	frame := []byte(`{"input_tokens":1}`)
	var u Usage
	u.Merge(Usage{Lines: []UsageLine{lineOf(meterValue{InputUncached, 1})}, Raw: frame})
	copy(frame, "XXXXXXXXXXXXXXXXXX")
	if string(u.Raw) != `{"input_tokens":1}` {
		t.Errorf("raw %q points into the frame, whose buffer is reused", u.Raw)
	}
}

func TestUsageLine_Has(t *testing.T) {
	var l UsageLine
	if _, ok := l.Get(CacheRead); ok || l.Has() {
		t.Error("a fresh line says something")
	}
	l.Set(CacheRead, 0)
	if n, ok := l.Get(CacheRead); n != 0 || !ok || !l.Has() {
		t.Error("an explicit zero is not absent")
	}
}

// What no provider can mean is not counted, and never more than the ledger can add up.
func TestUsageLine_Set(t *testing.T) {
	var l UsageLine
	l.Set(OutputTotal, -5)
	if l.Has() {
		t.Error("a count below zero says something")
	}
	l.Set(OutputTotal, 7)
	l.Set(OutputTotal, math.MinInt64)
	l.Set(InputTotal, math.MaxInt64)
	l.Set(CacheRead, math.MaxInt64)
	l.Set(InputTool, math.MaxInt64)
	if n := l.Normal(); n.Output != 7 || n.InputUncached != mostCounted || n.CacheRead != mostCounted {
		t.Errorf("%+v", n)
	}
}
