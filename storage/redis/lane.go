package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	goredis "github.com/redis/go-redis/v9"

	"github.com/aistrale/aistrale/policy"
)

const (
	batchItems = 128    // in one script, so that Redis is not kept from others for long
	bell       = 500    // so many do not wait for the next round
	mostItems  = 200000 // in memory while Redis is away
	mostTries  = 10     // of a batch that Redis refuses
)

// lanes hold what is to be told to each place, in its order.
type lanes struct {
	mu      sync.Mutex
	by      map[string]*lane
	number  int64 // of the last batch
	waiting int
	pushed  uint64
	gone    uint64 // told or dropped
	dropped uint64
	moved   chan struct{} // closed when gone grows
	told    echoes
}

// lane is what waits for one place. A batch that was sent stays what it is, with its number,
// until its answer has come: it may have been taken in.
type lane struct {
	items  []item
	from   int // where what is not told yet begins
	sent   int // how many from there are in the batch under way
	number int64
	tries  int
}

func (l *lanes) open(remember bool) {
	l.by, l.moved = map[string]*lane{}, make(chan struct{})
	if remember {
		l.told.by = map[string]*echo{}
	}
}

// push queues an item. Where there is no room for it, its lease runs out in Redis and is charged
// what it reserved; the ledger has it all the same.
func (c *Counters) push(it item) {
	it.part = it.part.own()
	l := &c.lanes
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting >= mostItems {
		if it.what != "renew" {
			l.dropped++
		}
		return
	}
	ln := l.by[it.part.place]
	if ln == nil {
		ln = &lane{}
		l.by[it.part.place] = ln
	}
	ln.items = append(ln.items, it)
	l.waiting++
	l.pushed++
	if l.waiting == bell {
		wake(c.due)
	}
}

// batch is one lane's next.
type batch struct {
	place  string
	number int64
	items  []item
}

// next gives the next batch of each lane.
func (l *lanes) next() []batch {
	const most = 16
	l.mu.Lock()
	defer l.mu.Unlock()
	var places []string
	for place, ln := range l.by {
		if len(ln.items) > ln.from {
			places = append(places, place)
		}
	}
	slices.Sort(places)
	var out []batch
	for _, place := range places[:min(most, len(places))] {
		ln := l.by[place]
		if ln.sent == 0 {
			l.number++
			ln.sent, ln.number = min(batchItems, len(ln.items)-ln.from), l.number
		}
		out = append(out, batch{place, ln.number, ln.items[ln.from : ln.from+ln.sent]})
	}
	return out
}

// done takes a batch off its lane.
func (l *lanes) done(b batch, taken bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ln := l.by[b.place]
	if taken {
		l.told.note(b.place, b.items)
	} else {
		l.dropped += uint64(len(b.items))
	}
	ln.drop()
	ln.sent, ln.tries = 0, 0
	l.waiting -= len(b.items)
	l.gone += uint64(len(b.items))
	close(l.moved)
	l.moved = make(chan struct{})
}

// drop takes the batch that was sent off the lane. What is left moves up only now and then.
func (ln *lane) drop() {
	const some = 4096
	clear(ln.items[ln.from : ln.from+ln.sent])
	ln.from += ln.sent
	if ln.from == len(ln.items) || ln.from > some && ln.from > len(ln.items)/2 {
		left := copy(ln.items, ln.items[ln.from:])
		clear(ln.items[left:])
		ln.items, ln.from = ln.items[:left], 0
	}
	if len(ln.items) == 0 && cap(ln.items) > some {
		ln.items = nil
	}
}

// refused counts a try that Redis answered with an error of the batch's own.
func (l *lanes) refused(b batch) (tries int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ln := l.by[b.place]
	ln.tries++
	return ln.tries
}

// tell sends the next batch of each lane, and says whether there may be more to send.
func (c *Counters) tell(ctx context.Context) bool {
	batches := c.lanes.next()
	if len(batches) == 0 {
		return false
	}
	sent := make([]*call, len(batches))
	for i := range batches {
		sent[i] = c.callSettle(&batches[i])
	}
	err := c.probe(ctx, settleTimeout, func(ctx context.Context) error { return run(ctx, c.client, sent) })
	for i, b := range batches {
		if !sent[i].answered {
			continue // not sent
		}
		if sent[i].err == nil {
			c.told(b, sent[i].reply)
			c.lanes.done(b, true) // the batch's items are gone then
			continue
		}
		if wrong(sent[i].err) && c.lanes.refused(b) >= mostTries {
			c.options.Log.Error("storage.redis: settlements that Redis will not take are dropped", "items", len(b.items), "error", sent[i].err)
			c.lanes.done(b, false)
		}
	}
	return err == nil
}

