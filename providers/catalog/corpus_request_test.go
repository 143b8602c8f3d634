package catalog_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
)

// pixel is a PNG of one dot, in place of what a URL would give.
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg=="

// A target is a model to translate for, and the rules of its provider.
type target struct {
	name, path string
	dialect    providers.Dialect
	can        providers.Capabilities
	valid      func(body object) []string
}

func targets() []target {
	claude := providers.Capabilities{Known: true, Context: 200_000, MaxOutput: 64_000}
	budget, adaptive, quick := claude, claude, claude
	budget.BudgetMin, budget.BudgetMax = 1024, 64_000
	adaptive.Efforts, adaptive.AdaptiveThinking, adaptive.NoSampling = []string{"low", "medium", "high", "xhigh", "max"}, true, true
	quick.NoThinking, quick.NoStructuredOutput, quick.MaxOutput = true, true, 4096
	flash := providers.Capabilities{Known: true, Context: 1_048_576, MaxOutput: 65_536, BudgetMax: 24_576}
	old := flash
	old.LegacySchema, old.NoThinking, old.MaxOutput = true, true, 8192
	levels := providers.Capabilities{Known: true, Context: 1_048_576, MaxOutput: 65_536, Efforts: []string{"low", "medium", "high"}, ThinkingAlways: true}
	return []target{
		{"claude-nobody-described", "/v1/messages", anthropic.Dialect{}, providers.Capabilities{}, validAnthropic},
		{"claude-sonnet-4-5", "/v1/messages", anthropic.Dialect{}, budget, validAnthropic},
		{"claude-opus-4-7", "/v1/messages", anthropic.Dialect{}, adaptive, validAnthropic},
		{"claude-3-haiku", "/v1/messages", anthropic.Dialect{}, quick, validAnthropic},
		{"gemini-2.5-flash", "/models/gemini-2.5-flash:generateContent", gemini.Dialect{}, flash, validGemini},
		{"gemini-1.5-flash", "/models/gemini-1.5-flash:generateContent", gemini.Dialect{}, old, validGemini},
		{"gemini-3-pro", "/models/gemini-3-pro:generateContent", gemini.Dialect{}, levels, validGemini},
		{"gpt-4o", "/chat/completions", openai.Dialect{}, providers.Capabilities{}, validOpenAI},
	}
}

// inbound reads every recorded OpenAI chat request.
func inbound(t *testing.T) map[string][]byte {
	t.Helper()
	folder, all := corpusFolder(t), map[string][]byte{}
	eachLine(t, folder, "inbound_openai", func(line []byte) {
		var r struct {
			ID      string          `json:"id"`
			Request json.RawMessage `json:"request"`
		}
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		all[r.ID] = r.Request
	})
	eachLine(t, folder, "translation_pairs", func(line []byte) {
		var r struct {
			Case    string          `json:"case"`
			Dialect string          `json:"inbound_dialect"`
			Request json.RawMessage `json:"inbound_request"`
		}
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		if r.Dialect == "chat-completions" {
			all[fmt.Sprintf("pair-%s-%d", r.Case, len(all))] = r.Request
		}
	})
	return all
}

func TestCorpus_requests(t *testing.T) {
	requests := inbound(t)
	for _, to := range targets() {
		t.Run(to.name, func(t *testing.T) {
			t.Parallel()
			refused := 0
			for id, raw := range requests {
				var doc providers.Document
				if err := doc.Scan(raw, nil); err != nil {
					t.Errorf("%s: %v", id, err)
					continue
				}
				asked := parse(string(raw))
				body, err := translate(t, &doc, to)
				if err != nil {
					refused++
					justified(t, id, asked, to, err)
					continue
				}
				for _, wrong := range append(to.valid(parse(string(body))), lost(asked, body, to)...) {
					t.Errorf("%s: %s", id, wrong)
				}
			}
			t.Logf("%d requests, %d of them refused for a reason", len(requests), refused)
		})
	}
}

