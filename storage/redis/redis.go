// Package redis keeps the counters of rates, slots and budgets for many nodes in one Redis, so
// that a limit is one limit however many gateways there are. It must never hold a call up for
// longer than its timeout, and never count a settlement twice.
package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/sony/gobreaker/v2"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// ErrDown is wrapped where Redis does not answer in time, or not as it should.
var ErrDown = errors.New("storage.redis: the counters do not answer")

// ErrUnknown is wrapped where Redis answers but does not know yet what was spent of a budget,
// because the ledger has still to say so.
var ErrUnknown = errors.New("storage.redis: what was spent of the budget is not read from the ledger yet")

// Options say where Redis is, and are the counters' ports.
type Options struct {
	// URL is redis:// or rediss://; with cluster=true among its parameters it is any node of a
	// Redis Cluster.
	URL storage.Secret
	// Timeout is how long one round trip may hold a call up; 0 is 50 ms.
	Timeout time.Duration
	// Expected is how many nodes there are, until Redis has said.
	Expected int
	// History says what the ledger has for a budget since the start of its window, or since a
	// time in rolling ones; that of attempts of requests since named by their leases. It is asked
	// where Redis knows nothing of a window that began before Redis was last empty. nil: nothing
	// was spent.
	History func(ctx context.Context, b *policy.BudgetAsk, since, named time.Time) ([]policy.Amount, error)
	// Threshold is told of shares of budgets, each once in a window over all nodes.
	Threshold func(policy.Threshold)
	Log       *slog.Logger // nil: nothing is said
}

// Counters implements policy.Counters.
type Counters struct {
	options Options
	client  goredis.UniversalClient
	cluster bool
	node    string
	breaker *gobreaker.CircuitBreaker[struct{}]
	calls   calls
	names   names
	spare   sync.Pool // of calls
	leases  leases
	lanes   lanes
	lessons lessons
	nodes   census
	shift   atomic.Int64 // seconds that the counters' clock is ahead; only tests set it
	ahead   atomic.Int64 // nanoseconds that the server's clock is ahead of this node's

	stop    context.CancelFunc // of keep and of what reads the ledger
	work    sync.WaitGroup
	tripped chan struct{}
	due     chan struct{}
}

// Open makes counters on a Redis, which need not be there yet. Its error is about the URL.
func Open(o Options) (*Counters, error) {
	if o.Timeout <= 0 {
		o.Timeout = 50 * time.Millisecond
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	client, cluster, err := connect(o)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	c := &Counters{
		options: o, client: client, cluster: cluster, node: rand.Text()[:16], stop: stop,
		tripped: make(chan struct{}, 1), due: make(chan struct{}, 1),
	}
	c.breaker = c.newBreaker()
	c.calls.send, c.calls.apart = c.send, apart
	c.leases.held, c.leases.seen = map[*policy.Grant]*held{}, map[string]sight{}
	c.lanes.open(o.History != nil)
	c.lessons.open(ctx)
	c.nodes.expect(o.Expected)
	c.work.Go(func() { c.keep(ctx) })
	return c, nil
}

// Close sends what is still to be settled, for as long as the context allows, and ends. What is
// left is lost to Redis, not to the ledger; the error says how much that is.
func (c *Counters) Close(ctx context.Context) error {
	flushed := c.Flush(ctx)
	c.lessons.stop(c.stop)
	c.work.Wait()
	return errors.Join(flushed, c.client.Close())
}

// serverNow is the server's clock, as far as this node knows.
func (c *Counters) serverNow() time.Time { return c.now().Add(time.Duration(c.ahead.Load())) }

// now is the node's clock.
func (c *Counters) now() time.Time {
	return time.Now().Add(time.Duration(c.shift.Load()) * time.Second)
}

var _ policy.SharedCounters = (*Counters)(nil)
