package defect

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

const canary = "sk-canary-of-somebody-0123456789"

// errAway is an error that is known.
var errAway = errors.New("the store is away")

// A server takes envelopes.
type server struct {
	url    string
	mu     sync.Mutex
	bodies []string
	header http.Header
	status int
	hold   chan struct{} // nil: answers at once
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{status: http.StatusOK}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	s.url = strings.Replace(h.URL, "http://", "http://publickey@", 1) + "/42"
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || r.URL.Path != "/api/42/envelope/" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if s.hold != nil {
		select {
		case <-s.hold:
		case <-r.Context().Done():
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bodies, s.header = append(s.bodies, string(body)), r.Header
	w.WriteHeader(s.status)
}

// event is what the tests read of an event.
type event struct {
	EventID     string `json:"event_id"`
	Level       string
	Transaction string
	Environment string
	Release     string
	ServerName  string `json:"server_name"`
	Fingerprint []string
	Tags        map[string]string
	Contexts    map[string]map[string]any
	User        map[string]any
	Request     map[string]any
	Modules     map[string]any
	Breadcrumbs []any
	Exception   []struct {
		Type, Value string
		Stacktrace  struct {
			Frames []struct {
				Function, Module, Filename string
				AbsPath                    string `json:"abs_path"`
				InApp                      bool   `json:"in_app"`
				ContextLine                string `json:"context_line"`
			}
		}
	}
}

// events parses the envelopes: a line of headers, and two for each item.
func (s *server) events(t *testing.T) []event {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]event, 0, len(s.bodies))
	for _, body := range s.bodies {
		lines := bufio.NewScanner(strings.NewReader(body))
		lines.Buffer(nil, 1<<20)
		var texts []string
		for lines.Scan() {
			texts = append(texts, lines.Text())
		}
		var head struct{ Type string }
		var e event
		if len(texts) < 3 || json.Unmarshal([]byte(texts[1]), &head) != nil || head.Type != "event" || json.Unmarshal([]byte(texts[2]), &e) != nil {
			t.Fatalf("no envelope of an event: %s", body)
		}
		all = append(all, e)
	}
	return all
}

func (s *server) reporter(t *testing.T, change func(*Options)) *Reporter {
	t.Helper()
	o := Options{
		DSN: storage.NewSecret(s.url), Environment: "test", Release: "aistrale@1", Node: "n1", PerMinute: 1000,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Known: []error{errAway},
	}
	if change != nil {
		change(&o)
	}
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { finish(t, r) })
	return r
}

func finish(t *testing.T, r *Reporter) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := r.Close(ctx); err != nil {
		t.Error(err)
	}
}

// recovers reports what f panics with.
func recovers(r *Reporter, f func()) {
	defer func() {
		if cause := recover(); cause != nil {
			r.Report(&Defect{Plane: "data", Code: "panic", Cause: cause, Panicked: true, RequestID: "req-1", What: "chat",
				Trace: storage.Trace{ID: storage.TraceID{1}, Span: storage.SpanID{2}}, Tags: map[string]string{"provider": "openai", "model": ""}})
		}
	}()
	f()
}

func outOfRange() { _ = []int{}[len(os.Args)+5] }

func nilMap() {
	var m map[string]int
	m["x"] = 1 //nolint:staticcheck // it is to panic
}

func TestReporter_panic(t *testing.T) {
	s := newServer(t)
	r := s.reporter(t, nil)
	recovers(r, outOfRange)
	recovers(r, nilMap)
	recovers(r, func() { panic("the client said " + canary) })
	recovers(r, func() { panic(fmt.Errorf("a key: %s", canary)) })
	finish(t, r)
	all := s.events(t)
	if len(all) != 4 {
		t.Fatalf("%d events", len(all))
	}
	e := all[0]
	if e.Level != "fatal" || e.Transaction != "chat" || e.Environment != "test" || e.Release != "aistrale@1" || e.ServerName != "n1" {
		t.Errorf("%+v", e)
	}
	if e.Tags["request_id"] != "req-1" || e.Tags["provider"] != "openai" || e.Tags["plane"] != "data" || len(e.Tags) != 4 {
		t.Errorf("tags %v", e.Tags)
	}
	if trace := e.Contexts["trace"]; trace["trace_id"] != "01000000000000000000000000000000" || trace["span_id"] != "0200000000000000" {
		t.Errorf("contexts %v", e.Contexts)
	}
	if len(e.User)+len(e.Request)+len(e.Modules)+len(e.Breadcrumbs) > 0 || len(e.Contexts) != 1 {
		t.Errorf("more than is wanted: %+v", e)
	}
	x := e.Exception[0]
	if x.Type != "runtime.boundsError" || !strings.HasPrefix(x.Value, "runtime error: index out of range") {
		t.Errorf("%s: %s", x.Type, x.Value)
	}
	frames := x.Stacktrace.Frames
	last := frames[len(frames)-1]
	if last.Function != "outOfRange" || last.Module != ours+"/internal/defect" || last.Filename != ours+"/internal/defect/reporter_test.go" || !last.InApp {
		t.Errorf("the innermost frame is %+v", last)
	}
	for _, f := range frames {
		if f.AbsPath != "" || f.ContextLine != "" || strings.HasPrefix(f.Filename, "/") {
			t.Errorf("a frame shows the machine: %+v", f)
		}
	}
	if got := all[1].Exception[0]; got.Value != "assignment to entry in nil map" {
		t.Errorf("%+v", got)
	}
	seen := map[string]bool{}
	for _, e := range all {
		seen[strings.Join(e.Fingerprint, " ")] = true
	}
	if len(seen) != 4 {
		t.Errorf("fingerprints %v", seen)
	}
	for _, body := range s.bodies {
		if strings.Contains(body, canary) {
			t.Errorf("words of somebody's are sent: %s", body)
		}
	}
}

