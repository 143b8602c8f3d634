package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/auditlog"
)

// Outlet takes what leaves the gateway to be kept where its store's owner cannot change it.
type Outlet interface {
	Name() string
	// Put keeps a text under a name; the same name again is the same text.
	Put(ctx context.Context, name string, text []byte) error
}

// AuditorOptions are what an Auditor works with.
type AuditorOptions struct {
	Store Store
	Vault Vault
	Log   *slog.Logger
	Now   func() time.Time
	// Every and Records say when a checkpoint is due: so long after the last one, or so many
	// records behind it, whichever is first, and never where nothing was added.
	Every     time.Duration
	Records   int64
	Witnesses []Outlet
	Notices   *Notices // told of checkpoints; nil: nobody is
}

// Auditor chains what was noted, and has checkpoints of the chain witnessed. Each node has one;
// they take turns at the store.
type Auditor struct {
	AuditorOptions
	checkpoints shelf[checkpoint]
	keys        shelf[auditKey]
	owed        map[string][]kept[checkpoint] // by witness: what it could not be given yet
	// Condition is how chaining and witnessing goes.
	Condition Condition
}

// checkpoint is a checkpoint as it was made.
type checkpoint struct{ Note []byte }

// auditKey signs checkpoints; what it signs with is sealed.
type auditKey struct {
	Verifying string
	Origin    string
}

func checkpointKind() storage.Kind { return storage.Kind{Name: "audit_checkpoint"} }
func auditKeyKind() storage.Kind   { return storage.Kind{Name: "audit_key"} }

const auditKeyID = "current"

// NewAuditor makes one; Run runs it.
func NewAuditor(o AuditorOptions) *Auditor {
	return &Auditor{
		AuditorOptions: o, owed: map[string][]kept[checkpoint]{},
		checkpoints: shelf[checkpoint]{o.Store, checkpointKind()}, keys: shelf[auditKey]{o.Store, auditKeyKind()},
	}
}

// chainEvery is how long something that was noted stays out of the chain at most, and chainBatch
// how much is chained in one transaction.
const (
	chainEvery = 500 * time.Millisecond
	chainBatch = 500
)

// Run chains and has witnessed until ctx ends; what was noted last is chained then.
func (a *Auditor) Run(ctx context.Context) {
	tick := time.NewTicker(chainEvery)
	defer tick.Stop()
	var trouble string
	for {
		err := a.turn(ctx)
		trouble = a.tell(ctx, trouble, err)
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			_, _ = a.chain(last) // what cannot be chained now is by the next one who can
			return
		case <-tick.C:
		}
	}
}

// tell logs a trouble once for as long as it stays the same.
func (a *Auditor) tell(ctx context.Context, before string, err error) string {
	if ctx.Err() == nil {
		a.Condition.Note(err, a.Now())
	}
	if ctx.Err() != nil || err == nil {
		return ""
	}
	if err.Error() != before {
		a.Log.Error("the audit log cannot be chained or witnessed", "error", err.Error())
	}
	return err.Error()
}

func (a *Auditor) turn(ctx context.Context) error {
	head, err := a.chain(ctx)
	if err != nil {
		return err
	}
	if due, err := a.due(ctx, head); err != nil || !due {
		return errors.Join(err, a.deliver(ctx))
	}
	if _, err := a.checkpoint(ctx); err != nil && !errors.Is(err, storage.ErrExists) { // another node was first
		return err
	}
	return a.deliver(ctx)
}

// chain chains all that was noted so far.
func (a *Auditor) chain(ctx context.Context) (head storage.AuditHead, err error) {
	for n := chainBatch; n == chainBatch; {
		if head, n, err = a.Store.ChainAudit(ctx, chainBatch); err != nil {
			return head, err
		}
	}
	return head, nil
}

func (a *Auditor) due(ctx context.Context, head storage.AuditHead) (bool, error) {
	last, err := a.last(ctx)
	if err != nil {
		return false, err
	}
	behind := head.Seq - last.seq
	return behind > 0 && (behind >= a.Records || a.Now().Sub(last.at) >= a.Every), nil
}

// made says what the newest checkpoint speaks of.
type made struct {
	seq int64
	at  time.Time
}

