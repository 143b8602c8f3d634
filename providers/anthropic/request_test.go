package anthropic_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/providertest"
)

var (
	plainID   = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)
	plainName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`)
)

// written gives the body for a request, nil where it was refused. Writing it twice must give
// equal bytes.
func written(t *testing.T, req *providers.Request, call providers.Call) []byte {
	t.Helper()
	call.Model, call.Asked = "claude-x", "anthropic/claude-x"
	plan, err := anthropic.Dialect{}.WriteRequest(req, &call)
	if err != nil {
		var fault *providers.Fault
		if !errors.As(err, &fault) || fault.Kind != providers.FaultInvalid || fault.Param == "" || fault.Message == "" {
			t.Fatalf("refused with %#v", err)
		}
		return nil
	}
	again, err := anthropic.Dialect{}.WriteRequest(req, &call)
	if err != nil || !bytes.Equal(plan.Requests[0].Body, again.Requests[0].Body) {
		t.Fatalf("equal requests, other bytes (%v)\n%s\n%s", err, plan.Requests[0].Body, again.Requests[0].Body)
	}
	return plan.Requests[0].Body
}

// holds checks a body against the API's own rules.
// Source: https://docs.claude.com/en/api/messages
func holds(t *testing.T, body []byte) {
	t.Helper()
	if !gjson.ValidBytes(body) {
		t.Fatalf("not JSON: %s", body)
	}
	bad := func(why string) {
		t.Helper()
		t.Fatalf("%s:\n%s", why, body)
	}
	q := gjson.ParseBytes(body)
	seen := map[string]bool{}
	q.ForEach(func(k, _ gjson.Result) bool {
		if seen[k.String()] {
			bad("a member comes twice: " + k.String())
		}
		seen[k.String()] = true
		return true
	})
	if q.Get("max_tokens").Int() < 1 {
		bad("max_tokens")
	}
	if b := q.Get("thinking.budget_tokens"); q.Get("thinking.type").String() == "enabled" &&
		(b.Int() < 1024 || b.Int() >= q.Get("max_tokens").Int() || q.Get("temperature").Exists() || q.Get("top_k").Exists()) {
		bad("thinking")
	}
	if n := strings.Count(string(body), `"cache_control":{"type":"ephemeral"`); n > 4 {
		bad("more than four cache marks")
	}
	for _, b := range q.Get("system").Array() {
		if strings.TrimSpace(b.Get("text").String()) == "" {
			bad("an empty system block")
		}
	}
	holdsTools(q, bad)
	holdsMessages(q.Get("messages").Array(), bad)
}

func holdsTools(q gjson.Result, bad func(string)) {
	names := map[string]bool{}
	for _, tool := range q.Get("tools").Array() {
		name := tool.Get("name").String()
		if names[name] || !plainName.MatchString(name) {
			bad("tool name " + name)
		}
		names[name] = true
		if !tool.Get("type").Exists() && tool.Get("input_schema.type").String() != "object" {
			bad("input_schema of " + name)
		}
	}
	choice := q.Get("tool_choice")
	if !choice.Exists() {
		return
	}
	kind := choice.Get("type").String()
	forced := kind == "any" || kind == "tool"
	thinks := q.Get("thinking.type").String()
	if len(names) == 0 || forced && (thinks == "enabled" || thinks == "adaptive") || kind == "none" && choice.Get("disable_parallel_tool_use").Exists() ||
		kind == "tool" && !names[choice.Get("name").String()] {
		bad("tool_choice")
	}
}

func holdsMessages(messages []gjson.Result, bad func(string)) {
	if len(messages) == 0 {
		bad("no messages")
	}
	ids := map[string]bool{}
	var open []string
	before := ""
	for i, m := range messages {
		role := m.Get("role").String()
		if role == before || role != "user" && role != "assistant" {
			bad("roles do not alternate")
		}
		before = role
		content := m.Get("content").Array()
		if len(content) == 0 {
			bad("an empty message")
		}
		var answered, calls []string
		late := false
		for _, b := range content {
			switch kind := b.Get("type").String(); kind {
			case "text":
				if strings.TrimSpace(b.Get("text").String()) == "" {
					bad("an empty text")
				}
			case "tool_use":
				id := b.Get("id").String()
				if role != "assistant" || ids[id] || !plainID.MatchString(id) || !plainName.MatchString(b.Get("name").String()) || !b.Get("input").IsObject() {
					bad("a call")
				}
				ids[id] = true
				calls = append(calls, id)
			case "tool_result":
				if role != "user" || late {
					bad("a result that is not first")
				}
				answered = append(answered, b.Get("tool_use_id").String())
			case "thinking", "redacted_thinking":
				if role != "assistant" {
					bad("a user who thinks")
				}
			}
			late = late || b.Get("type").String() != "tool_result"
		}
		if !sameSet(open, answered) {
			bad("results do not answer the calls")
		}
		if open = calls; len(open) > 0 && i == len(messages)-1 {
			bad("calls without results at the end")
		}
		if role == "assistant" && i == len(messages)-1 {
			if text := content[len(content)-1].Get("text").String(); strings.TrimRight(text, " \n\t\u00a0") != text {
				bad("a prefill that ends in white space")
			}
		}
	}
}

func sameSet(a, b []string) bool {
	have := map[string]int{}
	for _, x := range a {
		have[x]++
	}
	for _, x := range b {
		have[x]--
	}
	for _, n := range have {
		if n != 0 {
			return false
		}
	}
	return true
}

// TestWriteRequests: what every language can say is never refused, and no text is lost.
func TestWriteRequests(t *testing.T) {
	for i, req := range providertest.Requests(1, 400) {
		body := written(t, req, providers.Call{})
		if body == nil && !speaks(req) {
			continue
		}
		if body == nil {
			_, err := anthropic.Dialect{}.WriteRequest(req, &providers.Call{})
			t.Fatalf("request %d was refused: %v", i, err)
		}
		holds(t, body)
		for _, turn := range req.Turns {
			for _, b := range turn.Blocks {
				if want := strings.TrimSpace(b.Text); b.Kind == providers.KindText && want != "" &&
					!bytes.Contains(body, bytes.Trim(providers.AppendString(nil, want), `"`)) {
					t.Fatalf("request %d lost %q\n%s", i, b.Text, body)
				}
			}
		}
	}
}

