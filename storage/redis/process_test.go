package redis

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/storagetest"
)

// order is what a node in a process of its own is to do.
type order struct {
	URL     string
	Node    int
	Callers int
	For     time.Duration // of an overload; 0: until the budget refuses
	Alive   time.Duration
	Journal bool // say what is taken and settled, before it is
}

// done is what it did.
type done struct {
	Calls, Spent int64
	First, Last  int64 // grants, by the server's clock
}

const orderIn = "AISTRALE_TEST_REDIS_NODE"

func processBudget() policy.BudgetAsk {
	return policy.BudgetAsk{Counter: "budget:{w}key/a:usd:total", Limit: 137_000, Fixed: 500, PerMillion: 10_000_000}
}

// TestNode is a node, where it was started as one.
func TestNode(t *testing.T) {
	text := os.Getenv(orderIn)
	if text == "" {
		t.Skip("started by other tests")
	}
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	c := open(t, Options{URL: storage.NewSecret(o.URL)})
	var n node
	n.c, n.order = c, o
	end := time.Now().Add(o.For)
	var all sync.WaitGroup
	for i := range o.Callers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(o.Node), uint64(i)))
			for ask := 0; o.For == 0 || time.Now().Before(end); ask++ {
				if !n.call(t, fmt.Sprintf("%d-%d-%d/1", o.Node, i, ask), random) {
					return
				}
			}
		})
	}
	all.Wait()
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.say()
}

type node struct {
	c     *Counters
	order order
	mu    sync.Mutex
	did   done
}

func (n *node) say() {
	n.mu.Lock()
	defer n.mu.Unlock()
	line, _ := json.Marshal(n.did)
	fmt.Printf("\nnode %s\n", line)
}

// call is one call, until it is granted or refused for good; false is for good.
func (n *node) call(t *testing.T, lease string, random *rand.Rand) bool {
	a := &policy.Ask{Lease: lease, Now: time.Now(), Alive: n.order.Alive}
	if n.order.For > 0 {
		a.Rates = []policy.RateAsk{{Counter: "rate:{w}key/a", Interval: overInterval, Burst: overBurst, Cost: 1}}
	} else {
		a.Output, a.Least, a.Budgets = 100, 100, []policy.BudgetAsk{processBudget()}
	}
	v, err := n.c.Take(t.Context(), a)
	switch {
	case err != nil:
		t.Error(err)
		return false
	case v.Grant != nil:
		if n.order.Journal {
			fmt.Printf("\ntook %s\n", lease)
		}
		n.settle(v.Grant, random)
		return true
	case n.order.For == 0 && !v.Refused.Held:
		return false
	}
	select { // callers come again soon
	case <-time.After(time.Duration(1+random.IntN(10)) * time.Millisecond):
	case <-t.Context().Done():
	}
	return true
}

// settle charges about a thousand of the fifteen hundred that were reserved, on average.
func (n *node) settle(g *policy.Grant, random *rand.Rand) {
	parts := n.c.leases.of(g)
	cost := int64(500 + random.IntN(1001))
	if n.order.Journal {
		fmt.Printf("\nsettled %s %d\n", g.Ask.Lease, cost)
	}
	n.c.Settle(g, policy.Spent{Budgets: []int64{cost}})
	n.mu.Lock()
	n.did.Calls++
	n.did.Spent += cost
	var at int64
	_, _ = fmt.Sscan(parts[0].taken, &at)
	if n.did.First == 0 {
		n.did.First = at
	}
	n.did.First, n.did.Last = min(n.did.First, at), max(n.did.Last, at)
	first := n.did.Calls == 1
	n.mu.Unlock()
	if first {
		fmt.Printf("\nbegun\n")
	}
}

// process is a node that runs.
type process struct {
	cmd   *exec.Cmd
	begun chan struct{} // closed at its first grant
	ended chan done
	left  map[string]int64 // what its journal knows, by lease: -1 is not settled; once it has ended
}

func start(t *testing.T, o order) *process {
	t.Helper()
	line, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{begun: make(chan struct{}), ended: make(chan done, 1), left: map[string]int64{}}
	p.cmd = exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNode$", "-test.count=1")
	p.cmd.Env = append(os.Environ(), orderIn+"="+string(line))
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.read(out) // ends with the process
	return p
}

func (p *process) read(out io.Reader) {
	var did done
	begun := sync.OnceFunc(func() { close(p.begun) })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var lease string
		var cost int64
		switch line := lines.Text(); {
		case scans(line, "took %s", &lease):
			p.left[lease] = -1
		case scans(line, "settled %s %d", &lease, &cost):
			p.left[lease] = cost
		case line == "begun":
			begun()
		case len(line) > 5 && line[:5] == "node ":
			_ = json.Unmarshal([]byte(line[5:]), &did)
		}
	}
	_ = p.cmd.Wait()
	begun()
	p.ended <- did
}

