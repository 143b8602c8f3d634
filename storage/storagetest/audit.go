package storagetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// AuditStore keeps the audit log.
type AuditStore interface {
	Audit(ctx context.Context, e storage.AuditEvent) error
	ChainAudit(ctx context.Context, most int) (storage.AuditHead, int, error)
	AuditHead(ctx context.Context) (storage.AuditHead, error)
	AuditLog(ctx context.Context, q storage.AuditQuery) ([]storage.AuditRecord, error)
	Together(ctx context.Context, f func(context.Context) error) error
}

// Audits tests an AuditStore. open gives an empty one.
func Audits(t *testing.T, open func(t *testing.T) AuditStore) {
	t.Run("chain", func(t *testing.T) { auditChain(t, open(t)) })
	t.Run("queries", func(t *testing.T) { auditQueries(t, open(t)) })
	t.Run("at once", func(t *testing.T) { auditAtOnce(t, open(t)) })
}

func auditEvent(n int) storage.AuditEvent {
	return storage.AuditEvent{
		ID: fmt.Sprintf("01a21927-9fa7-75fe-a8b5-%012d", n), At: start().Add(time.Duration(n) * time.Second),
		Actor: "user/ada", Action: "keys.create", Target: fmt.Sprintf("key/%d", n), Workspace: "default", Outcome: storage.AuditDone,
	}
}

// unbroken reads the whole chain and checks each link.
func unbroken(t *testing.T, s AuditStore) []storage.AuditRecord {
	t.Helper()
	all, err := s.AuditLog(t.Context(), storage.AuditQuery{Oldest: true})
	do(t, err)
	var head storage.AuditHead
	for i := range all {
		if want := head.Next(all[i].Body); all[i].Seq != want.Seq || all[i].Prev != want.Prev || all[i].Hash != want.Hash {
			t.Fatalf("record %d does not follow the one before: %+v, want %+v", i+1, all[i], want)
		}
		head = all[i].Head()
	}
	got, err := s.AuditHead(t.Context())
	do(t, err)
	if got != head {
		t.Fatalf("the head is %+v, want %+v", got, head)
	}
	return all
}

func auditChain(t *testing.T, s AuditStore) {
	if head, err := s.AuditHead(t.Context()); err != nil || head != (storage.AuditHead{}) {
		t.Fatalf("an empty log has head %+v, error %v", head, err)
	}
	for n := range 5 {
		do(t, s.Audit(t.Context(), auditEvent(n)))
	}
	undone := errors.New("undone")
	wants(t, s.Together(t.Context(), func(ctx context.Context) error {
		do(t, s.Audit(ctx, auditEvent(99)))
		return undone
	}), undone)
	if s.Audit(t.Context(), storage.AuditEvent{ID: "x"}) == nil {
		t.Fatal("an event without an action was noted")
	}
	for _, want := range []int{3, 2, 0} {
		head, n, err := s.ChainAudit(t.Context(), 3)
		do(t, err)
		if n != want || head.Seq == 0 {
			t.Fatalf("chained %d to %d, want %d", n, head.Seq, want)
		}
	}
	if all := unbroken(t, s); len(all) != 5 {
		t.Fatalf("%d records, want 5", len(all))
	}
}

func auditQueries(t *testing.T, s AuditStore) {
	for n := range 6 {
		e := auditEvent(n)
		if n%2 == 1 {
			e.Actor, e.Workspace, e.Outcome = "user/grace", "team", storage.AuditDenied
		}
		do(t, s.Audit(t.Context(), e))
	}
	_, _, err := s.ChainAudit(t.Context(), 100)
	do(t, err)
	for _, c := range []struct {
		q    storage.AuditQuery
		want string
	}{
		{storage.AuditQuery{}, "654321"},
		{storage.AuditQuery{Limit: 2}, "65"},
		{storage.AuditQuery{After: 5, Limit: 2}, "43"},
		{storage.AuditQuery{After: 4, Oldest: true}, "56"},
		{storage.AuditQuery{Workspace: "team"}, "642"},
		{storage.AuditQuery{Actor: "user/ada"}, "531"},
		{storage.AuditQuery{Actor: "user/*", Outcome: storage.AuditDenied}, "642"},
		{storage.AuditQuery{Target: "key/3"}, "4"},
		{storage.AuditQuery{Action: "keys.*", From: start().Add(2 * time.Second), To: start().Add(4 * time.Second)}, "43"},
		{storage.AuditQuery{Action: "users.*"}, ""},
	} {
		found, err := s.AuditLog(t.Context(), c.q)
		do(t, err)
		got := ""
		for i := range found {
			got += fmt.Sprint(found[i].Seq)
		}
		if got != c.want {
			t.Errorf("%+v: got %s, want %s", c.q, got, c.want)
		}
	}
}

// Several nodes write and chain at once: there is one chain, and everything is in it once.
func auditAtOnce(t *testing.T, s AuditStore) {
	const nodes, each = 4, 25
	var done sync.WaitGroup
	for node := range nodes {
		done.Go(func() {
			for n := range each {
				if err := s.Audit(t.Context(), auditEvent(node*each+n)); err != nil {
					t.Error(err)
				}
				if n%5 != 0 {
					continue
				}
				if _, _, err := s.ChainAudit(t.Context(), 7); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done.Wait()
	for n := 1; n > 0; {
		var err error
		_, n, err = s.ChainAudit(t.Context(), 100)
		do(t, err)
	}
	ids := map[string]bool{}
	for _, r := range unbroken(t, s) {
		e, err := storage.DecodeAuditEvent(r.Body)
		do(t, err)
		ids[e.ID] = true
	}
	if len(ids) != nodes*each {
		t.Fatalf("%d events are in the chain, want %d", len(ids), nodes*each)
	}
}
