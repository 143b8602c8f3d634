package proxy

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aistrale/aistrale/internal/guard"
	"github.com/aistrale/aistrale/providers"
)

// Fetcher gets what a client's URL points to, for providers that want bytes. It calls room
// before it holds size bytes more of it, and gives up where that fails.
type Fetcher interface {
	Fetch(ctx context.Context, url string, room func(size int) error) (providers.Media, error)
}

// GuardedFetcher fetches public http and https URLs only.
type GuardedFetcher struct {
	client *http.Client
	most   int64
}

// NewFetcher fetches up to most bytes within timeout.
func NewFetcher(most int64, timeout time.Duration) *GuardedFetcher {
	return newFetcher(guard.Rules{HTTP: true, Ports: []uint16{80, 443}, Redirects: 2}, most, timeout)
}

func newFetcher(rules guard.Rules, most int64, timeout time.Duration) *GuardedFetcher {
	g, err := guard.New(rules)
	if err != nil {
		panic(err) // they are this package's own
	}
	return &GuardedFetcher{client: g.Client(timeout), most: most}
}

// Fetch implements Fetcher.
func (g *GuardedFetcher) Fetch(ctx context.Context, address string, room func(size int) error) (providers.Media, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return providers.Media{}, guard.Cause(err) // the URL may carry a signature
	}
	resp, err := g.client.Do(req)
	if err != nil {
		return providers.Media{}, guard.Cause(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return providers.Media{}, fmt.Errorf("it answered with status %d", resp.StatusCode)
	}
	data, err := g.readAll(resp, room)
	if err != nil {
		return providers.Media{}, err
	}
	kind, _, _ := strings.Cut(resp.Header.Get("content-type"), ";")
	if kind == "" || kind == "application/octet-stream" {
		kind, _, _ = strings.Cut(http.DetectContentType(data), ";")
	}
	return providers.Media{Type: strings.TrimSpace(kind), URL: address, Data: base64.StdEncoding.EncodeToString(data)}, nil
}

// readAll reads a body whose length nobody may believe. Its base64 form, which is what is kept,
// counts too.
func (g *GuardedFetcher) readAll(resp *http.Response, room func(size int) error) ([]byte, error) {
	if resp.ContentLength > g.most {
		return nil, fmt.Errorf("it is larger than %d bytes", g.most)
	}
	var data []byte
	for {
		if len(data) == cap(data) {
			size := max(64<<10, 2*cap(data))
			if err := room(size + base64.StdEncoding.EncodedLen(size)); err != nil {
				return nil, err
			}
			data = append(make([]byte, 0, size), data...)
		}
		n, err := resp.Body.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case int64(len(data)) > g.most:
			return nil, fmt.Errorf("it is larger than %d bytes", g.most)
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			return nil, err
		}
	}
}

// A request's URLs are fetched one after another, and bounded in number and in time.
const (
	maxFetches = 32
	fetchAll   = time.Minute
)

// fetch gets the URLs of a plan. What they hold counts as if the client had sent it in its
// body: against max_body and body_memory. The client is told that its URL failed, not what
// stands there.
func (f *flight) fetch(urls []string) (map[string]providers.Media, error) {
	ctx, cancel := context.WithTimeout(context.Background(), fetchAll)
	defer cancel()
	x := &fetching{cancel: cancel}
	if err := f.own(x); err != nil {
		return nil, f.broken(err)
	}
	defer f.disown()
	got := make(map[string]providers.Media, len(urls))
	total := len(f.body)
	for _, u := range urls {
		if _, ok := got[u]; ok {
			continue
		}
		if len(got) == maxFetches {
			return nil, &providers.Fault{Kind: providers.FaultInvalid, Param: "messages", NoRetry: true,
				Message: fmt.Sprintf("The provider wants the bytes of URLs, and at most %d are fetched for a request; send the data itself.", maxFetches)}
		}
		media, err := f.g.options.Fetch.Fetch(ctx, u, func(size int) error { return f.takeMemory(total + size) })
		if err != nil {
			return nil, f.unfetched(err)
		}
		got[u] = media
		if total += len(media.Data); total > f.g.options.Limits.MaxBody {
			return nil, &providers.Fault{Kind: providers.FaultTooLarge, Param: "messages", NoRetry: true,
				Message: fmt.Sprintf("The request with the data of its URLs is larger than the limit of %d bytes.", f.g.options.Limits.MaxBody)}
		}
	}
	return got, nil
}

// unfetched says what a failed fetch means for the client.
func (f *flight) unfetched(err error) error {
	if cause := f.left(); cause != nil {
		return f.broken(cause)
	}
	var ours *providers.Fault
	if errors.As(err, &ours) { // no room
		return ours
	}
	return &providers.Fault{Kind: providers.FaultInvalid, Param: "messages", Code: "invalid_image_url", NoRetry: true,
		Message: "Failed to download a URL of the request: only public http and https addresses within the size limit are fetched.", Cause: err}
}

// fetching lets a client that leaves cancel a fetch as it would cancel an exchange.
type fetching struct {
	Exchange
	cancel context.CancelFunc
}

// Cancel implements Exchange.
func (x *fetching) Cancel(error) { x.cancel() }
