package main_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A soak is a gateway under a steady crowd of paced streams, of clients that leave amid theirs, and
// of an operator who changes its configuration all the while.
type soak struct {
	*program
	place   *place
	streams int           // open at once
	leaves  int           // over the whole time
	length  time.Duration // of it all
	chunk   time.Duration // between two events of a stream
	events  int           // of a stream, up to three times as many
	config  func(n int) string

	end    chan struct{}
	once   sync.Once // closes it
	wg     sync.WaitGroup
	whole  atomic.Int64 // streams that came to their end
	left   atomic.Int64 // streams that their clients left
	failed atomic.Pointer[string]

	stands []stand
}

// A stand is what the gateway takes at a moment, by its own word.
type stand struct{ rss, goroutines, descriptors, connections, streams float64 }

func (s stand) String() string {
	return fmt.Sprintf("RSS %.1f MiB, %.0f goroutines, %.0f descriptors, %.0f connections, %.0f streams", s.rss/(1<<20), s.goroutines, s.descriptors, s.connections, s.streams)
}

// Whatever comes and goes, the gateway takes as much at the end as at the beginning; no stream fails
// but those that are left, and the ledger has each one once.
func TestSoak(t *testing.T) {
	t.Parallel()
	s := &soak{place: newPlace(t), streams: 20, leaves: 100, length: time.Second, chunk: 20 * time.Millisecond, events: 5, end: make(chan struct{})}
	if proving {
		s.streams, s.leaves, s.length, s.chunk, s.events = 1000, 10_000, 30*time.Minute, 2*time.Second, 5
		s.place.program = shipped(t)
	}
	_, upstream := emulator(t)
	s.config = func(n int) string {
		return ledgerConfig(filepath.Join(s.place.dir, "data"), upstream, fmt.Sprintf(`  - {name: comes-%d, key: %s, models: ["mock/gpt"]}
limits:
  - {scope: key/full, concurrent: %d, requests_per_minute: %d, tokens_per_minute: 1000000000}
  - {scope: all, requests_per_day: %d}
budgets: [{scope: all, per: month, usd: %d, unpriced: allow}]
`, n%3, narrowKey, 4*s.streams+2*soakLeavers+n, 1_000_000+n, 100_000_000+n, 1_000_000+n))
	}
	s.program = s.place.serve(t, s.config(0))
	s.run(t)
	s.flat(t)
	s.audit(t)
}

// shipped builds the program as it is shipped, so that what it takes is what it takes for users.
func shipped(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "aistrale")
	build := exec.Command("go", "build", "-trimpath", "-o", path, ".")
	build.Env = append(build.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// run is the whole soak, until the last stream has ended.
func (s *soak) run(t *testing.T) {
	t.Helper()
	t.Cleanup(s.stop)
	for range s.streams {
		s.wg.Go(s.hand)
	}
	eventually(t, "all streams are open", func() bool { return s.failed.Load() != nil || s.stand(t).streams >= float64(s.streams) })
	for n := range soakLeavers {
		s.wg.Go(func() { s.leaver(n) })
	}
	const looks = 600
	look := time.NewTicker(s.length / looks)
	defer look.Stop()
	reloads := 0
	for n := 1; n <= looks && s.failed.Load() == nil; n++ {
		<-look.C
		if proving || n%(looks/20) == 0 {
			s.stands = append(s.stands, s.stand(t))
		}
		if proving || n%(looks/2) == 0 {
			reloads++
			s.reload(t, reloads)
		}
		if n%(looks/10) == 0 {
			t.Logf("%3d%%: %s; %d streams ended, %d left", n*100/looks, s.stands[len(s.stands)-1], s.whole.Load(), s.left.Load())
		}
	}
	s.stop()
	if failed := s.failed.Load(); failed != nil {
		t.Fatalf("after %d streams: %s", s.whole.Load(), *failed)
	}
	t.Logf("%d streams ended, %d were left, the configuration changed %d times", s.whole.Load(), s.left.Load(), reloads)
}

func (s *soak) stop() {
	s.once.Do(func() { close(s.end) })
	s.wg.Wait()
}

// reload changes the configuration, and waits until that is in force.
func (s *soak) reload(t *testing.T, n int) {
	t.Helper()
	done := s.metric(t, reloadsDone)
	s.place.write(t, "aistrale.yaml", s.config(n))
	eventually(t, "the configuration changes", func() bool { return s.metric(t, reloadsDone) != done })
}

const reloadsDone = `aistrale_config_reloads_total{result="ok"}`

// soakLeavers is how many clients leave streams, so that there are always some of theirs too.
const soakLeavers = 100

// hand keeps one stream open, over and over again on one connection.
func (s *soak) hand() {
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer client.CloseIdleConnections()
	for {
		select {
		case <-s.end:
			return
		default:
		}
		response, err := s.ask(client, s.events+rand.IntN(2*s.events))
		if err != nil {
			s.fail(err)
			return
		}
		text, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK || err != nil || !bytes.HasSuffix(bytes.TrimSpace(text), []byte("data: [DONE]")) {
			s.fail(fmt.Errorf("status %d, error %w: %.500s", response.StatusCode, err, text))
			return
		}
		s.whole.Add(1)
	}
}

// leaver leaves its share of streams amid their events, spread over the whole time.
func (s *soak) leaver(n int) {
	share := s.leaves / soakLeavers
	tick := time.NewTicker(s.length / time.Duration(share))
	defer tick.Stop()
	for range share {
		response, err := s.ask(&http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}, 100*s.events)
		if err != nil {
			s.fail(err)
			return
		}
		_, err = io.ReadFull(response.Body, make([]byte, 1+rand.IntN(20)))
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK || err != nil {
			s.fail(fmt.Errorf("status %d of one that leaver %d was to leave: %w", response.StatusCode, n, err))
			return
		}
		s.left.Add(1)
		<-tick.C
	}
}

