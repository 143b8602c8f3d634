package proxy

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/postgres"
	"github.com/aistrale/aistrale/storage/sqlite"
	"github.com/aistrale/aistrale/storage/storagetest"
)

type ledgerOfBoth interface {
	Usage
	Write(ctx context.Context, entries []storage.Entry) error
}

func onLedgers(t *testing.T, test func(t *testing.T, l ledgerOfBoth)) {
	t.Run("sqlite", func(t *testing.T) {
		l, err := sqlite.OpenLedger(t.Context(), filepath.Join(t.TempDir(), sqlite.LedgerFileName))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		test(t, l)
	})
	t.Run("postgres", func(t *testing.T) {
		s, err := postgres.Open(t.Context(), postgres.Options{URL: storage.NewSecret(storagetest.Postgres(t))})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		test(t, s)
	})
}

func told(u Usage) setting { return func(o *Options, _ *Snapshot) { o.Usage = u } }

// usedAt is a served call.
func usedAt(at time.Time, n int, key, name, model string) storage.Entry {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:], uint64(at.UnixMilli())<<16|0x7000)
	id[8] = 0x80
	binary.BigEndian.PutUint32(id[12:], uint32(n))
	return storage.Entry{
		RequestID: id, Attempt: 1, Revision: 1, State: storage.EntrySettled, Final: true, Time: at, Op: "chat", Status: 200, Outcome: storage.OutcomeOK,
		Series: storage.Series{Workspace: "default", Project: "default", Key: key, KeyName: name, Provider: "one", Model: model},
		Stream: true, FirstByte: 4 * time.Millisecond, Duration: 90 * time.Millisecond, Tags: []string{"a", "b"},
		Lines: []providers.Normal{{InputUncached: 3, Output: 2}}, Charge: storage.Charge{CostNano: 7, PriceID: "p"},
	}
}

// A key is told its own usage, under whatever names it had, and nobody else's: not that of a key
// which is named like its id, either.
func TestMyUsage(t *testing.T) {
	onLedgers(t, func(t *testing.T, l ledgerOfBoth) {
		at := time.Date(2026, 11, 20, 10, 30, 0, 0, time.UTC)
		unpriced := usedAt(at, 4, "testkey1", "test", "new")
		unpriced.Charge = storage.Charge{Unpriced: "no price"}
		err := l.Write(t.Context(), []storage.Entry{
			usedAt(at, 1, "testkey1", "test", "m"), usedAt(at.Add(time.Hour), 2, "testkey1", "old name", "m"), usedAt(at.Add(30*time.Hour), 3, "testkey1", "test", "m"), unpriced,
			usedAt(at, 5, "another1", "testkey1", "m"), usedAt(at, 6, "another2", "test", "m"),
		})
		if err != nil {
			t.Fatal(err)
		}
		g := newTestGateway(t, one(t, always(whole(wholeReply))), told(l))
		f := func(query string, requests int64, rows ...string) {
			t.Helper()
			status, _, body := g.get(t, "/v1/me/usage?from=2026-11-01&to=2026-11-30"+query)
			var said usageOf
			if err := json.Unmarshal([]byte(body), &said); status != 200 || err != nil {
				t.Fatalf("status %d: %s, %v", status, body, err)
			}
			if strings.Contains(body, "Figures") {
				t.Errorf("%s: rows are not flat: %s", query, body)
			}
			if said.Total.Requests != requests || len(said.Data) != len(rows) {
				t.Fatalf("%s: %d rows, total %+v", query, len(said.Data), said.Total)
			}
			for i, want := range rows {
				if got := shownRow(&said.Data[i]); got != want {
					t.Errorf("%s: row %d is %s, want %s", query, i, got, want)
				}
			}
		}
		f("", 4, "11-20 00:00    3 0.000000014", "11-21 00:00    1 0.000000007")
		f("&per=all", 4, "    4 0.000000021")
		f("&per=all&by=model", 4, " one m  3 0.000000021", " one new  1 -")
		f("&per=hour&by=provider", 4, "11-20 10:00 one   2 0.000000007", "11-20 11:00 one   1 0.000000007", "11-21 16:00 one   1 0.000000007")
		f("&per=all&by=tag", 4, "   a 4 0.000000021", "   b 4 0.000000021")
	})
}

func shownRow(r *usageRow) string {
	var start, cost string
	if r.Start != nil {
		start = r.Start.Format("01-02 15:04")
	}
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	if cost = "-"; r.Figures.CostUSD != nil {
		cost = *r.Figures.CostUSD
	}
	return fmt.Sprintf("%s %s %s %s %d %s", start, text(r.Provider), text(r.Model), text(r.Tag), r.Figures.Requests, cost)
}

func TestMyUsage_Wrong(t *testing.T) {
	g := newTestGateway(t, one(t, always(whole(wholeReply))), told(&stagedUsage{}))
	f := func(param, query string) {
		t.Helper()
		status, _, body := g.get(t, "/v1/me/usage?"+query)
		if status != 400 || !strings.Contains(body, `"param":"`+param+`"`) || !strings.Contains(body, `"type":"invalid_request_error"`) {
			t.Errorf("%s: status %d: %s", query, status, body)
		}
	}
	f("workspace", "workspace=other")
	f("per", "per=year")
	f("by", "by=key")
	f("from", "from=yesterday")
	f("from", "from=2026-01-02&to=2026-01-02")
	f("from", "from=2026-01-01&to=2026-03-01&per=hour")
	f("from", "from=2024-01-01&to=2026-01-01")
}

// stagedUsage is a ledger that fails, or waits.
type stagedUsage struct {
	err     error
	rows    int
	asked   chan struct{}
	release chan struct{}
}

func (s *stagedUsage) Usage(ctx context.Context, q storage.UsageQuery) ([]storage.UsageSum, error) {
	if s.asked != nil {
		s.asked <- struct{}{}
		select {
		case <-s.release:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return make([]storage.UsageSum, min(s.rows, q.Limit)), s.err
}

func TestMyUsage_Down(t *testing.T) {
	g := newTestGateway(t, one(t, always(whole(wholeReply))), told(&stagedUsage{err: errors.New("the password is hunter2")}))
	status, h, body := g.get(t, "/v1/me/usage")
	if status != 503 || h.Get("retry-after") == "" || !strings.Contains(body, `"code":"unavailable"`) || strings.Contains(body, "hunter2") {
		t.Errorf("status %d: %s", status, body)
	}
	g = newTestGateway(t, one(t, always(whole(wholeReply))), told(&stagedUsage{rows: 1 << 30}))
	if status, _, body := g.get(t, "/v1/me/usage"); status != 400 || !strings.Contains(body, "too many rows") {
		t.Errorf("status %d: %s", status, body)
	}
}

// A key has one question at a time, so that nobody keeps the ledger busy; calls go on.
func TestMyUsage_OneAtATime(t *testing.T) {
	ledger := &stagedUsage{asked: make(chan struct{}, 1), release: make(chan struct{})}
	g := newTestGateway(t, one(t, always(whole(wholeReply))), told(ledger))
	first := make(chan int, 1)
	go func() {
		status, _, _ := g.get(t, "/v1/me/usage")
		first <- status
	}()
	<-ledger.asked
	if status, h, body := g.get(t, "/v1/me/usage"); status != 429 || h.Get("retry-after") != "1" {
		t.Errorf("status %d: %s", status, body)
	}
	if status, _, body := g.post(t, askWhole); status != 200 {
		t.Errorf("status %d: %s", status, body)
	}
	close(ledger.release)
	if status := <-first; status != 200 {
		t.Errorf("status %d", status)
	}
}