// speaks reports whether the user says anything but white space.
func speaks(req *providers.Request) bool {
	for _, turn := range req.Turns {
		for _, b := range turn.Blocks {
			if turn.Role == providers.RoleTool || turn.Role == providers.RoleUser && (b.Kind != providers.KindText || strings.TrimSpace(b.Text) != "") {
				return true
			}
		}
	}
	return false
}

func TestWriteWildRequests(t *testing.T) {
	refused := 0
	for seed := range uint64(3000) {
		req, call := wild(seed)
		if body := written(t, req, call); body != nil {
			holds(t, body)
		} else {
			refused++
		}
	}
	if refused < 100 || refused > 2900 {
		t.Errorf("%d of 3000 were refused: the generator no longer tries both", refused)
	}
}

func FuzzWriteRequest(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		req, call := wild(seed)
		if body := written(t, req, call); body != nil {
			holds(t, body)
		}
	})
}

// wild makes a request as no well-meaning client writes it.
func wild(seed uint64) (*providers.Request, providers.Call) {
	g := &wilderness{rand.New(rand.NewPCG(seed, 3))}
	req := &providers.Request{}
	var call providers.Call
	for range g.IntN(6) {
		g.turn(req)
	}
	for range g.IntN(3) {
		req.Tools = append(req.Tools, providers.Tool{
			Name: g.text(), Description: g.text(), Strict: pick(g, nil, ptr(true)), Cache: g.mark(),
			Schema: pick(g, nil, []byte(`{"type":"object","properties":{"a":{"minimum":1}}}`), []byte(`{"properties":{}}`), []byte(`{"type":"string"}`), []byte(`[`),
				[]byte(`{"type":["null","object"],"additionalProperties":{"$ref":"#"}}`)),
		})
	}
	req.ToolChoice = providers.ToolChoice{Mode: providers.ChoiceMode(g.IntN(5)), Name: g.text()}
	req.Parallel = pick(g, nil, ptr(true), ptr(false))
	req.Format = pick(g, providers.Format{}, providers.Format{}, providers.Format{Kind: providers.FormatJSON},
		providers.Format{Kind: providers.FormatSchema, Schema: []byte(`{"type":"object","properties":{"a":{"$ref":"#"}}}`)})
	req.Sampling = providers.Sampling{Temperature: pick(g, nil, ptr(0.5), ptr(1.9)), TopP: pick(g, nil, ptr(0.3), ptr(0.97)), TopK: pick(g, nil, ptr(int64(3)))}
	req.Reasoning = providers.ReasoningAsk{Effort: pick(g, "", "none", "minimal", "low", "max"), Budget: pick(g, nil, nil, ptr(int64(0)), ptr(int64(99)), ptr(int64(1<<40))),
		Show: pick(g, nil, ptr(true), ptr(false))}
	req.MaxTokens = pick(g, nil, ptr(int64(1)), ptr(int64(1024)), ptr(int64(5000)))
	req.Stop = pick(g, nil, []string{"\n", "a"}, []string{" "})
	if g.IntN(3) == 0 {
		req.Extras = append(req.Extras, pick(g, providers.Extra{Owner: "anthropic", Name: "thinking", Value: []byte(`{"type":"enabled","budget_tokens":2000}`)},
			providers.Extra{Owner: "anthropic", Name: "container", Value: []byte(`"c"`)}, providers.Extra{Owner: "openai", Name: "web_search_options", Value: []byte(`{}`)},
			providers.Extra{Owner: "anthropic", Name: "output_config", Value: []byte(`{"effort":"high"}`)}))
	}
	call.Can = pick(g, providers.Capabilities{}, providers.Capabilities{NoThinking: true, NoStructuredOutput: true, NoImages: true, NoPDF: true},
		providers.Capabilities{AdaptiveThinking: true, NoSampling: true, Efforts: []string{"low", "high"}, MaxOutput: 64000},
		providers.Capabilities{BudgetMin: 1024, BudgetMax: 64000, MaxOutput: 64000})
	call.Stream = g.IntN(2) == 0
	return req, call
}