// ask begins a stream of so many events.
func (s *soak) ask(client *http.Client, events int) (*http.Response, error) {
	model := []string{"mock/gpt", "mock/claude", "mock/gemini"}[rand.IntN(3)]
	req, err := http.NewRequest(http.MethodPost, s.url+chatPath, strings.NewReader(`{"model":"`+model+`","stream":true,"messages":[{"role":"user","content":"hi"}]}`))
	if err != nil {
		return nil, err
	}
	req.Header.Set("authorization", "Bearer "+fullKey)
	req.Header.Set("x-mock", fmt.Sprintf("events=%d;chunk=%s", events, s.chunk))
	return client.Do(req)
}

func (s *soak) fail(err error) {
	text := err.Error()
	s.failed.CompareAndSwap(nil, &text)
}

// stand asks the gateway.
func (s *soak) stand(t *testing.T) stand {
	t.Helper()
	var now stand
	fields := map[string]*float64{
		"process_resident_memory_bytes": &now.rss, "go_goroutines": &now.goroutines, "process_open_fds": &now.descriptors,
		"aistrale_open_connections": &now.connections, "aistrale_open_streams": &now.streams,
	}
	for line := range strings.Lines(s.metrics(t)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if field := fields[name]; field != nil {
			var err error
			if *field, err = strconv.ParseFloat(value, 64); err != nil {
				t.Fatal(err)
			}
		}
	}
	return now
}

// flat holds the end against the beginning, once that has warmed up: the medians of a tenth of all
// that was seen, as a look may fall before or behind a collection of garbage.
func (s *soak) flat(t *testing.T) {
	t.Helper()
	tenth := len(s.stands) / 10
	part := func(n int) stand {
		of := func(field func(stand) float64) float64 {
			var all []float64
			for _, one := range s.stands[n*tenth : (n+1)*tenth] {
				all = append(all, field(one))
			}
			slices.Sort(all)
			return all[len(all)/2]
		}
		return stand{
			of(func(s stand) float64 { return s.rss }), of(func(s stand) float64 { return s.goroutines }), of(func(s stand) float64 { return s.descriptors }),
			of(func(s stand) float64 { return s.connections }), of(func(s stand) float64 { return s.streams }),
		}
	}
	before, middle, after := part(1), part(5), part(9)
	t.Logf("before %s", before)
	t.Logf("middle %s", middle)
	t.Logf("after  %s", after)
	some := float64(2 * soakLeavers) // of streams that are being left
	f := func(what string, before, after, slack float64) {
		if after > before+slack {
			t.Errorf("%s grew from %.0f to %.0f", what, before, after)
		}
	}
	if proving { // a short soak is all warming up
		f("RSS", before.rss, after.rss, before.rss/10+16<<20)
	}
	f("goroutines", before.goroutines, after.goroutines, some)
	f("descriptors", before.descriptors, after.descriptors, some)
	f("connections", before.connections, after.connections, some)
}

// audit waits until the gateway is at rest, and holds the ledger against what clients saw.
func (s *soak) audit(t *testing.T) {
	t.Helper()
	eventually(t, "nothing is open", func() bool { now := s.stand(t); return now.streams == 0 && now.connections <= 1 }) // this question's own
	t.Logf("at rest %s", s.stand(t))
	for name, want := range map[string]string{
		"aistrale_ledger_lost_total": "0", "aistrale_panics_total": "0", "aistrale_log_dropped_total": "0",
		`aistrale_config_reloads_total{result="failed"}`: "0", "aistrale_client_aborts_total": fmt.Sprint(s.left.Load()),
	} {
		if got := s.metric(t, name); got != want {
			t.Errorf("%s is %q, want %s", name, got, want)
		}
	}
	s.program.stop(t)
	outcomes, seen := map[string]int64{}, map[string]bool{}
	for _, row := range s.place.usageRows(t, filepath.Join(s.place.dir, "aistrale.yaml")) {
		outcomes[row.Outcome]++
		if seen[row.RequestID] || row.Cost == nil {
			t.Errorf("counted twice, or without a cost: %+v", row)
		}
		seen[row.RequestID] = true
	}
	if len(outcomes) != 2 || outcomes["ok"] != s.whole.Load() || outcomes["client_gone"] != s.left.Load() {
		t.Errorf("%d streams ended and %d were left; the ledger has %v", s.whole.Load(), s.left.Load(), outcomes)
	}
	t.Logf("the ledger has %v", outcomes)
}