func (a *Auditor) last(ctx context.Context) (made, error) {
	// Ids are written so that the newest comes first.
	found, err := a.checkpoints.list(ctx, storage.DocumentQuery{Limit: 1})
	if err != nil || len(found) == 0 {
		return made{}, err
	}
	seq, err := checkpointSeq(found[0].ID)
	return made{seq, found[0].CreatedAt}, err
}

// A checkpoint's id counts down, so that lists begin with the newest.
const lastSeq = 9_999_999_999_999

func checkpointID(seq int64) string { return fmt.Sprintf("%013d", lastSeq-seq) }

func checkpointSeq(id string) (seq int64, err error) {
	_, err = fmt.Sscanf(id, "%013d", &seq)
	return lastSeq - seq, err
}

// checkpoint signs the chain as it stands and keeps the note. It wraps storage.ErrExists where
// there is one of this head.
func (a *Auditor) checkpoint(ctx context.Context) (kept[checkpoint], error) {
	var k kept[checkpoint]
	head, err := a.chain(ctx)
	if err != nil {
		return k, err
	}
	key, err := a.key(ctx)
	if err != nil {
		return k, err
	}
	signing, err := a.Vault.Open(ctx, key.Sealed, key.Binding())
	if err != nil {
		return k, fmt.Errorf("audit key: %w", err)
	}
	k.ID = checkpointID(head.Seq)
	if k.Noun.Note, err = (auditlog.Checkpoint{Origin: key.Noun.Origin, Head: head}).Sign(signing); err != nil {
		return k, err
	}
	err = a.Store.Together(ctx, func(ctx context.Context) error {
		if err := a.checkpoints.add(ctx, &k, a.Now()); err != nil {
			return err
		}
		return a.Notices.tell(ctx, &Event{
			Type: EventCheckpoint, Data: CheckpointNotice{head.Seq, string(k.Noun.Note)},
			Text: fmt.Sprintf("A checkpoint of the audit log was made at record %d.", head.Seq),
		})
	})
	if err != nil {
		return k, err
	}
	for _, w := range a.Witnesses {
		a.owe(w.Name(), k)
	}
	return k, nil
}

// key gives the key that signs, and makes it where there is none yet.
func (a *Auditor) key(ctx context.Context) (kept[auditKey], error) {
	k, err := a.keys.get(ctx, "", auditKeyID)
	if !errors.Is(err, storage.ErrNotFound) {
		return k, err
	}
	k = kept[auditKey]{Noun: auditKey{Origin: "aistrale/" + uuid.NewString()[:8] + "/audit"}}
	k.Kind, k.ID = auditKeyKind(), auditKeyID
	signing, verifying, err := auditlog.NewKey(k.Noun.Origin)
	if err != nil {
		return k, err
	}
	k.Noun.Verifying = verifying
	if k.Sealed, err = a.Vault.Seal(ctx, signing, k.Binding()); err != nil {
		return k, fmt.Errorf("audit key: %w", err)
	}
	if err := a.keys.add(ctx, &k, a.Now()); errors.Is(err, storage.ErrExists) { // another node's
		return a.keys.get(ctx, "", auditKeyID)
	} else if err != nil {
		return k, err
	}
	return k, nil
}

// mostOwed bounds what is kept for a witness that cannot be reached: the newest say all that the
// others do.
const mostOwed = 100

func (a *Auditor) owe(witness string, k kept[checkpoint]) {
	a.owed[witness] = append(a.owed[witness], k)
	if len(a.owed[witness]) > mostOwed {
		a.owed[witness] = a.owed[witness][1:]
	}
}

// deliver gives witnesses what they are owed.
func (a *Auditor) deliver(ctx context.Context) error {
	var errs []error
	for _, w := range a.Witnesses {
		for _, k := range a.owed[w.Name()] {
			seq, err := checkpointSeq(k.ID)
			if err == nil {
				err = w.Put(ctx, fmt.Sprintf("checkpoint-%013d", seq), k.Noun.Note)
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("audit.witnesses: %s: %w", w.Name(), err))
				break
			}
			a.owed[w.Name()] = a.owed[w.Name()][1:]
		}
	}
	return errors.Join(errs...)
}
