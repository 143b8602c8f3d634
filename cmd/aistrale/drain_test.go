package main_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tidwall/gjson"
)

// drainable begins a program that waits so long for what is under way.
func drainable(t *testing.T, timeout string) (*program, *upstream) {
	t.Helper()
	up := newUpstream(t)
	return newPlace(t).serve(t, anywhere+`
drain_timeout: `+timeout+`
providers: [{name: up, dialect: openai, base_url: "`+up.url+`", api_key: none}]
keys: [{name: ci, key: `+fullKey+`}]
`), up
}

// draining begins a program with a stream under way, and tells it to end.
func draining(t *testing.T, timeout string) (g *program, up *upstream, resp *http.Response, begun string) {
	t.Helper()
	g, up = drainable(t, timeout)
	resp = open(t, g.request(t, fullKey, "up/slow", `,"stream":true`))
	begun = readUntil(t, resp.Body, `"first"`)
	g.signal(t, syscall.SIGTERM)
	g.says(t, `"msg":"draining"`)
	return g, up, resp, begun
}

func TestDrain_streamFinishes(t *testing.T) {
	t.Parallel()
	g, up, resp, begun := draining(t, "60s")
	eventually(t, "the gateway is not ready", func() bool {
		status, _ := get(t, g.admin+"/readyz")
		return status == http.StatusServiceUnavailable
	})
	if status, _ := get(t, g.admin+"/healthz"); status != http.StatusOK {
		t.Errorf("health while draining: %d", status)
	}
	refused(t, g)
	up.release <- struct{}{}
	rest, err := io.ReadAll(resp.Body)
	if all := begun + string(rest); err != nil || !strings.Contains(all, `"second"`) || !strings.HasSuffix(all, "data: [DONE]\n\n") {
		t.Errorf("%v: %s", err, all)
	}
	if code := g.ended(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	logged(t, g, resp, `"outcome":"ok"`)
}

// For drain_delay a load balancer is told to look elsewhere, and whoever has not heard of it is
// served; each answer is the last one of its connection.
func TestDrain_delay(t *testing.T) {
	t.Parallel()
	g := newPlace(t).serve(t, reloading(`"*"`, "drain_delay: 10m\n"))
	g.signal(t, syscall.SIGTERM)
	g.says(t, `"msg":"leaving"`)
	if status, _ := get(t, g.admin+"/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("ready: %d", status)
	}
	client := http.Client{Transport: &http.Transport{}, Timeout: patience} // which would keep its connection
	resp, err := client.Do(g.request(t, fullKey, "mock/gpt", ""))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK || !resp.Close {
		t.Errorf("%d, close: %t", resp.StatusCode, resp.Close)
	}
	g.secondSignal(t)
}

// Past drain_timeout a stream is ended, and no client takes it for whole.
func TestDrain_streamIsEnded(t *testing.T) {
	t.Parallel()
	g, _, resp, begun := draining(t, "100ms")
	rest, err := io.ReadAll(resp.Body)
	all := begun + string(rest)
	if err != nil || !strings.Contains(all, `data: {"error":{"message":"The gateway is shutting down."`) || strings.Contains(all, "[DONE]") {
		t.Errorf("%v: %s", err, all)
	}
	if code := g.ended(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	logged(t, g, resp, `drain_timeout`)
}

// Nor does any client wait in vain for a whole answer.
func TestDrain_wholeRepliesAreRefused(t *testing.T) {
	t.Parallel()
	const many = 32
	g, up := drainable(t, "100ms")
	go func() {
		for range many {
			<-up.asked
		}
		_ = g.cmd.Process.Signal(syscall.SIGTERM)
	}()
	var clients sync.WaitGroup
	for range many {
		req := g.request(t, fullKey, "up/hang", "")
		clients.Go(func() {
			resp, err := (&http.Client{Timeout: patience}).Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = resp.Body.Close() }()
			body, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != http.StatusServiceUnavailable || gjson.GetBytes(body, "error.message").Str != "The gateway is shutting down." {
				t.Errorf("%d %s %v", resp.StatusCode, body, err)
			}
		})
	}
	clients.Wait()
	if code := g.ended(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if n := strings.Count(g.out.String(), `"status":503`); n != many {
		t.Errorf("%d requests are in the log, want %d", n, many)
	}
}

// Under many open streams none is cut, no new one is taken, the program ends by itself, and the
// ledger has what the provider billed.
func TestDrain_manyStreams(t *testing.T) {
	t.Parallel()
	const many = 200
	up, p := newUpstream(t), newPlace(t)
	up.bills = true
	g := p.serve(t, anywhere+`
drain_timeout: 60s
drain_delay: 50ms
providers: [{name: up, dialect: openai, base_url: "`+up.url+`", api_key: none}]
keys: [{name: ci, key: `+fullKey+`}]
`)
	streams := make([]*http.Response, many)
	for i := range streams {
		streams[i] = open(t, g.request(t, fullKey, "up/slow", `,"stream":true`))
		readUntil(t, streams[i].Body, `"first"`)
	}
	g.signal(t, syscall.SIGTERM)
	g.says(t, `"msg":"draining","open":200`)
	refused(t, g)
	go func() {
		for range many {
			up.release <- struct{}{}
		}
	}()
	for i, resp := range streams {
		rest, err := io.ReadAll(resp.Body)
		if err != nil || !strings.Contains(string(rest), `"second"`) || !strings.HasSuffix(string(rest), "data: [DONE]\n\n") {
			t.Errorf("stream %d is cut: %v: %s", i, err, rest)
		}
	}
	if code := g.ended(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if n := up.count(); n != many {
		t.Errorf("the provider was asked %d times", n)
	}
	var sums []struct {
		Requests int64
		Input    int64 `json:"input_tokens"`
		Output   int64 `json:"output_tokens"`
	}
	text := p.must(t, "", "usage", "--since", "1h", "--json", "--config", "aistrale.yaml")
	if err := json.Unmarshal([]byte(text), &sums); err != nil || len(sums) != 1 ||
		sums[0].Requests != many || sums[0].Input != many*slowInput || sums[0].Output != many*slowOutput {
		t.Errorf("the ledger has %v of %s", err, text)
	}
}

// refused waits until no new connection is taken.
func refused(t *testing.T, g *program) {
	t.Helper()
	eventually(t, "no new request is taken", func() bool {
		c, err := net.DialTimeout("tcp", strings.TrimPrefix(g.url, "http://"), time.Second)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
}

// logged checks that a request's line is in the log of a program that has ended.
func logged(t *testing.T, g *program, resp *http.Response, says string) {
	t.Helper()
	for line := range strings.Lines(g.out.String()) {
		if strings.Contains(line, `"request_id":"`+resp.Header.Get("x-request-id")+`"`) {
			if !strings.Contains(line, says) {
				t.Errorf("want %s in %s", says, line)
			}
			return
		}
	}
	t.Errorf("the request is not in the log:\n%s", g.out.String())
}

func TestDrain_secondSignal(t *testing.T) {
	t.Parallel()
	g, _, _, _ := draining(t, "10m")
	g.secondSignal(t)
}

// secondSignal has no patience with a program that drains.
func (g *program) secondSignal(t *testing.T) {
	t.Helper()
	eventually(t, "the program ends", func() bool {
		_ = g.cmd.Process.Signal(syscall.SIGTERM) // it may be gone
		select {
		case <-g.gone:
			return true
		default:
			return false
		}
	})
	if g.cmd.ProcessState.Success() {
		t.Error("who is cut short has not succeeded")
	}
}

// An idle program ends at once, whatever connections stand open.
func TestDrain_idle(t *testing.T) {
	t.Parallel()
	g := newPlace(t).serve(t, reloading(`"*"`, "drain_timeout: 10m\n"))
	if status, body := g.chat(t, fullKey, "mock/gpt"); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
	// One is kept alive, one never asks.
	client := http.Client{Transport: &http.Transport{}}
	resp, err := client.Get(g.url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Error(err)
	}
	defer client.CloseIdleConnections()
	c, err := net.Dial("tcp", strings.TrimPrefix(g.admin, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	g.signal(t, syscall.SIGINT)
	if code := g.ended(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
