package main_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"
)

// next is a request behind the one in question. Where a front end sees none, it is smuggled.
const next = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

// said sends bytes as they are on a connection of their own and gives every answer, as its status
// and its body, until the other side ends it.
func said(t *testing.T, address, text string) (all []string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(conn, text) // who has seen enough may close before the end
	for r := bufio.NewReader(conn); ; {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			if strings.Contains(err.Error(), "timeout") {
				t.Errorf("%q: the connection is still open", text)
			}
			return all
		}
		body, _ := io.ReadAll(resp.Body)
		all = append(all, fmt.Sprint(resp.StatusCode, " ", string(body)))
	}
}

// Messages whose bounds two programs could see differently are refused, and end their connection;
// so what stands behind them is never taken for a request of somebody else.
func TestHostileHTTP(t *testing.T) {
	t.Parallel()
	g := newPlace(t).serve(t, anywhere+"log_level: debug\nproviders: [{name: mock}]\nkeys: [{name: ci, key: "+fullKey+"}]\n")
	for name, at := range map[string]struct{ address, path string }{"data": {g.url, chatPath}, "control": {g.admin, "/admin/v1/session"}} {
		t.Run(name, func(t *testing.T) {
			ask := func(head, rest string) []string {
				t.Helper()
				return said(t, at.address, "POST "+at.path+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+fullKey+"\r\n"+head+"\r\n"+rest)
			}
			for _, head := range []string{
				"Content-Length: 5\r\nContent-Length: 0\r\n", "Content-Length: 0,5\r\n", "Content-Length: +0\r\n", "Content-Length: -1\r\n", "Content-Length: 0x0\r\n",
				"Content-Length: 18446744073709551616\r\n", "Content-Length : 0\r\n", "X: a\rContent-Length: 0\r\n", "Transfer-Encoding: xchunked\r\n",
				"Transfer-Encoding: chunked, identity\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "Transfer-Encoding: \x0bchunked\r\n",
				"Transfer-Encoding : chunked\r\n", "X\x00: a\r\n", "X: a\x00b\r\n", ": a\r\n", "Host: y\r\n",
			} {
				if got := ask(head, "0\r\n\r\n"+next); len(got) != 1 || !strings.HasPrefix(got[0], "400 ") && !strings.HasPrefix(got[0], "501 ") {
					t.Errorf("%q: %q", head, got)
				}
			}
			for _, head := range []string{"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"} {
				got := ask(head, "0\r\n\r\n"+next) // the length is ignored, or all of it refused
				if len(got) == 0 || len(got) == 1 && !strings.HasPrefix(got[0], "400 ") || len(got) == 2 && got[1] != "200 ok\n" || len(got) > 2 {
					t.Errorf("%q: %q", head, got)
				}
			}
			for _, chunk := range []string{
				"+1\r\na\r\n0\r\n\r\n", "-1\r\na\r\n0\r\n\r\n", "0x1\r\na\r\n0\r\n\r\n", "1;a=b\nc\r\na\r\n0\r\n\r\n", "1\na\n0\n\n", "fffffffffffffffff\r\na\r\n0\r\n\r\n", "1\r\nab\r\n0\r\n\r\n", "\r\n",
			} {
				if got := ask("Transfer-Encoding: chunked\r\n", chunk+next); len(got) != 1 || got[0] < "4" {
					t.Errorf("chunk %q: %q", chunk, got)
				}
			}
			for _, head := range []string{"Content-Length: 0\r\n", "X: a\r\n b\r\nContent-Length: 0\r\n", "Content-Length:\r\n 0\r\n"} { // folded lines are one
				if got := ask(head, next); len(got) != 2 || got[1] != "200 ok\n" {
					t.Errorf("%q: %q", head, got)
				}
			}
			for _, text := range []string{
				"GET /healthz HTTP/1.1\r\n\r\n", "GET /healthz\r\n\r\n", "GET  /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "GET /healthz\x00 HTTP/1.1\r\nHost: x\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
				"CONNECT evil.example.com:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "GET http://evil.example.com/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
			} {
				if got := said(t, at.address, text); len(got) != 1 || !strings.HasPrefix(got[0], "4") {
					t.Errorf("%q: %q", text, got)
				}
			}
			if got := said(t, at.address, "TRACE "+at.path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Canary: canary\r\n\r\n"); len(got) != 1 || strings.Contains(got[0], "canary") || strings.HasPrefix(got[0], "2") {
				t.Errorf("TRACE: %q", got)
			}
		})
	}
	for _, word := range words {
		sayEverywhere(t, g, word)
	}
	g.stop(t)
	for line := range strings.Lines(g.out.String()) {
		if strings.HasPrefix(line, "SCHED ") {
			continue // the runtime's own, to stderr, where the machine has been up for 24 days: ADR 0042
		}
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil || object["msg"] == "forged" {
			t.Errorf("a line of the log is %q: %v", line, err)
		}
		if i := strings.IndexFunc(strings.TrimSuffix(line, "\n"), misleads); i >= 0 {
			t.Errorf("the log has %q", line[i:])
		}
	}
}

