// Package defect tells Sentry of what is the gateway's own fault: panics, and answers with a 5xx
// that no upstream gave. It must never wait for Sentry, nor send a word that may be somebody
// else's: of errors it sends their types and the words that are known, of requests what the
// operator named.
package defect

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/getsentry/sentry-go"

	"github.com/aistrale/aistrale/storage"
)

// Options say where defects go. All but Known, Transport and Now must be set.
type Options struct {
	DSN         storage.Secret
	Environment string
	Release     string
	Node        string
	PerMinute   int // of all causes together; as many at once
	Log         *slog.Logger
	// Known are errors whose words may be sent where one is in a chain.
	Known []error
	// Transport reaches Sentry; nil: over the network, by way of the environment's proxy.
	Transport http.RoundTripper
	Now       func() time.Time // nil: the clock
}

// Defect is one, as it was met.
type Defect struct {
	Plane string // data or control
	Code  string // that the client was given
	Cause any    // an error, or what a panic was called with
	// Panicked is set where Report is called by the function that recovered: the stack is sent.
	Panicked  bool
	RequestID string
	Trace     storage.Trace
	What      string            // the operation, or the route
	Tags      map[string]string // more, of the operator's own words
}

// Reporter sends defects, one after another, off the path of requests. A nil one sends nothing.
type Reporter struct {
	o      Options
	client *sentry.Client
	pace   *pace
	queue  chan *sentry.Event
	done   chan struct{}
	line   *line

	mu     sync.RWMutex // held to write while the queue is closed
	closed bool

	full, unsent atomic.Int64
}

const (
	queued      = 64
	sendTimeout = 5 * time.Second
)

// New begins a Reporter; Close ends it. Its error never shows the DSN.
func New(o Options) (*Reporter, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Transport == nil {
		o.Transport = &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConns: 1, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: sendTimeout}
	}
	if err := CheckDSN(o.DSN); err != nil {
		return nil, err
	}
	r := &Reporter{o: o, pace: newPace(o.PerMinute), queue: make(chan *sentry.Event, queued), done: make(chan struct{}), line: &line{RoundTripper: o.Transport, log: o.Log}}
	var err error
	r.client, err = sentry.NewClient(sentry.ClientOptions{
		Dsn: o.DSN.Reveal(), Environment: o.Environment, Release: o.Release, ServerName: o.Node,
		Transport: sentry.NewHTTPSyncTransport(), HTTPClient: &http.Client{Transport: r.line, Timeout: sendTimeout, CheckRedirect: stay},
		Integrations:   func([]sentry.Integration) []sentry.Integration { return nil }, // they read the machine and its environment
		MaxBreadcrumbs: -1, DisableClientReports: true,
	})
	if err != nil {
		return nil, errDSN
	}
	go r.run()
	return r, nil
}

var errDSN = errors.New("is not a DSN such as https://key@sentry.example.com/1")

// CheckDSN says what is wrong with a DSN, and nothing of what is in it.
func CheckDSN(dsn storage.Secret) error {
	if _, err := sentry.NewDsn(dsn.Reveal()); err != nil {
		return errDSN
	}
	return nil
}

// stay follows no redirect: what is sent carries the DSN's key.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Report sends a defect, unless its cause, or all causes together, had their share.
func (r *Reporter) Report(d *Defect) {
	if r == nil {
		return
	}
	e := r.event(d)
	before, ok := r.pace.allow(strings.Join(e.Fingerprint, "\n"), r.o.Now())
	if !ok {
		return
	}
	if before > 0 {
		e.Contexts["aistrale"] = sentry.Context{"not_sent_before": before}
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.closed {
		r.full.Add(1)
		return
	}
	select {
	case r.queue <- e:
	default:
		r.full.Add(1)
	}
}

// Dropped are the defects that Sentry was not told of.
type Dropped struct {
	Rate   int64 // their cause, or all together, had their share
	Queue  int64 // too many at once
	Unsent int64 // Sentry could not be reached, or took none
}

// Dropped counts them.
func (r *Reporter) Dropped() Dropped {
	if r == nil {
		return Dropped{}
	}
	return Dropped{r.pace.dropped.Load(), r.full.Load(), r.unsent.Load()}
}

// Close sends what waits, for as long as ctx allows.
func (r *Reporter) Close(ctx context.Context) error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.queue)
	}
	r.mu.Unlock()
	defer r.client.Close()
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		r.line.hangUp()
		<-r.done
		return ctx.Err()
	}
}

func (r *Reporter) run() {
	defer close(r.done)
	for e := range r.queue {
		before := r.line.taken
		r.client.CaptureEvent(e, nil, nil)
		if r.line.taken == before {
			r.unsent.Add(1)
		}
	}
}

// line is the way to Sentry, used by one goroutine. It knows what was taken, which the library
// keeps to itself.
type line struct {
	http.RoundTripper
	log     *slog.Logger
	taken   int
	trouble string
	mu      sync.Mutex
	cancel  context.CancelFunc
	down    bool
}

var errHungUp = errors.New("the gateway ends")

// RoundTrip implements http.RoundTripper. A trouble is logged once for as long as it stays the same.
func (l *line) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	l.mu.Lock()
	l.cancel = cancel
	down := l.down
	l.mu.Unlock()
	if down {
		cancel()
		return nil, errHungUp
	}
	resp, err := l.RoundTripper.RoundTrip(req.WithContext(ctx))
	trouble := ""
	switch {
	case err != nil:
		trouble = "it cannot be reached: " + err.Error()
	case resp.StatusCode > 299:
		trouble = "it answers " + resp.Status
	default:
		l.taken++
	}
	if trouble != l.trouble && trouble != "" {
		l.log.Warn("sentry: defects are not taken", "error", trouble)
	}
	l.trouble = trouble
	return resp, err
}

// hangUp ends what is under way, and all that comes.
func (l *line) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
	if l.cancel != nil {
		l.cancel()
	}
}