func scans(line, format string, into ...any) bool {
	n, err := fmt.Sscanf(line, format, into...)
	return err == nil && n == len(into)
}

const processes = 3

// A thousand callers in three processes, against a budget that pays for 137 calls.
func TestProcesses_Budget(t *testing.T) {
	url := storagetest.Redis(t)
	var nodes []*process
	for i := range processes {
		nodes = append(nodes, start(t, order{URL: url, Node: i, Callers: 1000 / processes, Alive: time.Minute}))
	}
	var sum done
	for _, p := range nodes {
		did := <-p.ended
		sum.Calls, sum.Spent = sum.Calls+did.Calls, sum.Spent+did.Spent
	}
	b := processBudget()
	c := open(t, Options{URL: storage.NewSecret(url)})
	state, err := policy.StateOf(t.Context(), c, &b)
	if err != nil || state != (policy.BudgetState{Spent: sum.Spent}) {
		t.Errorf("the counter stands at %+v, %v; spent were %d", state, err, sum.Spent)
	}
	if sum.Spent > b.Limit || sum.Spent < b.Limit*95/100 {
		t.Errorf("%d of %d spent", sum.Spent, b.Limit)
	}
	t.Logf("%d calls spent %d of %d", sum.Calls, sum.Spent, b.Limit)
}

// One process of three is killed while it holds leases. Nearly all of the budget is used all the
// same: its journal says what became of them, and what it does not know is charged in full.
func TestProcesses_Killed(t *testing.T) {
	const inTake = 3 // callers of the one that is killed
	url := storagetest.Redis(t)
	nodes := []*process{start(t, order{URL: url, Callers: inTake, Alive: 2 * time.Second, Journal: true})}
	<-nodes[0].begun
	for i := 1; i < processes; i++ {
		nodes = append(nodes, start(t, order{URL: url, Node: i, Callers: 30, Alive: 2 * time.Second}))
	}
	if err := nodes[0].cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-nodes[0].ended
	c := open(t, Options{URL: storage.NewSecret(url)})
	b := processBudget()
	var known, lost int64
	for lease, cost := range nodes[0].left {
		c.Inherit(&policy.Ask{Lease: lease, Now: time.Now(), Budgets: []policy.BudgetAsk{b}}, []int64{cost})
		if cost < 0 {
			cost = b.Reserve(100)
			lost++
		}
		known += cost
	}
	for _, p := range nodes[1:] {
		did := <-p.ended
		known += did.Spent
	}
	var state policy.BudgetState
	until(t, func() bool {
		var err error
		if state, err = policy.StateOf(t.Context(), c, &b); err != nil {
			t.Error(err)
		}
		return state.Reserved == 0
	})
	unheard := (state.Spent - known) / b.Reserve(100) // granted, but it died before it heard of it
	if state.Spent != known+unheard*b.Reserve(100) || unheard < 0 || unheard > inTake || state.Spent > b.Limit || known < b.Limit*95/100 {
		t.Errorf("%+v: %d of %d known to be spent", state, known, b.Limit)
	}
	if len(nodes[0].left) == 0 {
		t.Error("nothing was under way in the process that was killed")
	}
	t.Logf("spent %d of %d; the dead one had %d calls, %d of them not settled, and never heard of %d",
		known, b.Limit, len(nodes[0].left), lost, unheard)
}

const (
	overInterval = 5 * time.Millisecond // 200 a second
	overBurst    = 100
)

// Three processes ask for far more than a rate allows.
func TestProcesses_Rate(t *testing.T) {
	url := storagetest.Redis(t)
	span := 2 * time.Second
	if os.Getenv("AISTRALE_PROVE") != "" {
		span = 10 * time.Second
	}
	var nodes []*process
	for i := range processes {
		nodes = append(nodes, start(t, order{URL: url, Node: i, Callers: 12, Alive: time.Minute, For: span}))
	}
	var sum done
	for _, p := range nodes {
		did := <-p.ended
		if sum.First == 0 {
			sum.First = did.First
		}
		sum.Calls, sum.First, sum.Last = sum.Calls+did.Calls, min(sum.First, did.First), max(sum.Last, did.Last)
	}
	lasted := time.Duration(sum.Last - sum.First)
	fair := int64(lasted / overInterval)
	if sum.Calls > fair+overBurst || sum.Calls < fair-overBurst {
		t.Errorf("%d admitted in %s, want %d and up to %d at once", sum.Calls, lasted, fair, overBurst)
	}
	t.Logf("%d admitted in %s: %d and up to %d at once", sum.Calls, lasted, fair, overBurst)
}
