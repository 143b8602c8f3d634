//go:build linux

package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/aistrale/aistrale/internal/outbound"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/proxy"
)

// The transports.
const (
	http1 = "http1"
	http2 = "http2"
)

// load is what a client does.
type load struct {
	Transport string
	Open      int
	Every     time.Duration
	For       time.Duration
}

// figures are what it took.
type figures struct {
	CPU        float64 `json:"cpu_us"` // for each event, or each call
	KB         float64 `json:"kb"`     // of memory for each that is open, at the most
	Sockets    float64 `json:"sockets"`
	Handshakes float64 `json:"handshakes"`
	P50        float64 `json:"p50_us"` // from the call to its first byte
	P99        float64 `json:"p99_us"`
}

// A caller makes one call. It gives when the first byte of the answer had come, and hands on what
// was read piece by piece.
type caller func(every time.Duration, read func([]byte)) (first time.Time, err error)

var body = []byte(`{"model":"gpt","stream":true,"messages":[{"role":"user","content":"` + strings.Repeat("The quick brown fox jumps over the lazy dog. ", 6) + `"}]}`)

func (l load) run(dir string) (f figures, err error) {
	address, err := os.ReadFile(filepath.Join(dir, addressFile))
	if err != nil {
		return f, err
	}
	call, err := newCaller(l.Transport, string(address), filepath.Join(dir, certificateFile))
	if err != nil {
		return f, err
	}
	asker, err := newHTTP2(filepath.Join(dir, certificateFile))
	if err != nil {
		return f, err
	}
	before, err := handshakes(asker, string(address))
	if err != nil {
		return f, err
	}
	if _, err := call(0, func([]byte) {}); err != nil { // so that a connection is there to be shared
		return f, err
	}
	memory := resident()
	c := &crowd{load: l, call: call, steady: time.Now().Add(ramp), until: time.Now().Add(ramp + l.For)}
	for n := range l.Open {
		c.wg.Go(func() { c.hand(time.Duration(n) * ramp / time.Duration(l.Open)) })
	}
	time.Sleep(time.Until(c.steady))
	spent, units := cpu(), c.units.Load()
	time.Sleep(l.For / 2)
	f.Sockets, f.KB = float64(sockets()), float64(resident()-memory)/1024/float64(l.Open)
	time.Sleep(time.Until(c.until))
	f.CPU = float64((cpu() - spent).Microseconds()) / float64(max(1, c.units.Load()-units))
	c.wg.Wait()
	after, err := handshakes(asker, string(address))
	f.Handshakes = after - before
	slices.Sort(c.firsts)
	if len(c.firsts) > 0 {
		f.P50, f.P99 = c.firsts[len(c.firsts)/2], c.firsts[len(c.firsts)*99/100]
	}
	return f, errors.Join(c.failed, err)
}

// ramp is the time over which callers begin, so that none meets all others in a handshake.
const ramp = 2 * time.Second

// crowd is a load under way. What is counted is counted from steady to until.
type crowd struct {
	load
	call          caller
	steady, until time.Time
	units         atomic.Int64
	wg            sync.WaitGroup

	mu     sync.Mutex
	firsts []float64
	failed error
}

// hand makes one call after another.
func (c *crowd) hand(after time.Duration) {
	time.Sleep(after)
	for now := time.Now(); now.Before(c.until); now = time.Now() {
		first, err := c.call(c.Every, func(b []byte) { c.units.Add(int64(bytes.Count(b, []byte("\n\n")))) })
		c.mu.Lock()
		if c.failed = errors.Join(c.failed, err); now.After(c.steady) {
			c.firsts = append(c.firsts, float64(first.Sub(now).Microseconds()))
		}
		c.mu.Unlock()
		if err != nil {
			return
		}
		if c.Every == 0 {
			c.units.Add(1)
		}
	}
}

func newCaller(transport, address, ca string) (caller, error) {
	if transport == http2 {
		client, err := newHTTP2(ca)
		return client2(client, address), err
	}
	way, err := outbound.New(outbound.Options{CAFile: ca})
	if err != nil {
		return nil, err
	}
	pool, err := proxy.NewPool(proxy.PoolOptions{BaseURL: address + "/v1", UserAgent: "bench", Way: way, Connect: 10 * time.Second, MaxConns: 4096})
	if err != nil {
		return nil, err
	}
	return client1(pool), nil
}

// client1 is the gateway's own exchange.
func client1(pool proxy.Upstream) caller {
	return func(every time.Duration, read func([]byte)) (first time.Time, err error) {
		x := pool.Exchange()
		defer x.Finish()
		head, err := x.Send(&providers.UpstreamRequest{
			Path: "/chat/completions", Body: body, Headers: []providers.Header{{Name: "content-type", Value: "application/json"}, {Name: everyHeader, Value: every.String()}},
		}, nil, proxy.Timeouts{FirstByte: time.Minute, Pause: time.Minute, Idle: time.Minute})
		if err != nil || head.Status != http.StatusOK {
			return first, fmt.Errorf("status %d: %w", head.Status, err)
		}
		return time.Now(), pieces(x, head.Length, read)
	}
}

func client2(client *http.Client, address string) caller {
	return func(every time.Duration, read func([]byte)) (first time.Time, err error) {
		req, err := http.NewRequest(http.MethodPost, address+"/v1/chat/completions", bytes.NewReader(body))
		if err != nil {
			return first, err
		}
		req.Header.Set("content-type", "application/json")
		req.Header.Set(everyHeader, every.String())
		resp, err := client.Do(req)
		if err != nil {
			return first, err
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode != http.StatusOK || resp.ProtoMajor != 2 {
			return first, fmt.Errorf("status %d by %s", resp.StatusCode, resp.Proto)
		}
		return time.Now(), pieces(resp.Body, -1, read)
	}
}

// pieces reads to the end of a body, which an exchange of known length does not say.
func pieces(r io.Reader, length int, read func([]byte)) error {
	buf := make([]byte, 4096)
	for n := 0; length < 0 || n < length; {
		got, err := r.Read(buf)
		read(buf[:got])
		n += got
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
	return nil
}

func newHTTP2(ca string) (*http.Client, error) {
	text, err := os.ReadFile(ca)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots}, ForceAttemptHTTP2: true, DisableCompression: true, MaxIdleConns: 4096, MaxIdleConnsPerHost: 4096,
	}}, nil
}

func handshakes(client *http.Client, address string) (float64, error) {
	resp, err := client.Get(address + "/handshakes")
	if err != nil {
		return 0, err
	}
	text, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return 0, err
	}
	return strconv.ParseFloat(string(text), 64)
}

// cpu is what this process has spent.
func cpu() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident is this process' memory in bytes.
func resident() int64 {
	b, _ := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

func sockets() (n int) {
	files, _ := os.ReadDir("/proc/self/fd")
	for _, f := range files {
		if to, err := os.Readlink("/proc/self/fd/" + f.Name()); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}
