package main_test

import (
	"bufio"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

// What Claude Code wants of a gateway, as its page on the gateway protocol has it:
// https://code.claude.com/docs/en/llm-gateway-protocol
const (
	codeBetas = "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,prompt-caching-scope-2026-01-05,effort-2025-11-24"
	codeBody  = `{"model":"mock/claude",
 "max_tokens": 32000, "stream": %t,
 "metadata":{"user_id":"user_0a1b_account__session_77"},
 "system":[{"type":"text","text":"x-anthropic-billing-header: cc_version=2.1.0; cc_entrypoint=cli;"},{"type":"text","text":"You are Claude Code.","cache_control":{"type":"ephemeral","ttl":"1h"}}],
 "context_management":{"edits":[{"type":"clear_thinking_20251015","keep":"all"}]},
 "tools":[{"name":"Bash","description":"Runs\u0020a command","input_schema":{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"command":{"type":"string"}},"required":["command"],"additionalProperties":false}}],
 "thinking":{"type":"adaptive","display":"omitted"},"output_config":{"effort":"high"},
 "messages":[{"role":"user","content":[{"type":"text","text":"Hello.","cache_control":{"type":"ephemeral"}}]}]}`
)

// codeRequest is a request as Claude Code makes it: its key as a token, and headers of its own.
func codeRequest(t *testing.T, r *running, path, body, session, settings string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/anthropic"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"authorization": "Bearer " + fullKey, "content-type": "application/json", "accept": "application/json",
		"anthropic-version": "2023-06-01", "anthropic-beta": codeBetas, "anthropic-dangerous-direct-browser-access": "true",
		"user-agent": "claude-cli/2.1.0 (external, cli)", "x-app": "cli", "x-claude-code-session-id": session, "x-mock": settings,
	} {
		req.Header.Set(name, value)
	}
	return req
}

