package admin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage/auditlog"
)

// testSink keeps lines, unless it is away; one that forgets has taken what it says it has not.
type testSink struct {
	away, forgets bool
	text          strings.Builder
}

func (*testSink) Name() string { return "sink" }

func (s *testSink) Put(_ context.Context, _ string, text []byte) error {
	if s.away {
		return errors.New("away")
	}
	s.text.Write(text)
	if s.forgets {
		return errors.New("broke off")
	}
	return nil
}

func TestExporter(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		sink := &testSink{away: true}
		o := ExporterOptions{Store: a.store, Now: func() time.Time { return a.clock }, ID: "sink", To: sink}
		one, two := NewExporter(o), NewExporter(o)
		add := func(n int) {
			for i := range n {
				a.wants(201, a.root, "POST", "/users", fmt.Sprintf(`{"name":"u%d-%d"}`, a.clock.Unix(), i))
			}
			a.clock = a.clock.Add(time.Second)
			do(t, a.auditor.turn(t.Context()))
		}
		add(3)
		if _, err := one.turn(t.Context()); err == nil || one.Lag() != 3 {
			t.Fatalf("lag %d, error %v", one.Lag(), err)
		}
		sink.away = false
		if _, err := two.turn(t.Context()); err != nil || sink.text.Len() > 0 || two.Lag() != 3 {
			t.Fatalf("another's turn was taken: %v, %s", err, sink.text.String())
		}
		_, err := one.turn(t.Context())
		do(t, err)
		add(2)
		a.clock = a.clock.Add(exportTurn) // the first is killed
		_, err = two.turn(t.Context())
		do(t, err)
		if report, err := auditlog.Verify(strings.NewReader(sink.text.String()), nil, nil); err != nil || report.Records != 5 || two.Lag() != 0 {
			t.Fatalf("%+v, lag %d, error %v", report, two.Lag(), err)
		}
		sink.forgets = true
		add(1)
		if _, err := two.turn(t.Context()); err == nil {
			t.Fatal("no error")
		}
		sink.forgets = false
		_, err = two.turn(t.Context())
		do(t, err)
		if got := strings.Count(sink.text.String(), `{"seq":6,`); got != 2 {
			t.Errorf("what was perhaps lost was sent %d times", got)
		}
	})
}