// translate says a request in a target's words, twice, which must give the same bytes.
func translate(t *testing.T, doc *providers.Document, to target) ([]byte, error) {
	t.Helper()
	stream, _, err := doc.Bool("stream")
	if err != nil {
		return nil, err
	}
	call := providers.Call{
		Op: providers.OpChat, Doc: doc, Asked: "asked", Model: to.name, Provider: "p", Path: to.path, Stream: stream,
		ID: "chatcmpl-0", Created: time.Unix(1_700_000_000, 0), EndUser: "user-hash", Can: to.can,
	}
	write := func() ([]byte, error) {
		req, err := openai.Face{}.ReadRequest(doc)
		if err != nil {
			return nil, err
		}
		plan, err := to.dialect.WriteRequest(req, &call)
		if err == nil && len(plan.Fetch) > 0 {
			call.Fetched = map[string]providers.Media{}
			for _, url := range plan.Fetch {
				call.Fetched[url] = providers.Media{Type: "image/png", Data: pixel}
			}
			plan, err = to.dialect.WriteRequest(req, &call)
		}
		if err != nil {
			return nil, err
		}
		if len(plan.Requests) != 1 || plan.Requests[0].Path == "" {
			return nil, fmt.Errorf("a plan of %d requests", len(plan.Requests))
		}
		return plan.Requests[0].Whole(), nil
	}
	one, err := write()
	if err != nil {
		return nil, err
	}
	if two, err := write(); err != nil || string(one) != string(two) {
		t.Errorf("equal requests gave different bytes: %v", err)
	}
	return one, nil
}

// justified checks that a refusal is a 4xx that says why, and that there is a why.
func justified(t *testing.T, id string, asked object, to target, err error) {
	t.Helper()
	var fault *providers.Fault
	if !errors.As(err, &fault) || fault.Message == "" {
		t.Errorf("%s: refused with %v, which is no fault with a message", id, err)
		return
	}
	if status, _ := (openai.Face{}).Refuse(fault); status < 400 || status > 499 {
		t.Errorf("%s: refused with status %d", id, status)
	}
	if reasons := inexpressible(asked, to); len(reasons) == 0 {
		t.Errorf("%s: refused without need: %v (%s)", id, err, fault.Param)
	}
}

// inexpressible names what of a request a language has no words for, so that a refusal is right.
func inexpressible(q object, to target) (reasons []string) {
	because := func(yes bool, why string) {
		if yes {
			reasons = append(reasons, why)
		}
	}
	_, isAnthropic := to.dialect.(anthropic.Dialect)
	_, isOpenAI := to.dialect.(openai.Dialect)
	calls, asks := map[string]bool{}, false
	for _, v := range list(q["messages"]) {
		m := sub(v)
		asks = asks || str(m["role"]) == "user"
		because(str(m["role"]) == "tool" && !calls[str(m["tool_call_id"])], "orphan tool result")
		for _, c := range list(m["tool_calls"]) {
			calls[str(sub(c)["id"])] = true
			because(parse(str(sub(sub(c)["function"])["arguments"])) == nil && str(sub(sub(c)["function"])["arguments"]) != "", "invalid arguments")
		}
		for _, p := range list(m["content"]) {
			switch kind := str(sub(p)["type"]); kind {
			case "text", "refusal":
			case "image_url":
			case "input_audio":
				because(isAnthropic || sub(sub(p)["input_audio"]) == nil, "audio part")
			case "file":
				because(!strings.HasPrefix(str(sub(sub(p)["file"])["file_data"]), "data:"), "stored file")
			default:
				because(true, "part "+kind)
			}
		}
	}
	because(!asks, "no user message")
	because(to.can.NoStructuredOutput && str(sub(q["response_format"])["type"]) == "json_schema", "no structured output")
	for _, v := range list(q["tools"]) {
		because(str(sub(v)["type"]) != "function", "tool type")
	}
	choice := sub(q["tool_choice"])
	because(choice != nil && str(choice["type"]) != "function" || str(q["tool_choice"]) == "any", "tool choice form")
	for _, name := range []string{"audio", "web_search_options", "functions", "function_call", "modalities"} {
		because(q[name] != nil, name)
	}
	because(isAnthropic && (count(q["n"]) > 1 || q["logprobs"] == true), "n or logprobs")
	temperature, _ := q["temperature"].(float64)
	because(!isOpenAI && temperature > 2, "temperature")
	return reasons
}