func TestClaudeCode(t *testing.T) {
	t.Parallel()
	r := start(t, "aliases: {claude-mock: [mock/claude]}\n")
	t.Run("headers and body are forwarded unchanged", func(t *testing.T) {
		body := fmt.Sprintf(codeBody, true)
		if status, said := r.send(t, codeRequest(t, r, "/v1/messages?beta=true", body, "s-1", "")); status != http.StatusOK {
			t.Fatalf("%d %s", status, said)
		}
		call := lastCall(t, r)
		if want := strings.Replace(body, `"mock/claude"`, `"claude"`, 1); string(call.Body) != want {
			t.Errorf("the upstream was sent\n%s\nwant\n%s", call.Body, want)
		}
		for name, want := range map[string]string{"anthropic-beta": codeBetas, "anthropic-version": "2023-06-01"} {
			if got := headersOf(call.Headers, name); !slices.Equal(got, []string{want}) {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		for _, name := range []string{"authorization", "x-claude-code-session-id", "x-app", "anthropic-dangerous-direct-browser-access"} {
			if got := headersOf(call.Headers, name); len(got) > 0 {
				t.Errorf("%s reached the upstream: %q", name, got)
			}
		}
	})
	t.Run("errors of the upstream are unmodified", func(t *testing.T) {
		for status, kind := range map[int]string{400: "invalid_request_error", 404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error", 500: "api_error", 529: "overloaded_error"} {
			got, said := r.send(t, codeRequest(t, r, "/v1/messages?beta=true", fmt.Sprintf(codeBody, true), "s-1", fmt.Sprintf("status=%d", status)))
			if got != status || gjson.Get(said, "error.type").Str != kind || !strings.HasPrefix(gjson.Get(said, "request_id").Str, "req_01") {
				t.Errorf("%d: %d %s", status, got, said)
			}
		}
	})
	t.Run("events pass as they arrive", func(t *testing.T) { codeStream(t, r) })
	t.Run("models are listed", func(t *testing.T) {
		req := codeRequest(t, r, "/v1/models?limit=1000", "", "s-1", "")
		req.Method, req.Body = http.MethodGet, nil
		_, said := r.send(t, req)
		if one := gjson.Get(said, `data.#(id="claude-mock")`); one.Get("type").Str != "model" || one.Get("display_name").Str == "" {
			t.Errorf("the alias, whose name the client looks for, is not in %s", said)
		}
	})
	t.Run("tokens are counted", func(t *testing.T) {
		status, said := r.send(t, codeRequest(t, r, "/v1/messages/count_tokens?beta=true", `{"model":"mock/claude","messages":[{"role":"user","content":"hi"}]}`, "s-1", "input=19"))
		if status != http.StatusOK || said != `{"input_tokens":19}` {
			t.Errorf("%d %s", status, said)
		}
	})
	t.Run("the session is kept", func(t *testing.T) {
		var rows []byte
		eventually(t, "the count is in the ledger", func() bool {
			var err error
			if rows, err = exec.Command(binary(t), "usage", "rows", "--json", "--config", r.config).Output(); err != nil {
				t.Fatal(err)
			}
			return gjson.GetBytes(rows, `#(op="count_tokens")`).Exists()
		})
		for _, op := range []string{"chat", "count_tokens"} {
			if meta := gjson.GetBytes(rows, `#(op="`+op+`").metadata`).Str; gjson.Get(meta, "session_id").Str != "s-1" {
				t.Errorf("%s: metadata is %s", op, meta)
			}
		}
		if one := gjson.GetBytes(rows, `#(op="count_tokens")`); one.Get("cost_usd").Raw != "0" || one.Get("input_tokens").Int() != 0 {
			t.Errorf("a count cost %s", one.Raw)
		}
	})
}

// codeStream reads a stream whose upstream falls silent behind its third piece: all that it said
// before has come.
func codeStream(t *testing.T, r *running) {
	res, err := http.DefaultClient.Do(codeRequest(t, r, "/v1/messages", fmt.Sprintf(codeBody, true), "s-1", "events=9; stall=3"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var names []string
	for lines, pieces := bufio.NewScanner(res.Body), 0; pieces < 3 && lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			names = append(names, name)
		}
		if strings.HasPrefix(lines.Text(), "data: ") && strings.Contains(lines.Text(), `"text_delta"`) {
			pieces++
		}
	}
	if len(names) < 6 || names[0] != "message_start" || !slices.Contains(names, "ping") {
		t.Errorf("before the upstream fell silent came %q", names)
	}
	if got := res.Header.Get("content-type"); !strings.HasPrefix(got, "text/event-stream") {
		t.Errorf("content-type %q", got)
	}
}

// headersOf gives a header's values among lines as the emulator keeps them.
func headersOf(lines []string, name string) []string {
	var out []string
	for _, line := range lines {
		if at, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(at, name) {
			out = append(out, strings.TrimSpace(value))
		}
	}
	return out
}

// TestClaudeCode_betas: a feature that the gateway does not know is for keys that may use every
// model, or whose allow list names it.
func TestClaudeCode_betas(t *testing.T) {
	t.Parallel()
	const openKey = "sk-ais-openkey1-0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
	r := start(t, fmt.Sprintf("  - {name: open, key: %s, models: [mock/*], allow: [anthropic-beta]}\n  - {name: shut, key: %s, models: [mock/*]}\n", openKey, unknownKey))
	f := func(key, betas string, want int) {
		t.Helper()
		req := codeRequest(t, r, "/v1/messages", fmt.Sprintf(codeBody, false), "s", "")
		req.Header.Set("authorization", "Bearer "+key)
		req.Header["Anthropic-Beta"] = strings.Split(betas, ";") // a line for each, as some SDKs send them
		status, said := r.send(t, req)
		if status != want {
			t.Errorf("%s with %q: %d %s, want %d", key[:14], betas, status, said, want)
		}
		if status == http.StatusForbidden && (gjson.Get(said, "error.type").Str != "permission_error" || !strings.Contains(said, "sees-all-2027-01-01")) {
			t.Errorf("the refusal does not name the feature: %s", said)
		}
		if got := headersOf(lastCall(t, r).Headers, "anthropic-beta"); status == http.StatusOK && strings.Join(got, ",") != strings.ReplaceAll(betas, ";", ",") {
			t.Errorf("the upstream was sent %q", got)
		}
	}
	f(unknownKey, codeBetas, http.StatusOK)
	f(unknownKey, "context-1m-2025-08-07;effort-2025-11-24", http.StatusOK) // priced by what it takes
	f(unknownKey, codeBetas+",sees-all-2027-01-01", http.StatusForbidden)
	f(unknownKey, codeBetas+";sees-all-2027-01-01", http.StatusForbidden)
	f(openKey, codeBetas+",sees-all-2027-01-01", http.StatusOK)
	f(fullKey, "sees-all-2027-01-01", http.StatusOK)
}

// TestClaudeCode_sessionBudget: each session has a budget for itself, and a count takes of none.
func TestClaudeCode_sessionBudget(t *testing.T) {
	t.Parallel()
	r := start(t, "budgets: [{scope: session/*, usd: \"0.0035\", per: day}]\n") // one call of 1,000 tokens, and a shorter one
	body := `{"model":"mock/claude","max_tokens":1000,"messages":[{"role":"user","content":"hi"}]}`
	f := func(path, body, session string, want int) {
		t.Helper()
		if status, said := r.send(t, codeRequest(t, r, path, body, session, "input=10; output=1000")); status != want {
			t.Errorf("session %q: %d %s, want %d", session, status, said, want)
		} else if want == http.StatusTooManyRequests && !strings.Contains(said, "session") {
			t.Errorf("the refusal does not say whose budget it is: %s", said)
		}
	}
	count := `{"model":"mock/claude","messages":[{"role":"user","content":"hi"}]}`
	f("/v1/messages", body, "one", http.StatusOK)
	f("/v1/messages", body, "one", http.StatusOK) // clamped to what is left
	f("/v1/messages", body, "one", http.StatusTooManyRequests)
	f("/v1/messages/count_tokens", count, "one", http.StatusOK)
	f("/v1/messages", body, "two", http.StatusOK)
	f("/v1/messages", body, "", http.StatusOK) // of no session
}
