package main_test

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"
)

// A scenario is one thing that clients do. What it cannot do without is its need, and what it
// looks for beside that its want.
type scenario struct {
	name string
	told string // x-mock: how the upstream behaves
	// every says that it holds for every language and upstream, without exception.
	every bool
	play  func(c *cell)
	// breaks says that whole and streamed, the reply is not the same: it breaks off.
	breaks bool
}

// counted is the usage that the upstream tells in all of them.
const counted = "; input=19; output=42"

var scenarios = []scenario{
	{"text", "", true, playText, false},
	{"tools", "tool=get_weather", true, func(c *cell) { playTools(c, "get_weather") }, false},
	{"parallel tools", "tool=get_weather,get_time", true, func(c *cell) { playTools(c, "get_weather", "get_time") }, false},
	{"image", "", false, playImage, false},
	{"structured output", "", false, playStructured, false},
	{"reasoning, two turns", "thinking=1; tool=get_weather; reasoning=7", false, playReasoning, false},
	{"stop", "events=20", true, playStop, false},
	{"length", "events=100", true, playLength, false},
	{"refusal", "refuse", false, playRefusal, false},
	{"error", "status=429", true, playError, false},
	{"error halfway", "events=20; error=3", true, playBroken, true},
	{"cut stream", "events=20; cut=3", true, playBroken, true},
}

// begun is what an upstream that breaks off has said before.
const begun = "The mock provider"

func playText(c *cell) {
	got, ok := c.answer(&question{system: "Speak plainly.", user: "Say hello."})
	if !ok {
		return
	}
	c.need(got.text == "This is the mock provider. You said: Say hello.", "text %q", got.text)
	c.need(got.stop == c.face.words.stop, "stopped by %q", got.stop)
	c.need(got.input == 19 && got.output == 42, "usage %d and %d", got.input, got.output)
	c.need(strings.Contains(c.sent().Raw, "Speak plainly."), "the instructions are lost: %s", c.sent().Raw)
}

// playTools plays a loop of two turns. Results are found by their calls.
func playTools(c *cell, names ...string) {
	q := &question{user: "How is Oslo?", tools: true}
	got, ok := c.answer(q)
	if !ok || !calls(c, got, names...) {
		return
	}
	c.need(got.stop == c.face.words.calls, "stopped by %q", got.stop)
	q = q.then(got)
	got, ok = c.answer(q)
	if !ok {
		return
	}
	for _, name := range names {
		c.need(strings.Contains(got.text, "The tool "+name+" said: "+name+": 12"), "text %q", got.text)
	}
	c.need(got.stop == c.face.words.stop && len(got.calls) == 0, "ended by %q with %d calls", got.stop, len(got.calls))
}

// calls holds a reply to calls of these tools, and reports whether it has them.
func calls(c *cell, got *reply, names ...string) bool {
	c.Helper()
	ids := map[string]bool{}
	for i, call := range got.calls {
		ids[call.id] = true
		c.need(i < len(names) && call.name == names[i], "call %d is of %s", i, call.name)
		c.need(gjson.Get(call.args, "city").Type == gjson.String, "arguments %s", call.args)
	}
	c.need(len(ids) == len(names) && !ids[""], "calls %+v, want of %q", got.calls, names)
	return len(ids) == len(names)
}

func playImage(c *cell) {
	got, ok := c.answer(&question{user: "What is this?", image: true})
	if !ok {
		return
	}
	_, data, _ := strings.Cut(pixelURL, ",")
	c.want(strings.Contains(c.sent().Raw, data), "image")
	c.need(strings.Contains(got.text, "What is this?"), "text %q", got.text)
}

func playStructured(c *cell) {
	got, ok := c.answer(&question{user: "A person.", schema: true})
	if !ok {
		return
	}
	var person struct {
		Name *string
		Age  *int
	}
	c.want(json.Unmarshal([]byte(got.text), &person) == nil && person.Name != nil && person.Age != nil, "output of that form")
	c.want(c.sent().Get(c.up.schema).IsObject(), "the schema")
}

// playReasoning has the second turn carry back what the first was signed with. The emulator
// refuses signatures that are not its own, of these very blocks in this order.
func playReasoning(c *cell) {
	q := &question{user: "How is Oslo?", tools: true, thinks: true, most: 8000}
	got, ok := c.answer(q)
	if !ok || !calls(c, got, "get_weather") {
		return
	}
	c.need(c.sent().Get(c.up.thinks).Exists(), "the upstream was not asked to reason: %s", c.sent().Raw)
	c.want(strings.Contains(got.reasoning, "Let me think"), "reasoning")
	c.want(!c.face.countsThoughts || got.thoughts == 7, "its tokens")
	got, ok = c.answer(q.then(got))
	if !ok {
		return
	}
	c.need(strings.Contains(got.text, "The tool get_weather said"), "text %q", got.text)
	seal := c.sent().Get(c.up.seal).String()
	c.want(c.up.seal != "" && seal != "" && !strings.HasPrefix(seal, "skip_"), "signatures")
}

func playStop(c *cell) {
	q := &question{user: "Go on.", stop: "END"}
	got, ok := c.answer(q)
	if !ok {
		return
	}
	if !c.face.noStops && c.up.stops != "" {
		c.need(c.sent().Get(c.up.stops).String() == "END", "the sequence is lost: %s", c.sent().Raw)
	}
	c.need(strings.HasPrefix(got.text, begun) && got.stop == c.face.words.stop, "%q, stopped by %q", got.text, got.stop)
}

func playLength(c *cell) {
	got, ok := c.answer(&question{user: "Go on.", most: 20})
	if !ok {
		return
	}
	c.need(c.sent().Get(c.up.most).Int() == 20, "the bound is lost: %s", c.sent().Raw)
	c.need(strings.HasPrefix(got.text, begun) && len(strings.Fields(got.text)) == 20, "text %q", got.text)
	c.need(got.stop == c.face.words.length, "stopped by %q", got.stop)
}

// playRefusal wants to see that the model refused, and what it said where it says something.
func playRefusal(c *cell) {
	got, ok := c.answer(&question{user: "Do it."})
	if !ok {
		return
	}
	c.want(got.refusal != "" || got.stop == c.face.words.refusal, "that it is a refusal")
	c.want(strings.Contains(got.refusal+got.text, c.up.refusal), "the model's words")
}

func playError(c *cell) {
	got, _ := c.ask(&question{user: "Say hello."})
	c.need(c.refused != "" && got.fault.status == http.StatusTooManyRequests, "%+v", got)
	c.need(c.refused != "" && got.fault.kind == c.face.words.limited, "%+v", got.fault)
	c.refused = ""
}

// playBroken has the upstream break off: a whole reply is an error then, and a stream ends in an
// error event behind what was said, and without its end mark.
func playBroken(c *cell) {
	got, ok := c.ask(&question{user: "Go on."})
	c.need(ok == c.stream, "streamed: %t, answered: %t", c.stream, ok)
	if !ok {
		c.need(got.fault.status >= http.StatusInternalServerError && got.fault.message != "", "%+v", got.fault)
		c.refused = ""
		return
	}
	c.need(got.text == begun, "text %q", got.text)
	c.need(!got.ended && got.fault != nil && got.fault.message != "", "it ends in %+v, by its end mark: %t", got.fault, got.ended)
}