// words are what an attacker puts into a log, a header or a terminal.
var words = []string{
	"a\r\nx-injected: 1", "a\n{\"level\":\"ERROR\",\"msg\":\"forged\"}", "a\u2028{\"msg\":\"forged\"}", "fdp\u202eexe.", "\u2066a\u2069", "\u009b2J\u0085", "\x1b[2J\x07", "\x00\x7f", "%0d%0ax-injected:%201",
}

func misleads(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
}

// sayEverywhere puts a word wherever a client may put one.
func sayEverywhere(t *testing.T, g *program, word string) {
	t.Helper()
	quoted, err := json.Marshal(word)
	if err != nil {
		t.Fatal(err)
	}
	q, escaped := string(quoted), url.PathEscape(word)
	query := url.QueryEscape(word)
	chat := `{"model":"mock/gpt","messages":[{"role":"user","content":` + q + `}],"user":` + q + `,"metadata":{"session_id":` + q + `,"a":` + q + `}`
	requests := []*http.Request{
		jsonRequest(t, http.MethodPost, g.url+chatPath, chat+`}`),
		jsonRequest(t, http.MethodPost, g.url+chatPath, chat+`,"tools":`+q+`}`),
		jsonRequest(t, http.MethodPost, g.url+chatPath, `{"model":`+q+`,"messages":[]}`),
		jsonRequest(t, http.MethodPost, g.url+chatPath, `{"model":"mock/gpt",`+q+`:1,"messages":7}`),
		jsonRequest(t, http.MethodGet, g.url+"/v1/"+escaped, ""),
		jsonRequest(t, http.MethodGet, g.url+"/v1/models/"+escaped, ""),
		jsonRequest(t, http.MethodGet, g.url+"/v1/files/"+escaped, ""),
		jsonRequest(t, http.MethodGet, g.url+"/v1/me?a="+query, ""),
		jsonRequest(t, http.MethodGet, g.url+"/v1/me/usage?since="+query, ""),
		jsonRequest(t, http.MethodPost, g.admin+"/admin/v1/session", `{"name":`+q+`,"password":`+q+`}`),
		jsonRequest(t, http.MethodPost, g.admin+"/admin/v1/session", `{`+q+`:1}`),
		jsonRequest(t, http.MethodGet, g.admin+"/admin/v1/"+escaped, ""),
		jsonRequest(t, http.MethodGet, g.admin+"/admin/v1/users/"+escaped+"?workspace="+query+"&"+query+"=1", ""),
	}
	for _, r := range requests {
		for _, name := range []string{"x-request-id", "x-aistrale-tags", "x-aistrale-session", "x-claude-code-session-id", "user-agent", "idempotency-key", "anthropic-beta", "openai-organization", "x-forwarded-for"} {
			r.Header.Set(name, strings.Map(func(r rune) rune { // what a header may hold at all
				if r < ' ' || r == 0x7f {
					return -1
				}
				return r
			}, word))
		}
		status, header, body := do(t, r)
		if header.Get("x-injected") != "" || status < 200 {
			t.Errorf("%s with %q: %d %v", r.URL, word, status, header)
		}
		for name, values := range header {
			if i := strings.IndexFunc(strings.Join(values, ""), misleads); i >= 0 {
				t.Errorf("%s with %q: header %s is %q", r.URL, word, name, values)
			}
		}
		if !json.Valid([]byte(body)) {
			t.Errorf("%s with %q: %d %q is no JSON", r.URL, word, status, body)
		}
	}
}

func jsonRequest(t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("authorization", "Bearer "+fullKey)
	r.Header.Set("content-type", "application/json")
	return r
}
