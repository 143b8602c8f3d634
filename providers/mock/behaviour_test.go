package mock

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParseBehaviour(t *testing.T) {
	n := func(i int64) *int64 { return &i }
	f := func(header string, want Behaviour) {
		t.Helper()
		got, err := ParseBehaviour(header)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q gave %+v, %v; want %+v", header, got, err, want)
		}
	}
	f("", Behaviour{})
	f(" ; ;", Behaviour{})
	f("status=429; retry-after=2; delay=100ms; chunk=20ms; cut=3; events=50; tool=get_weather; input=19; output=42", Behaviour{
		Status: 429, RetryAfter: 2 * time.Second, Delay: 100 * time.Millisecond, Chunk: 20 * time.Millisecond,
		Cut: n(3), Events: 50, Tools: []string{"get_weather"}, Input: n(19), Output: n(42),
	})
	f("retry-after=1.5", Behaviour{RetryAfter: 1500 * time.Millisecond})
	f("retry-after=250ms;quota", Behaviour{RetryAfter: 250 * time.Millisecond, Quota: true})
	f("tool=a, b ;steps=2;thinking", Behaviour{Tools: []string{"a", "b"}, Steps: 2, Thinking: 1})
	f("slow-headers;hang=1;refuse=true;redacted=0", Behaviour{SlowHeaders: 50 * time.Millisecond, Hang: true, Refuse: true})
	f(`json={"a": 1}; finish=length`, Behaviour{JSON: `{"a": 1}`, Finish: "length"})
	f("cut=0;error=0;stall=0;cached=1;reasoning=2;pause=1s", Behaviour{
		Cut: n(0), Error: n(0), Stall: n(0), Cached: n(1), Reasoning: n(2), Pause: time.Second,
	})
}

func TestParseBehaviour_Refuses(t *testing.T) {
	f := func(header, word string) {
		t.Helper()
		if _, err := ParseBehaviour(header); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%q gave %v, want a word of %s", header, err, word)
		}
	}
	f("colour=red", "colour: no such setting")
	f("=1", "no such setting")
	f("status=200", "400 to 599")
	f("status=600", "400 to 599")
	f("status", "400 to 599")
	f("delay=-1s", "delay")
	f("delay=2h", "delay")
	f("delay=soon", "soon")
	f("events=-1", "events")
	f("events=1000000", "100000")
	f("cut=x", "cut")
	f("tool=", "tool")
	f("tool=a b", "a b")
	f("hang=maybe", "maybe")
	f("json={", "not JSON")
	f("finish=a b", "finish")
}

func FuzzParseBehaviour(f *testing.F) {
	f.Add("status=429; retry-after=2; delay=100ms")
	f.Add("tool=a,b;thinking=2;steps=3;events=4")
	f.Add("json=[];cut=0;=;;")
	f.Add("delay=9999999999999999h")
	f.Fuzz(func(t *testing.T, header string) {
		b, err := ParseBehaviour(header)
		if err != nil {
			if !reflect.DeepEqual(b, Behaviour{}) {
				t.Errorf("%q: half a behaviour beside an error: %+v", header, b)
			}
			return
		}
		for _, d := range []time.Duration{b.Delay, b.Chunk, b.Pause, b.SlowHeaders, b.RetryAfter} {
			if d < 0 || d > maxWait {
				t.Errorf("%q: waits %s", header, d)
			}
		}
		if b.Events < 0 || b.Events > maxEvents || b.Status != 0 && (b.Status < 400 || b.Status > 599) {
			t.Errorf("%q: %+v", header, b)
		}
		// Whatever was taken can be composed and filmed in every language.
		b.Events = min(b.Events, 50)
		a := newAsk([]byte(header), "m")
		for _, film := range []func(*film, *ask, *answer){filmChat, filmCompletions, filmMessage, filmGenerate} {
			var one filmTest
			one.check(t, film, a, compose(a, &b))
		}
	})
}

// A filmTest checks what holds for every film.
type filmTest struct{ film film }

func (f *filmTest) check(t *testing.T, render func(*film, *ask, *answer), a *ask, ans *answer) {
	t.Helper()
	render(&f.film, a, ans)
	var last mark
	for i, m := range f.film.marks {
		if m.start != last.end || m.content < last.content || m.pieces < last.pieces || len(f.film.data(i)) == 0 {
			t.Fatalf("mark %d is %+v behind %+v", i, m, last)
		}
		dataOf(t, string(f.film.data(i)))
		last = m
	}
	if ans.finish != finishRefuse && last.pieces != ans.total {
		t.Errorf("the film shows %d pieces of %d", last.pieces, ans.total)
	}
}
