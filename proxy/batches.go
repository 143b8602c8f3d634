package proxy

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

const (
	// batchEvery is how often the batches that are under way are looked at, and batchRound how
	// many of them each time.
	batchEvery = time.Minute
	batchRound = 200
	// batchTier is the tier that a batch is served and priced by, whatever its replies say.
	batchTier = "batch"
)

// batches puts into the ledger what batches cost: that shows only in their results, which nobody
// need ever read. A batch is one request there, with an attempt for each of its models, whose ids
// follow from the batch itself: however often and by however many gateways it is read, it is
// counted once.
type batches struct {
	g    *Gateway
	how  map[string]*providers.Batch // by language
	wake chan struct{}
	stop context.CancelFunc
	ends sync.WaitGroup
	last *storage.Object // that was looked at
}

// begin looks at batches until close.
func (b *batches) begin(g *Gateway) {
	ctx, stop := context.WithCancel(context.Background())
	b.g, b.wake, b.stop, b.how = g, make(chan struct{}, 1), stop, map[string]*providers.Batch{}
	for _, list := range g.endpoints.fixed {
		for _, at := range list {
			if at.Stored != nil && at.Stored.Batch != nil {
				b.how[at.Face.Language()] = at.Stored.Batch
			}
		}
	}
	if g.options.Objects == nil {
		return
	}
	b.ends.Go(func() { b.run(ctx) })
}

func (b *batches) close() {
	b.stop()
	b.ends.Wait()
}

// look has the batches looked at soon: one has ended.
func (b *batches) look() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func (b *batches) run(ctx context.Context) {
	tick := time.NewTicker(batchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-b.wake:
		}
		b.round(ctx)
	}
}

// round looks at some of the batches that are owed for, and goes on behind them the next time.
func (b *batches) round(ctx context.Context) {
	owed, err := b.g.objects.store.ListObjects(ctx, storage.ObjectQuery{Kind: providers.ObjectBatch, Owed: true, Oldest: true, After: b.last, Limit: batchRound})
	b.last = nil
	if err != nil {
		return // the store says itself that it is down; the next round looks again
	}
	if len(owed) == batchRound {
		b.last = &owed[batchRound-1]
	}
	group := &asking{under: map[Exchange]struct{}{}}
	defer context.AfterFunc(ctx, func() { group.Cancel(errDraining) })()
	for i := range owed {
		if ctx.Err() != nil {
			return
		}
		_ = b.settle(ctx, group, &owed[i]) // it stays owed
	}
}

// settle reads what a batch that has ended has cost. One that has not is left as it is; what goes
// wrong is tried again in a later round: the batch stays owed.
func (b *batches) settle(ctx context.Context, group *asking, o *storage.Object) error {
	state := b.g.state.Load()
	if state == nil {
		return errUnread
	}
	account := state.keeping(o)
	if account == nil || account.NeedsKey {
		return errForgotten
	}
	route, ok := account.Route(providers.OpBatches, "", "")
	how := b.how[route.Language]
	if !ok || how == nil {
		return errUnread
	}
	status, shown, err := group.ask(account, &route, strings.ReplaceAll(how.Show, "{id}", url.PathEscape(o.ID)), b.g.options.Limits.MaxReply)
	if err != nil {
		return err
	}
	if status != http.StatusOK && status != http.StatusNotFound {
		return errUnread
	}
	ended, results := how.State(shown)
	if !ended && status == http.StatusOK {
		return nil
	}
	sums := map[string]*spent{}
	for _, id := range results {
		err := group.lines(account, &route, contentPath(how, id), b.g.options.Limits.MaxReply, func(_ int, line []byte) error {
			if reply := how.Result(line); reply != nil {
				count(state, account, o, sums, resultOf(how, account, &route, reply))
			}
			return nil
		})
		if err != nil && fault(err).Status != http.StatusNotFound { // results that are gone tell nothing more
			return err
		}
	}
	return b.book(ctx, state, o, b.entries(account, o, sums))
}

var errUnread = errors.New("the batch cannot be read")

// book puts what a batch has cost into the ledger, and has the budgets count it. Where the batch
// cannot be settled it is read again, and is the same in the ledger.
func (b *batches) book(ctx context.Context, state *Snapshot, o *storage.Object, entries []*storage.Entry) error {
	if len(entries) > 0 {
		if err := b.g.options.Journal.Append(entries...); err != nil {
			return err
		}
	}
	first, err := b.g.objects.store.SettleObject(ctx, *o)
	if first && err == nil {
		b.count(ctx, state, o, entries)
	}
	return err
}

// settleFirst books a batch that is about to be deleted: its results go with it.
func (f *flight) settleFirst(o *storage.Object) error {
	group := &asking{under: map[Exchange]struct{}{}}
	if err := f.own(group); err != nil {
		return f.broken(err)
	}
	defer f.disown()
	if err := f.g.batches.settle(context.Background(), group, o); err != nil {
		if f.left() != nil {
			return f.broken(err)
		}
		return &providers.Fault{Kind: providers.FaultUnavailable, Retryable: true, RetryAfter: time.Second, Cause: err,
			Message: "The gateway cannot read what the batch has cost at the moment, so it was not deleted. Please retry shortly."}
	}
	return nil
}

