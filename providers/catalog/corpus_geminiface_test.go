package catalog_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/providertest"
)

// What Google's clients asked goes to Gemini as it came, and so does what it answered.
func TestCorpus_geminiExact(t *testing.T) {
	requests, replies := 0, 0
	for _, name := range []string{"gemini", "vertex"} {
		eachLine(t, corpusFolder(t), name, func(line []byte) {
			o := gjson.ParseBytes(line)
			kind := o.Get("kind").Str
			if kind != "generateContent" && kind != "streamGenerateContent" {
				return
			}
			id := o.Get("id").Str
			if body := o.Get("request_body"); body.IsObject() && !body.Get("model").Exists() {
				requests++
				splicedAsItCame(t, id, body.Raw)
			}
			if body := o.Get("response_body"); body.Type == gjson.String && o.Get("status").Int() == 200 {
				replies++
				passedAsItCame(t, id, body.Str)
			}
		})
	}
	t.Logf("%d requests, %d streams", requests, replies)
	if requests < 500 || replies < 100 {
		t.Errorf("only %d requests and %d streams", requests, replies)
	}
}

func splicedAsItCame(t *testing.T, id, body string) {
	t.Helper()
	var doc providers.Document
	if err := doc.Scan([]byte(body), nil); err != nil {
		t.Errorf("%s: %v", id, err)
		return
	}
	plan, err := gemini.Dialect{}.Splice(providers.Call{Op: providers.OpChat, Doc: &doc, Model: "m", Path: "/models/m:generateContent"})
	if err != nil || string(plan.Requests[0].Body) != body || len(plan.Dropped) > 0 {
		t.Errorf("%s: sent %s, %v", id, brief(string(plan.Requests[0].Body)), err)
	}
}

func passedAsItCame(t *testing.T, id, body string) {
	t.Helper()
	var out []byte
	writer := gemini.Face{}.Writer(providers.Call{Stream: true})
	err := providertest.Frames(true, bytes.NewReader([]byte(body)), func(raw, data []byte) {
		out = append(out, raw...)
		writer.Passed(data)
	})
	if err != nil || string(out) != body {
		t.Errorf("%s: %d bytes of %d, %v", id, len(out), len(body), err)
	}
}

// Every reply of the others comes to Google's clients as what it said, in the form of Gemini's own
// replies.
func TestCorpus_geminiFace(t *testing.T) {
	folder := corpusFolder(t)
	for _, name := range []string{"openai", "anthropic", "groq", "huggingface", "azure"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			compared := 0
			eachRecord(t, folder, name, func(r *record) {
				if tongue := tongueOf(r); tongue != nil && r.Status == 200 {
					compared += retoldToGoogle(t, r, tongue)
				}
			})
			if t.Logf("%d replies", compared); compared < 10 {
				t.Errorf("only %d replies could be compared", compared)
			}
		})
	}
}

func retoldToGoogle(t *testing.T, r *record, tongue *tongue) int {
	t.Helper()
	body, stream := r.wire(t)
	frames := []string{string(body)}
	if stream {
		frames = framesOf(t, bytes.NewReader(body))
	}
	said, ok := tongue.read(frames)
	if !ok || said.fault != nil || !said.ended {
		return 0
	}
	call := r.call(stream)
	frames, err := retell(gemini.Face{}, tongue.dialect, call, frames)
	if err != nil {
		t.Errorf("%s: %v", r.ID, err)
		return 1
	}
	for _, wrong := range ungrammatical(frames, stream) {
		t.Errorf("%s: %s", r.ID, wrong)
	}
	got, ok := readGemini(frames)
	if !ok {
		t.Errorf("%s: it cannot be read: %s", r.ID, brief(fmt.Sprint(frames)))
		return 1
	}
	for _, wrong := range said.asGoogleReads(r.Kind).differs(got) {
		t.Errorf("%s: %s", r.ID, wrong)
	}
	return 1
}