// lost names the texts, tools and arguments of a request that are not in its translation.
func lost(asked object, body []byte, to target) (wrong []string) {
	said := "\x00" + strings.Join(leaves(parse(string(body))), "\x00") + "\x00"
	there := func(what, s string) {
		if s = squash(s); s != "" && !strings.Contains(squash(said), s) {
			wrong = append(wrong, fmt.Sprintf("lost %s %s", what, brief(s)))
		}
	}
	for _, v := range list(asked["messages"]) {
		m := sub(v)
		if str(m["role"]) == "tool" {
			continue // an object's text may be sent as the object
		}
		there("text", str(m["content"]))
		for _, p := range list(m["content"]) {
			there("text", str(sub(p)["text"]))
		}
		for _, c := range list(m["tool_calls"]) {
			f := sub(sub(c)["function"])
			there("call", str(f["name"]))
			for _, leaf := range leaves(parse(str(f["arguments"]))) {
				there("argument", leaf)
			}
		}
	}
	if str(asked["tool_choice"]) == "none" {
		return wrong
	}
	for _, v := range list(asked["tools"]) {
		there("tool", str(sub(sub(v)["function"])["name"]))
		there("description", str(sub(sub(v)["function"])["description"]))
	}
	if _, ok := to.dialect.(openai.Dialect); ok && str(parse(string(body))["model"]) != to.name {
		wrong = append(wrong, "the model is not the upstream's")
	}
	return wrong
}

// leaves lists all strings of a value, member names included, in a fixed order. A string that
// is itself a JSON object (arguments) counts with its own leaves too.
func leaves(v any) (out []string) {
	switch x := v.(type) {
	case string:
		out = append(out, x)
		if inner := parse(x); inner != nil {
			out = append(out, leaves(inner)...)
		}
	case []any:
		for _, e := range x {
			out = append(out, leaves(e)...)
		}
	case map[string]any:
		names := make([]string, 0, len(x))
		for name := range x {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			out = append(append(out, name), leaves(x[name])...)
		}
	}
	return out
}

// On the exact path the client's bytes go out as they came, but for the model and the usage
// option that the gateway needs.
func TestCorpus_exactRequests(t *testing.T) {
	for id, raw := range inbound(t) {
		var doc providers.Document
		if err := doc.Scan(raw, nil); err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		stream, _, _ := doc.Bool("stream")
		plan, err := openai.Dialect{}.Splice(&providers.Call{Op: providers.OpChat, Doc: &doc, Model: "upstream-model", Path: "/chat/completions", Stream: stream})
		if err != nil || len(plan.Requests) != 1 {
			t.Errorf("%s: %v", id, err)
			continue
		}
		var out providers.Document
		if err := out.Scan(plan.Requests[0].Whole(), nil); err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		for _, f := range doc.Fields {
			if f.Name != "model" && f.Name != "stream_options" && string(out.Value(f.Name)) != string(doc.Value(f.Name)) {
				t.Errorf("%s: %s was changed", id, f.Name)
			}
		}
		if string(out.Value("model")) != `"upstream-model"` {
			t.Errorf("%s: model %s", id, out.Value("model"))
		}
		if usage := sub(parse(string(plan.Requests[0].Whole()))["stream_options"])["include_usage"]; stream && usage != true {
			t.Errorf("%s: a stream without usage", id)
		}
	}
}
