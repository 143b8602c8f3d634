package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aistrale/aistrale/providers/mock"
	"github.com/aistrale/aistrale/storage/storagetest"
)

// kills is how often a test kills what it is about: make prove does it 50 times.
func kills() int {
	if os.Getenv("AISTRALE_PROVE") != "" {
		return 50
	}
	return 3
}

// emulator runs the emulator in this process, which outlives the gateways that are killed.
func emulator(t *testing.T) (*mock.Server, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := mock.New(mock.Options{Calls: 1 << 19, Body: 1 << 10})
	served := make(chan error, 1)
	go func() { served <- m.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := m.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return m, l.Addr().String()
}

// ledgerConfig is a gateway in front of the emulator; more is added to it.
func ledgerConfig(data, upstream, more string) string {
	return fmt.Sprintf(`listen: "127.0.0.1:0"
admin_listen: "127.0.0.1:0"
data_dir: %s
providers:
  - {name: mock, base_url: "http://%s", api_key: any}
keys:
  - {name: full, key: %s, tags: [kill]}
%s`, data, upstream, fullKey, more)
}

// awhile lets the clients work until so many calls more are finished, and a random time on top,
// so that what comes next finds them anywhere.
func (l *load) awhile(t *testing.T, more int) {
	t.Helper()
	want := l.finished() + more
	eventually(t, "calls are answered", func() bool { return l.finished() >= want })
	<-time.After(rand.N(20 * time.Millisecond)) // at random, and no wait for anything
}

// A crowd calls gateways that share one ledger, and everything but the provider may be killed.
type crowd struct {
	*load
	place    *place
	upstream string
	running  []*program
	configs  []string
}

// gather makes so many gateways, which do not run yet; more is added to their configs.
func gather(t *testing.T, gateways int, more string) *crowd {
	t.Helper()
	m, upstream := emulator(t)
	c := &crowd{load: newLoad(t, m, gateways), place: newPlace(t), upstream: upstream, running: make([]*program, gateways)}
	for n := range gateways {
		data := filepath.Join(c.place.dir, fmt.Sprintf("data%d", n))
		c.configs = append(c.configs, c.place.write(t, fmt.Sprintf("g%d.yaml", n), ledgerConfig(data, upstream, more)))
	}
	return c
}

// start runs gateway n.
func (c *crowd) start(t *testing.T, n int) {
	t.Helper()
	c.running[n] = c.place.begin(t, "serve", "--config", c.configs[n])
	c.aim(n, c.running[n].url)
}

// kill ends gateway n in mid-sentence.
func (c *crowd) kill(t *testing.T, n int) {
	t.Helper()
	c.running[n].signal(t, syscall.SIGKILL)
	c.running[n].ended(t)
}

// audit ends the clients and the gateways, and holds the ledger against what the clients saw.
func (c *crowd) audit(t *testing.T) {
	t.Helper()
	c.stop()
	for _, g := range c.running {
		g.stop(t)
	}
	rows := c.place.usageRows(t, c.configs[0])
	outcomes := c.check(t, rows)
	t.Logf("%d calls, %d finished, %d emulated; rows by outcome: %v", len(c.calls), c.finished(), len(c.served(t)), outcomes)
	var sums []struct {
		Requests, Attempts int64
		Input              int64       `json:"input_tokens"`
		Output             int64       `json:"output_tokens"`
		Cost               json.Number `json:"cost_usd"`
	}
	out := c.place.must(t, "", "usage", "--since", "2h", "--json", "--config", c.configs[0])
	if err := json.Unmarshal([]byte(out), &sums); err != nil || len(sums) != 1 {
		t.Fatalf("usage: %v: %s", err, out)
	}
	var input, output int64
	cost := new(big.Rat)
	for _, row := range rows {
		input, output = input+row.Input, output+row.Output
		one, _ := new(big.Rat).SetString(row.Cost.String())
		cost.Add(cost, one)
	}
	summed, _ := new(big.Rat).SetString(sums[0].Cost.String())
	if s := sums[0]; s.Attempts != int64(len(rows)) || s.Requests != int64(len(rows)) || s.Input != input || s.Output != output || summed.Cmp(cost) != 0 {
		t.Errorf("the roll-ups say %+v; %d rows have %d and %d tokens for %s", s, len(rows), input, output, cost.FloatString(9))
	}
	for n := range c.configs {
		if left, _ := os.ReadDir(filepath.Join(c.place.dir, fmt.Sprintf("data%d", n), "journal")); len(left) != 0 {
			t.Errorf("the journal of gateway %d is not shipped: %v", n, left)
		}
	}
}

func TestLedger_KilledGateway(t *testing.T) {
	t.Parallel()
	c := gather(t, 1, "")
	for n := range kills() {
		c.start(t, 0)
		if n == 0 {
			c.begin(8)
		}
		c.awhile(t, 20)
		c.kill(t, 0)
	}
	c.start(t, 0)
	c.awhile(t, 20)
	c.audit(t)
}

func TestLedger_KilledPostgres(t *testing.T) {
	t.Parallel()
	server := storagetest.PostgresServer(t)
	c := gather(t, 1, fmt.Sprintf("storage: {postgres: %q}\n", server.URL))
	c.start(t, 0)
	c.begin(8)
	for range kills() {
		c.awhile(t, 20)
		server.Kill(t)
		c.awhile(t, 20) // nobody waits for a database
		server.Start(t)
	}
	c.awhile(t, 20)
	c.audit(t)
}

// Nodes without a disk keep their journal in the database: while it is gone they refuse.
func TestLedger_KilledPostgresOfJournals(t *testing.T) {
	t.Parallel()
	server := storagetest.PostgresServer(t)
	c := gather(t, 2, fmt.Sprintf("journal: postgres\nstorage: {postgres: %q}\n", server.URL))
	for n := range c.running {
		c.start(t, n)
	}
	c.begin(4)
	for range kills() {
		c.awhile(t, 20)
		server.Kill(t)
		server.Start(t)
		c.awhile(t, 20)
	}
	c.audit(t)
}

func TestLedger_ThreeGatewaysOnOnePostgres(t *testing.T) {
	t.Parallel()
	c := gather(t, 3, fmt.Sprintf("storage: {postgres: %q}\n", storagetest.Postgres(t)))
	var starting sync.WaitGroup
	for n := range c.running { // all at once, on an empty database
		starting.Go(func() { c.start(t, n) })
	}
	starting.Wait()
	c.begin(4)
	for range kills() {
		c.awhile(t, 100)
		c.kill(t, 1)
		c.start(t, 1)
	}
	c.awhile(t, 100)
	c.audit(t)
}

// A full disk refuses calls, and nothing that was answered is lost by it.
func TestLedger_FullDisk(t *testing.T) {
	t.Parallel()
	disk := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", disk).CombinedOutput(); err != nil {
		t.Skipf("a small file system cannot be mounted: %s", bytes.TrimSpace(out))
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", disk).CombinedOutput(); err != nil {
			t.Errorf("umount: %s", out)
		}
	})
	m, upstream := emulator(t)
	p := newPlace(t)
	config := p.write(t, "aistrale.yaml", ledgerConfig(filepath.Join(disk, "data"), upstream, ""))
	c := &crowd{load: newLoad(t, m, 1), place: p, upstream: upstream, running: make([]*program, 1), configs: []string{config}}
	c.bulk = strings.Repeat("x", 4000) // which fills what the journal has set aside
	c.start(t, 0)
	c.begin(8)
	ballast := filepath.Join(disk, "ballast")
	for range (kills() + 9) / 10 {
		c.awhile(t, 20)
		fill(t, ballast)
		refused := c.refused.Load()
		eventually(t, "calls are refused", func() bool { fill(t, ballast); return c.refused.Load() > refused })
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		c.awhile(t, 20)
	}
	c.audit(t)
	if out := c.running[0].out.String(); !strings.Contains(out, "no space left") {
		t.Error("the log does not say that the disk is full")
	}
}

// fill writes to a file until its disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return // no room even for a name
	}
	defer func() { _ = f.Close() }()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
}
