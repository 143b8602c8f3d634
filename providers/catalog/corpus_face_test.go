package catalog_test

import (
	"bytes"
	"hash/crc32"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
	"github.com/aistrale/aistrale/providers/responses"
)

// A listener is a client of one language.
type listener struct {
	face providers.Face
	read func(events []string) (*told, bool)
	// form names what of a reply is not of the form that the language's own have.
	form func(wire []byte, frames []string, call *providers.Call) []string
	// hears is what an answer says in this language's words: one of several choices, or of none.
	hears func(c *toldChoice, stream bool)
	// single is set where the language has one choice only.
	single bool
}

var listeners = []*listener{
	{face: openai.Face{}, read: readOpenAI, hears: (*toldChoice).asChat, form: func(_ []byte, frames []string, call *providers.Call) []string {
		return malformed(frames, call)
	}},
	{face: anthropic.Face{}, read: readAnthropic, hears: (*toldChoice).asMessage, form: messageForm, single: true},
	{face: responses.Face{}, read: readResponses, hears: (*toldChoice).asResponse, form: responseForm, single: true},
	{face: gemini.Face{}, read: readGemini, hears: (*toldChoice).asContent, form: func(_ []byte, frames []string, call *providers.Call) []string {
		return ungrammatical(frames, call.Stream)
	}},
}

// Every reply of every provider comes to the clients of every language as what it said, in the
// form that the language's own replies have; streamed and whole it says the same.
func TestCorpus_faces(t *testing.T) {
	folder := corpusFolder(t)
	var mu sync.Mutex
	heard := map[string]int{} // by the vendor, and by the listener's language
	t.Cleanup(func() {
		for _, vendor := range vendors {
			if heard["of "+vendor] < 15 {
				t.Errorf("only %d replies of %s were heard", heard["of "+vendor], vendor)
			}
		}
		for _, l := range listeners {
			if n := heard["in "+l.face.Language()]; n < 400 {
				t.Errorf("only %d replies were heard in %s", n, l.face.Language())
			}
		}
	})
	for _, name := range corpusFiles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachRecord(t, folder, name, func(r *record) {
				tongue := tongueOf(r)
				if tongue == nil || r.Status != 200 || !sampled(name, r.ID) {
					return
				}
				for _, l := range listeners {
					if !l.own(r) && l.hear(t, r, tongue) { // its own replies go by as they came
						mu.Lock()
						heard["of "+r.Provider]++
						heard["in "+l.face.Language()]++
						mu.Unlock()
					}
				}
			})
		})
	}
}

// sampled picks every third record of the large files, unless all shall be proved.
func sampled(file, id string) bool {
	large := file == "openai" || file == "anthropic" || file == "gemini"
	return !large || os.Getenv("AISTRALE_PROVE") == "1" || crc32.ChecksumIEEE([]byte(id))%3 == 0
}

// hear hands a reply on, and names what was lost on the way. It reports whether there was one.
func (l *listener) hear(t *testing.T, r *record, tongue *tongue) bool {
	t.Helper()
	body, stream := r.wire(t)
	frames := []string{string(body)}
	if stream {
		frames = framesOf(t, bytes.NewReader(body))
	}
	said, ok := tongue.read(frames)
	if !ok || said.fault != nil || !said.ended {
		return false
	}
	for _, as := range []bool{stream, !stream} {
		for _, wrong := range l.retold(tongue, *r.call(stream), frames, as, l.expect(said, as)) {
			t.Errorf("%s to %s, streamed %v, as a stream %v: %s", r.ID, l.face.Language(), stream, as, wrong)
		}
	}
	return true
}

func (l *listener) retold(tongue *tongue, call providers.Call, frames []string, as bool, want *told) []string {
	wire, events, err := retell(l.face, tongue.dialect, call, frames, as)
	if err != nil {
		return []string{err.Error()}
	}
	got, ok := l.read(events)
	if !ok {
		return []string{"it cannot be read: " + brief(string(wire))}
	}
	call.Stream = as
	for _, c := range got.choices {
		c.reasoning = unspaced(c.reasoning)
	}
	wrong := append(want.differs(got), l.form(wire, events, &call)...)
	for _, c := range got.choices {
		for _, call := range c.calls {
			if call.id == "" {
				wrong = append(wrong, "a call has no id")
			}
		}
	}
	return wrong
}

func unspaced(s string) string { return strings.Join(strings.Fields(s), "") }

