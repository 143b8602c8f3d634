package main_test

import (
	"encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aistrale/aistrale/storage/storagetest"
)

// A balancer is HAProxy with the file that deploy/ ships, in front of two gateways.
type balancer struct {
	url, commands string
}

// newBalancer starts it; ports are those of the gateways' two listeners each.
func newBalancer(t *testing.T, ports [2][2]int) *balancer {
	t.Helper()
	own := freePorts(t, 3)
	b := &balancer{url: fmt.Sprintf("http://127.0.0.1:%d", own[0]), commands: filepath.Join(t.TempDir(), "s")}
	file, err := filepath.Abs("../../deploy/haproxy/haproxy.cfg")
	if err != nil {
		t.Fatal(err)
	}
	var said transcript
	c := exec.Command(storagetest.Tool(t, "haproxy"), "-db", "-f", file)
	c.Stdout, c.Stderr = &said, &said
	c.Env = []string{
		fmt.Sprintf("CLIENTS_AT=127.0.0.1:%d", own[0]), fmt.Sprintf("CONTROL_AT=127.0.0.1:%d", own[1]), fmt.Sprintf("STATS_AT=127.0.0.1:%d", own[2]),
		"COMMANDS_AT=" + b.commands, "GATEWAY_1=127.0.0.1", "GATEWAY_2=127.0.0.1",
		fmt.Sprintf("GATEWAY_1_PORT=%d", ports[0][0]), fmt.Sprintf("GATEWAY_1_CONTROL=%d", ports[0][1]),
		fmt.Sprintf("GATEWAY_2_PORT=%d", ports[1][0]), fmt.Sprintf("GATEWAY_2_CONTROL=%d", ports[1][1]),
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
		if t.Failed() {
			t.Logf("haproxy says:\n%s", said.String())
		}
	})
	return b
}

// ask sends one command to HAProxy.
func (b *balancer) ask(t *testing.T, command string) string {
	t.Helper()
	c, err := net.Dial("unix", b.commands)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := io.WriteString(c, command+"\n"); err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(said)
}

// is waits until HAProxy says so of a gateway: its state, and whether it has requests under way.
func (b *balancer) is(t *testing.T, gateway int, state string, idle bool) {
	t.Helper()
	eventually(t, fmt.Sprintf("gateway %d is %s", gateway+1, state), func() bool {
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(b.ask(t, "show stat"), "# "))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		at := map[string]int{}
		for i, name := range rows[0] {
			at[name] = i
		}
		for _, row := range rows[1:] {
			if row[at["pxname"]] == "gateways" && row[at["svname"]] == fmt.Sprintf("gateway-%d", gateway+1) {
				return row[at["status"]] == state && (!idle || row[at["scur"]] == "0")
			}
		}
		return false
	})
}

// freePorts are ports that the system gives to nobody by itself, so that they can be taken again.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for range 1000 {
		port := 20000 + rand.IntN(12000)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		defer func() { _ = l.Close() }()
		if ports = append(ports, port); len(ports) == n {
			return ports
		}
	}
	t.Fatal("no port is free")
	return nil
}

// Two gateways of the release before go over to this one, node by node, and are restarted, under
// load and on one database: no call fails, and the ledger has each of them once. A gateway of the
// release before knows no drain_delay, so the balancer is told first; after that SIGTERM is enough.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	// A clone without its history has no release before this one.
	if rev := os.Getenv("AISTRALE_PREVIOUS"); rev != "" && exec.Command("git", "cat-file", "-e", rev+"^{commit}").Run() != nil {
		t.Skip("the previous release, " + rev + ", is not in this clone")
	}
	before, now, restarts := storagetest.Tool(t, "previous"), "", 1
	if os.Getenv("AISTRALE_PROVE") != "" {
		restarts = 20
	}
	m, upstream := emulator(t)
	p := newPlace(t)
	shared := fmt.Sprintf("storage: {postgres: %q, redis: %q}\nlimits: [{scope: \"*\", requests_per_minute: 1000000}]\nbudgets: [{scope: project/default, usd: 100000, per: day}]\n",
		storagetest.Postgres(t), storagetest.Redis(t))
	c := &crowd{load: newLoad(t, m, 2), place: p, upstream: upstream, running: make([]*program, 2)}
	var ports [2][2]int
	write := func(n int, more string) string {
		text := ledgerConfig(filepath.Join(p.dir, fmt.Sprintf("data%d", n)), upstream, shared+more)
		for _, port := range ports[n] {
			text = strings.Replace(text, "127.0.0.1:0", fmt.Sprintf("127.0.0.1:%d", port), 1)
		}
		return p.write(t, fmt.Sprintf("g%d.yaml", n), text)
	}
	begin := func(n int, program string) {
		t.Helper()
		at := place{dir: p.dir, program: program}
		c.running[n] = at.begin(t, "serve", "--config", c.configs[n])
	}
	for n, free := 0, freePorts(t, 4); n < 2; n++ {
		ports[n] = [2]int{free[2*n], free[2*n+1]}
		c.configs = append(c.configs, write(n, ""))
		begin(n, before)
	}
	b := newBalancer(t, ports)
	eventually(t, "the balancer serves", func() bool {
		resp, err := http.Get(b.url + "/readyz")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	for n := range 2 {
		b.is(t, n, "UP", false)
		c.aim(n, b.url)
	}
	c.begin(2)

	for n := range 2 {
		c.awhile(t, 100)
		b.ask(t, fmt.Sprintf("set server gateways/gateway-%d state drain", n+1))
		b.is(t, n, "DRAIN", true)
		c.running[n].signal(t, syscall.SIGTERM)
		c.running[n].ended(t)
		c.configs[n] = write(n, "drain_delay: 3s\n")
		begin(n, now)
		b.ask(t, fmt.Sprintf("set server gateways/gateway-%d state ready", n+1))
		b.is(t, n, "UP", false)
	}
	for n := range restarts {
		c.awhile(t, 100)
		c.running[n%2].signal(t, syscall.SIGTERM)
		if code := c.running[n%2].ended(t); code != 0 {
			t.Errorf("exit code %d", code)
		}
		begin(n%2, now)
		b.is(t, n%2, "UP", false)
	}
	c.awhile(t, 100)
	c.stop()
	for user, one := range c.calls {
		if !one.finished {
			t.Errorf("%s failed: %+v", user, one)
		}
	}
	c.audit(t)
}
