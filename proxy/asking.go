package proxy

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/aistrale/aistrale/providers"
)

// asking is a group of questions of the gateway's own, which a client that leaves cancels as it
// would one exchange.
type asking struct {
	Exchange
	mu    sync.Mutex
	under map[Exchange]struct{}
	cause error
}

// Cancel implements Exchange.
func (a *asking) Cancel(cause error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cause = cause
	for x := range a.under {
		x.Cancel(cause)
	}
}

func (a *asking) begin(x Exchange) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cause != nil {
		return a.cause
	}
	a.under[x] = struct{}{}
	return nil
}

func (a *asking) end(x Exchange) {
	a.mu.Lock()
	delete(a.under, x)
	a.mu.Unlock()
	x.Finish()
}

// open sends a GET to an account and gives the head of its answer. The caller ends x.
func (a *asking) open(account *Account, route *providers.Route, path string) (x Exchange, head Head, err error) {
	x = account.Upstream.Exchange()
	if err := a.begin(x); err != nil {
		x.Finish()
		return nil, Head{}, err
	}
	req := providers.UpstreamRequest{Method: http.MethodGet, Path: path, Headers: []providers.Header{
		{Name: "accept", Value: "application/json"}, {Name: "accept-encoding", Value: "identity"},
	}}
	req.Headers = append(req.Headers, route.Headers...)
	ctx, cancel := context.WithTimeout(context.Background(), tokenWait)
	defer cancel()
	if _, err := account.sign(ctx, &req); err != nil {
		a.end(x)
		return nil, Head{}, unsigned(account.Name, err)
	}
	head, err = x.Send(&req, nil, Timeouts{FirstByte: account.FirstByte, Pause: account.StreamIdle, Idle: account.StreamIdle})
	if err != nil {
		a.end(x)
		return nil, Head{}, err
	}
	return x, head, nil
}

// ask gives the whole answer to a GET.
func (a *asking) ask(account *Account, route *providers.Route, path string, most int) (status int, body []byte, err error) {
	x, head, err := a.open(account, route, path)
	if err != nil {
		return 0, nil, err
	}
	defer a.end(x)
	body, err = readAll(x, nil, head.Length, most)
	return head.Status, body, err
}

// bodyOf is the body of an exchange as a reader.
type bodyOf struct{ Exchange }

// Read implements io.Reader.
func (b bodyOf) Read(p []byte) (int, error) {
	for {
		n, err := b.Exchange.Read(p)
		if n > 0 || !errors.Is(err, errSilent) {
			return n, err
		}
	}
}