// expect is what a reply says in the listener's words.
func (l *listener) expect(said *told, stream bool) *told {
	want := &told{ended: true, choices: map[int]*toldChoice{}, usage: said.usage}
	if u := said.usage; u != nil && l.face == (gemini.Face{}) { // thoughts are a part of the output there
		want.usage = &toldUsage{input: u.input, output: u.output, cached: u.cached, reasoning: min(u.reasoning, u.output)}
	}
	for i, c := range said.choices {
		if i > 0 && l.single {
			continue
		}
		w := *c
		// Seals and media have their own places, which the languages' golden cases hold.
		w.native, w.seals, w.media = "", nil, nil
		w.reasoning = unspaced(w.reasoning) // Chat tells blocks of it apart by a blank line
		// The blocks decide: OpenAI itself says stop for a call that was forced by its name.
		if w.finish != nil && len(w.calls) > 0 {
			w.finish = append([]providers.Finish{providers.FinishToolCalls}, w.finish...)
		}
		l.hears(&w, stream)
		want.choices[i] = &w
	}
	return want
}

func (c *toldChoice) asChat(bool) { c.refusal = "" }

// asMessage: what a model refuses with is text, and the reason to stop says that it is none.
func (c *toldChoice) asMessage(stream bool) {
	if c.refusal != "" {
		c.text, c.refusal = c.text+c.refusal, ""
		c.finish = append([]providers.Finish{providers.FinishContentFilter}, c.finish...)
	}
	c.wrapArguments(stream)
}

func (c *toldChoice) asResponse(bool) {}

// asContent: what a model refuses with is text.
func (c *toldChoice) asContent(bool) {
	c.text, c.refusal = c.text+c.refusal, ""
	c.wrapArguments(false)
}

// wrapArguments gives a call whose arguments are no object one, as languages need it that know
// no others. What comes in pieces may be cut off, as they are at their owners'.
func (c *toldChoice) wrapArguments(pieces bool) {
	calls := c.calls
	c.calls = nil
	for _, call := range calls {
		if said := strings.TrimSpace(call.args); said != "" && parse(said) == nil && (said[0] != '{' || !pieces) {
			call.args = `{"arguments":` + text(call.args) + `}`
			if said == "null" {
				call.args = "{}"
			}
		}
		c.calls = append(c.calls, call)
	}
}

func messageForm(wire []byte, frames []string, call *providers.Call) []string {
	if !call.Stream {
		o := parse(frames[0])
		if str(o["type"]) != "message" || str(o["role"]) != "assistant" || str(o["id"]) == "" || o["model"] != call.Asked || str(o["stop_reason"]) == "" {
			return []string{"no message: " + brief(frames[0])}
		}
		return nil
	}
	_, _, wrong := providertest.MessageStream(wire)
	return wrong
}

func responseForm(wire []byte, frames []string, call *providers.Call) []string {
	if !call.Stream {
		o := parse(frames[0])
		if str(o["object"]) != "response" || str(o["id"]) == "" || o["model"] != call.Asked {
			return []string{"no response: " + brief(frames[0])}
		}
		return nil
	}
	_, wrong := providertest.ResponseStream(wire)
	return wrong
}

// The forms are those of the providers' own replies.
func TestCorpus_forms(t *testing.T) {
	folder := corpusFolder(t)
	for _, l := range listeners[1:] { // Chat's dialects take liberties with theirs
		t.Run(l.face.Language(), func(t *testing.T) {
			replies, odd := 0, 0
			for _, name := range []string{"openai", "azure", "anthropic", "gemini"} { // vertex has vendors' own test data
				eachRecord(t, folder, name, func(r *record) {
					tongue := tongueOf(r)
					if tongue == nil || r.Status != 200 || !l.own(r) {
						return
					}
					body, stream := r.wire(t)
					if !stream {
						return
					}
					replies++
					wire := bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n"))
					if wrong := l.form(wire, framesOf(t, bytes.NewReader(body)), r.call(true)); len(wrong) > 0 {
						odd++
						t.Logf("%s: %q", r.ID, wrong[:min(len(wrong), 3)])
					}
				})
			}
			if t.Logf("%d of %d streams are of another form", odd, replies); replies < 100 || odd*10 > replies {
				t.Errorf("%d of %d streams are of another form", odd, replies)
			}
		})
	}
}

// own reports whether a record is of the listener's language, as its owner speaks it.
func (l *listener) own(r *record) bool {
	switch r.Kind {
	case "messages":
		return l.face == (anthropic.Face{})
	case "responses":
		return l.face == (responses.Face{})
	case "generateContent", "streamGenerateContent":
		return l.face == (gemini.Face{})
	}
	return l.face == (openai.Face{})
}