// count tells the budgets that the batch was begun under what it has cost. It refuses nothing: the
// batch is over.
func (b *batches) count(ctx context.Context, state *Snapshot, o *storage.Object, entries []*storage.Entry) {
	if state.Limits == nil {
		return
	}
	key := state.Keys.ByID(o.Key)
	if key == nil { // it is gone; its budgets may be others' too
		key = &storage.Key{ID: o.Key, Name: o.KeyName, Owner: o.User, Project: o.Project, Workspace: o.Workspace}
	}
	limits := state.Limits.For(key)
	for _, e := range entries {
		var ask policy.Ask
		target := policy.Target{Provider: e.Provider, Model: e.Model}
		err := limits.Ask(&ask, &policy.Wanted{
			Lease: fmt.Sprintf("%s/%d", e.RequestID, e.Attempt), Now: time.Now(), Alive: leaseAlive, Asked: target.Name(), Target: target,
		})
		if ask.Rates, ask.Slots = nil, nil; err != nil || len(ask.Budgets) == 0 {
			continue
		}
		for i := range ask.Budgets {
			ask.Budgets[i].Advisory = true
		}
		v, err := b.g.options.Counters.Take(ctx, &ask)
		if err != nil || v.Grant == nil {
			continue // the ledger has it, which counters that begin anew are told by
		}
		var spent policy.Spent
		v.Grant.Spent(&spent, policy.Made{Lines: e.Lines, Charge: e.Charge})
		b.g.queue.Settle(v.Grant, spent)
	}
}

// spent is what the calls of one model took.
type spent struct {
	sum    providers.Normal
	charge storage.Charge
}

// result is what is counted of one reply.
type result struct {
	model string
	usage providers.Usage
}

// resultOf reads a reply in the language that it is of.
func resultOf(how *providers.Batch, account *Account, route *providers.Route, reply []byte) result {
	dialect := route.Dialect
	if how.Spoken != nil {
		language := how.Spoken(reply)
		if r, ok := account.Route(providers.OpChat, language, ""); ok && r.Language == language {
			dialect = r.Dialect
		}
	}
	return result{gjson.GetBytes(reply, "model").String(), dialect.Observe(reply).Usage}
}

// count adds the usage of one reply. Each is priced by itself: a price may depend on how long one
// input is.
func count(state *Snapshot, account *Account, o *storage.Object, sums map[string]*spent, reply result) {
	for i := range reply.usage.Lines {
		line := reply.usage.Lines[i].Normal()
		if line.Model == "" {
			line.Model = reply.model
		}
		line.Tier = batchTier
		s := sums[line.Model]
		if s == nil {
			s = &spent{sum: providers.Normal{Model: line.Model, Tier: batchTier}}
			sums[line.Model] = s
		}
		charge := state.Prices.Charge(policy.Called{
			Provider: account.Name, Model: line.Model, Region: account.Tariff, Time: o.CreatedAt,
		}, []providers.Normal{line})
		s.add(&line, &charge)
	}
}

func (s *spent) add(n *providers.Normal, c *storage.Charge) {
	s.sum.Add(n)
	s.charge.CostNano += c.CostNano
	s.charge.PriceID = c.PriceID
	if s.charge.Unpriced == "" {
		s.charge.Unpriced = c.Unpriced
	}
}

// entries are the ledger's rows of a batch, one for each model.
func (b *batches) entries(account *Account, o *storage.Object, sums map[string]*spent) []*storage.Entry {
	var out []*storage.Entry
	models := slices.Sorted(maps.Keys(sums))
	for i, model := range models {
		s := sums[model]
		out = append(out, &storage.Entry{
			RequestID: batchRequest(o), Attempt: i + 1, Revision: 1, State: storage.EntrySettled, Final: i == len(models)-1,
			Time: o.CreatedAt, Node: b.g.options.Node,
			Series: storage.Series{
				Workspace: o.Workspace, Project: o.Project, Key: o.Key, KeyName: o.KeyName, User: o.User,
				Provider: account.Name, Model: model,
			},
			Credential: o.Credential, Asked: model, Served: model, Tier: batchTier, Op: providers.OpBatches.String(), Exact: true,
			Status: http.StatusOK, UpstreamStatus: http.StatusOK, UpstreamID: clientID([]byte(o.ID)), Outcome: storage.OutcomeOK,
			Lines: []providers.Normal{s.sum}, Charge: s.charge,
		})
	}
	return out
}

// batchRequest is the id of a batch's request in the ledger: a UUIDv7 of the time when it was
// made, and the same on every gateway.
func batchRequest(o *storage.Object) uuid.UUID {
	sum := sha256.Sum256([]byte(o.Provider + "\x00" + o.Credential + "\x00" + o.ID))
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(o.CreatedAt.UnixMilli())<<16)
	copy(id[6:], sum[:10])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}