// asGoogleReads is what a reply says where refusals are text, and arguments objects.
func (w *told) asGoogleReads(kind string) *told {
	out := &told{ended: true, choices: map[int]*toldChoice{}, usage: w.usage}
	for i, c := range w.choices {
		mine := *c
		mine.native, mine.seals, mine.media, mine.urls = "", nil, nil, nil
		if kind == "chat" {
			mine.text += mine.refusal
		}
		mine.refusal = ""
		mine.calls = nil
		for _, call := range c.calls {
			if args := []byte(call.args); call.args != "" && (!json.Valid(args) || gjson.ParseBytes(args).Raw[0] != '{') {
				call.args = `{"arguments":` + text(call.args) + `}`
			}
			mine.calls = append(mine.calls, call)
		}
		if len(c.calls) > 0 && mine.finish != nil {
			mine.finish = append([]providers.Finish{providers.FinishToolCalls}, mine.finish...)
		}
		out.choices[i] = &mine
	}
	return out
}

// ungrammatical holds responses to the order that Gemini's own follow: all of one model and id;
// parts of one kind each; behind a candidate's reason to finish nothing more of it; and last a
// response that gives the reason, with the usage.
func ungrammatical(frames []string, stream bool) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if !stream && len(frames) != 1 || len(frames) == 0 {
		return []string{fmt.Sprintf("%d responses", len(frames))}
	}
	first, finished := parse(frames[0]), map[int64]bool{}
	var last object
	for _, data := range frames {
		o := parse(data)
		if o == nil || o["responseId"] != first["responseId"] || o["modelVersion"] != first["modelVersion"] {
			say("a response of another reply: %s", brief(data))
		}
		for _, v := range list(o["candidates"]) {
			c := sub(v)
			index := count(c["index"])
			if finished[index] {
				say("candidate %d goes on behind its end", index)
			}
			if content := sub(c["content"]); content != nil && str(content["role"]) != "model" {
				say("a content of the role %q", str(content["role"]))
			}
			for _, part := range list(sub(c["content"])["parts"]) {
				if !onePart(sub(part)) {
					say("a part %s", brief(text(part)))
				}
			}
			finished[index] = c["finishReason"] != nil
		}
		last = o
	}
	for index, over := range finished {
		if !over {
			say("candidate %d has no end", index)
		}
	}
	if blocked := sub(last["promptFeedback"])["blockReason"]; len(finished) == 0 && blocked == nil {
		say("no candidates")
	}
	if sub(last["usageMetadata"]) == nil {
		say("the last response has no usage: %s", brief(frames[len(frames)-1]))
	}
	return wrong
}

// onePart reports a part with the data of one kind, in that kind's form.
func onePart(p object) bool {
	kinds := 0
	for name, v := range p {
		switch name {
		case "text":
			if _, ok := v.(string); !ok {
				return false
			}
			kinds++
		case "functionCall":
			call := sub(v)
			if str(call["name"]) == "" || call["args"] != nil && sub(call["args"]) == nil {
				return false
			}
			kinds++
		case "inlineData", "fileData", "executableCode", "codeExecutionResult", "toolCall", "toolResponse":
			kinds++
		}
	}
	return kinds == 1
}

// The grammar is that of Gemini's own replies.
func TestCorpus_geminiGrammar(t *testing.T) {
	replies, odd := 0, 0
	eachRecord(t, corpusFolder(t), "gemini", func(r *record) {
		tongue := tongueOf(r)
		if tongue == nil || r.Status != 200 {
			return
		}
		body, stream := r.wire(t)
		frames := []string{string(body)}
		if stream {
			frames = framesOf(t, bytes.NewReader(body))
		}
		replies++
		if wrong := ungrammatical(frames, stream); len(wrong) > 0 {
			odd++
			t.Logf("%s (%s): %q", r.ID, r.Kind, wrong)
		}
	})
	if replies < 500 || odd*20 > replies {
		t.Errorf("%d of %d replies are of another form", odd, replies)
	}
}
