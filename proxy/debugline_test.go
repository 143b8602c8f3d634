package proxy

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/storage"
)

// lockedLog gathers lines of several goroutines.
type lockedLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedLog) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Of a key that is looked into each step is logged, in names and numbers alone; of others nothing,
// nor of it any more when its time is over.
func TestDebug(t *testing.T) {
	const secret = "words-of-the-client"
	f := func(until func(id string) map[string]time.Time) (lines []string, rec storage.Record) {
		t.Helper()
		log := &lockedLog{}
		g := newTestGateway(t, one(t, func(int, int) []string { return []string{whole(wholeReply)} }), func(_ *Options, s *Snapshot) {
			s.Debug = &Debug{Log: slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), Until: until(s.Keys.All()[0].ID)}
		})
		if status, _, text := g.post(t, `{"model":"one/m","messages":[{"role":"user","content":"`+secret+`"}]}`, "x-own", secret, "cookie", secret); status != http.StatusOK {
			t.Fatalf("%d %s", status, text)
		}
		rec = g.records.next(t)
		return strings.Split(strings.TrimSuffix(log.text(), "\n"), "\n"), rec
	}
	lines, rec := f(func(id string) map[string]time.Time { return map[string]time.Time{id: time.Now().Add(time.Hour)} })
	var steps []string
	for _, line := range lines {
		steps = append(steps, gjson.Get(line, "step").Str)
		if gjson.Get(line, "request_id").Str != rec.ID || gjson.Get(line, "level").Str != "DEBUG" {
			t.Error(line)
		}
		for _, never := range []string{secret, testKey, testKey[len(testKey)-20:], "upstream-secret"} {
			if strings.Contains(line, never) {
				t.Errorf("a line shows %s: %s", never, line)
			}
		}
	}
	if got := strings.Join(steps, ", "); got != "admitted, routed, attempt, answer, attempt ended" || !rec.Debug {
		t.Errorf("steps %s, of a record with %t", got, rec.Debug)
	}
	if !strings.Contains(lines[0], `"Cookie"`) || !strings.Contains(lines[0], `"X-Own"`) || gjson.Get(lines[1], "places.0").Str != "one/m by " {
		t.Error(lines[:2])
	}
	for _, none := range []func(string) map[string]time.Time{
		func(id string) map[string]time.Time { return map[string]time.Time{id: time.Now().Add(-time.Second)} },
		func(string) map[string]time.Time { return map[string]time.Time{"somebody": time.Now().Add(time.Hour)} },
	} {
		if lines, rec := f(none); lines[0] != "" || rec.Debug {
			t.Errorf("%q, %t", lines, rec.Debug)
		}
	}
}