// wrong reports whether Redis says that the batch itself is at fault.
func wrong(err error) bool {
	var said goredis.Error
	return errors.As(err, &said) && (goredis.HasErrorPrefix(err, "ERR") || goredis.HasErrorPrefix(err, "WRONGTYPE"))
}

func (c *Counters) callSettle(b *batch) *call {
	keys := []string{c.names.born(b.place), keyBatch(b.place, c.node)}
	args := newPack(40 + 200*len(b.items))
	args.add(c.shift.Load(), c.learns(), b.number, int64(len(b.items)))
	for i := range b.items {
		keys = c.appendItem(keys, &args, &b.items[i])
	}
	return &call{script: scriptSettle, keys: keys, args: args}
}

func (c *Counters) appendItem(keys []string, args *pack, it *item) []string {
	a := it.part.ask
	rates, slots := a.Rates, a.Slots
	switch it.what {
	case "renew":
		rates = nil
	case "again":
		rates, slots = nil, nil
	}
	args.word(it.what)
	args.word(a.Lease)
	args.add(a.Alive.Milliseconds())
	args.word(it.part.taken)
	args.add(it.at.UnixMilli(), int64(len(rates)), int64(len(slots)), int64(len(a.Budgets)))
	for i := range rates {
		keys = append(keys, c.names.of(rates[i].Counter).key)
		args.add(int64(max(0, rates[i].Interval)), it.units[i])
	}
	for i := range slots {
		keys = append(keys, c.names.of(slots[i].Counter).key)
	}
	for i := range a.Budgets {
		bud := &a.Budgets[i]
		name := c.names.of(bud.Counter)
		keys = append(keys, name.key, name.leases, name.known)
		args.add(min(it.amounts[i], exact), bud.Window.Rolling.Milliseconds(), opening(bud, it.at), millis(bud.Window.End))
		addShares(args, bud)
	}
	return keys
}

func addShares(args *pack, b *policy.BudgetAsk) {
	args.add(int64(len(b.Soft)))
	for _, percent := range b.Soft {
		args.add(int64(percent), min(b.Share(percent), exact))
	}
}

// told does what an answer asks for: budgets are to be read from the ledger, and thresholds to
// be told of.
func (c *Counters) told(b batch, reply any) {
	lists, _ := reply.([]any)
	if len(lists) != 3 {
		return
	}
	if born, ok := lists[2].(int64); ok {
		c.tellAgain(b.place, born)
	}
	for _, one := range rows(lists[0], 2) {
		c.lessons.start(c, b.items[one[0]].part.ask.Budgets[one[1]])
	}
	for _, one := range rows(lists[1], 4) {
		ask := &b.items[one[0]].part.ask.Budgets[one[1]]
		if c.options.Threshold != nil {
			c.options.Threshold(policy.Threshold{
				Counter: ask.Counter, Of: ask.Of, Share: int(one[2]), Spent: one[3], Limit: ask.Limit,
			})
		}
	}
}

// rows reads lists of so many numbers.
func rows(reply any, width int) [][]int64 {
	var out [][]int64
	list, _ := reply.([]any)
	for _, row := range list {
		if n, err := numbers(row); err == nil && len(n) == width {
			out = append(out, n)
		}
	}
	return out
}

// Flush returns when all that was settled before has been told to Redis.
func (c *Counters) Flush(ctx context.Context) error {
	l := &c.lanes
	l.mu.Lock()
	goal := l.pushed
	l.mu.Unlock()
	for {
		l.mu.Lock()
		left, moved := int64(goal-l.gone), l.moved
		l.mu.Unlock()
		if left <= 0 {
			return nil
		}
		wake(c.due)
		select {
		case <-moved:
		case <-ctx.Done():
			return fmt.Errorf("storage.redis: %d settlements are not told: %w", left, context.Cause(ctx))
		}
	}
}

// Backlog is what waits to be told to Redis.
type Backlog struct {
	Waiting int
	Dropped uint64 // since the start, for want of room
}

// Backlog says how much waits to be told.
func (c *Counters) Backlog() Backlog {
	c.lanes.mu.Lock()
	defer c.lanes.mu.Unlock()
	return Backlog{Waiting: c.lanes.waiting, Dropped: c.lanes.dropped}
}