type wilderness struct{ *rand.Rand }

func ptr[T any](v T) *T { return &v }

func pick[T any](g *wilderness, from ...T) T { return from[g.IntN(len(from))] }

func (g *wilderness) text() string {
	return pick(g, "", " ", "a", "b \n", "__u2e__", "x.y", "\u00a0", "\x00\"\\", "🙂")
}

func (g *wilderness) mark() *providers.CacheMark {
	return pick(g, nil, nil, &providers.CacheMark{}, &providers.CacheMark{TTL: "1h"}, &providers.CacheMark{TTL: "2h"})
}

// turn adds a turn and, mostly, the answers to its calls.
func (g *wilderness) turn(req *providers.Request) {
	turn := providers.Turn{Role: pick(g, providers.RoleSystem, providers.RoleDeveloper, providers.RoleUser, providers.RoleUser, providers.RoleAssistant, providers.RoleAssistant)}
	answers := providers.Turn{Role: providers.RoleTool}
	for range g.IntN(4) {
		kind := providers.KindText
		switch turn.Role {
		case providers.RoleUser:
			kind = pick(g, kind, kind, providers.KindImage, providers.KindFile, providers.KindRefusal)
		case providers.RoleAssistant:
			kind = pick(g, kind, providers.KindReasoning, providers.KindToolCall)
		}
		if g.IntN(60) == 0 {
			kind = providers.Kind(g.IntN(10))
		}
		b := g.block(kind)
		if b.Call != nil && g.IntN(20) > 0 {
			answers.Blocks = append(answers.Blocks, providers.Block{Kind: providers.KindToolResult, Cache: g.mark(), Result: &providers.ToolResult{
				CallID: b.Call.ID, IsError: g.IntN(2) == 0, Blocks: []providers.Block{g.block(providers.KindText), g.block(pick(g, providers.KindText, providers.KindImage))},
			}})
		}
		turn.Blocks = append(turn.Blocks, b)
	}
	req.Turns = append(req.Turns, turn)
	if len(answers.Blocks) > 0 {
		g.Shuffle(len(answers.Blocks), func(i, j int) { answers.Blocks[i], answers.Blocks[j] = answers.Blocks[j], answers.Blocks[i] })
		req.Turns = append(req.Turns, answers)
	}
}

func (g *wilderness) block(kind providers.Kind) providers.Block {
	b := providers.Block{Kind: kind, Text: g.text(), Cache: g.mark()}
	switch kind {
	case providers.KindReasoning:
		b.Seal = pick(g, nil, &providers.Seal{Minter: "anthropic", Signature: "s"}, &providers.Seal{Minter: "anthropic", Encrypted: "e"}, &providers.Seal{Minter: "gemini", Signature: "s"})
	case providers.KindToolCall:
		b.Call = &providers.ToolCall{ID: pick(g, "", "a", "b", "c:d", "ü", "toolu__1"), Name: pick(g, "f", "f.g", "h"), Arguments: pick(g, "", "{}", ` {"a":1,"a":2} `, "{}", "{}")}
		if g.IntN(40) == 0 {
			b.Call.Arguments = "[1"
		}
	case providers.KindImage:
		b.Media = pick(g, &providers.Media{Type: "image/png", Data: "AAAA"}, &providers.Media{URL: "https://x/y.png"}, &providers.Media{FileID: "file_1", Detail: "low"})
	case providers.KindFile:
		b.Media = pick(g, &providers.Media{Type: "text/csv", Data: "YSxi", Name: "a.csv"}, &providers.Media{Data: "JVBERi0x"}, &providers.Media{Type: "application/pdf", URL: "https://x/y"})
	}
	return b
}