func TestReporter_failure(t *testing.T) {
	s := newServer(t)
	r := s.reporter(t, nil)
	disk := &fs.PathError{Op: "write", Path: "/data/" + canary, Err: syscall.ENOSPC}
	f := func(cause any, want string) {
		t.Helper()
		if got := r.chain(cause); got != want || strings.Contains(got, canary) {
			t.Errorf("%v: %q, want %q", cause, got, want)
		}
	}
	f(fmt.Errorf("keep %s: %w", canary, disk), "*fs.PathError: no space left on device")
	f(fmt.Errorf("%w: %w", errAway, disk), "the store is away: *fs.PathError: no space left on device")
	f(errors.Join(errors.New(canary), context.DeadlineExceeded), "context deadline exceeded")
	f(coded{}, "SQLSTATE 57P03")
	f(errors.New(canary), "")
	f(canary, "string")
	f(nil, "<nil>")

	for range 2 { // of one cause, whatever the words and the requests
		r.Report(&Defect{Plane: "control", Code: "internal_error", Cause: fmt.Errorf("%d %s: %w", time.Now().UnixNano(), canary, errAway), RequestID: canary[:3]})
	}
	r.Report(&Defect{Plane: "data", Code: "internal_error", Cause: errAway})
	finish(t, r)
	all := s.events(t)
	if len(all) != 3 || fmt.Sprint(all[0].Fingerprint) != fmt.Sprint(all[1].Fingerprint) || fmt.Sprint(all[0].Fingerprint) == fmt.Sprint(all[2].Fingerprint) {
		t.Errorf("%+v", all)
	}
	if e := all[0]; e.Level != "error" || e.Exception[0].Type != "internal_error" || e.Exception[0].Value != "the store is away" || strings.Contains(s.bodies[0], canary) {
		t.Errorf("%+v\n%s", e, s.bodies[0])
	}
}

type coded struct{}

func (coded) Error() string    { return "of " + canary }
func (coded) SQLState() string { return "57P03" }

func TestReporter_rate(t *testing.T) {
	s := newServer(t)
	now := time.Unix(1e9, 0)
	r := s.reporter(t, func(o *Options) { o.PerMinute, o.Now = 5, func() time.Time { return now } })
	report := func(code string) { r.Report(&Defect{Plane: "data", Code: code, Cause: errAway}) }
	for range 10 {
		report("one")
	}
	for i := range 10 { // each a cause of its own
		report(fmt.Sprint("many", i))
	}
	if got := r.Dropped(); got != (Dropped{Rate: 7 + 8}) {
		t.Errorf("%+v", got)
	}
	now = now.Add(time.Minute)
	report("one")
	finish(t, r)
	all := s.events(t)
	if len(all) != 3+2+1 {
		t.Fatalf("%d are sent", len(all))
	}
	if got := all[5].Contexts["aistrale"]["not_sent_before"]; got != 7.0 {
		t.Errorf("7 were not sent before, and it says %v", got)
	}
}

// However many causes there are, they take no more room.
func TestPace_causes(t *testing.T) {
	p, now := newPace(1_000_000), time.Unix(1e9, 0)
	for i := range 10 * maxCauses {
		p.allow(fmt.Sprint(i), now)
	}
	if n := len(p.causes); n > maxCauses+1 {
		t.Errorf("%d causes are kept", n)
	}
	if _, ok := p.allow("yet another", now); ok {
		t.Error("the shared cause has no bound")
	}
	if _, ok := p.allow("yet another", now.Add(time.Hour)); !ok || len(p.causes) > 2 {
		t.Errorf("%d causes are kept though they are quiet", len(p.causes))
	}
}

func TestReporter_sentryIsAway(t *testing.T) {
	s := newServer(t)
	s.status = http.StatusTooManyRequests
	r := s.reporter(t, nil)
	r.Report(&Defect{Code: "one"})
	r.Report(&Defect{Code: "two"}) // which the library does not try
	finish(t, r)
	if got := r.Dropped(); got != (Dropped{Unsent: 2}) {
		t.Errorf("%+v", got)
	}
	r.Report(&Defect{Code: "three"})
	if got := r.Dropped(); got.Queue != 1 {
		t.Errorf("after the end: %+v", got)
	}
}

// Nobody waits for a Sentry that hangs: reports are dropped, and the end is bounded.
func TestReporter_sentryHangs(t *testing.T) {
	s := newServer(t)
	s.hold = make(chan struct{})
	r := s.reporter(t, func(o *Options) { o.PerMinute = 10_000 })
	for i := range 2*queued + 2 {
		r.Report(&Defect{Code: fmt.Sprint(i)})
	}
	if got := r.Dropped().Queue; got < queued {
		t.Errorf("%d are dropped", got)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := r.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if got := r.Dropped(); got.Queue+got.Unsent != 2*queued+2 {
		t.Errorf("%+v", got)
	}
}

func TestReporter_off(t *testing.T) {
	var r *Reporter
	r.Report(&Defect{})
	if err := r.Close(t.Context()); err != nil || r.Dropped() != (Dropped{}) {
		t.Error(err)
	}
}

func TestCheckDSN(t *testing.T) {
	for _, bad := range []string{"", "x", "https://sentry.example.com/1", "https://" + canary + "@h", "ftp://" + canary + "@h/1"} {
		_, err := New(Options{DSN: storage.NewSecret(bad)})
		if err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
