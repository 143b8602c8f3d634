package outlet

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aistrale/aistrale/internal/guard"
)

// Poster posts to addresses that somebody gave through the control plane.
type Poster struct {
	guard  *guard.Guard
	client *http.Client
}

// postTimeout bounds one call, maxExcerpt what is kept of its answer, in bytes.
const (
	postTimeout = 15 * time.Second
	maxExcerpt  = 1 << 10
)

// NewPoster makes one under a guard. Redirects are answers.
func NewPoster(g *guard.Guard) *Poster { return &Poster{g, g.Client(postTimeout)} }

// Check implements admin.Poster.
func (p *Poster) Check(u *url.URL) error { return p.guard.Check(u) }

// Post implements admin.Poster.
func (p *Poster) Post(ctx context.Context, address string, header http.Header, body []byte) (status int, excerpt string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, "", guard.Cause(err)
	}
	r.Header = header
	answer, err := p.client.Do(r)
	if err != nil {
		return 0, "", guard.Cause(err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, maxExcerpt)) // what broke off was answered all the same
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10)               // so that the connection can be used again
	return answer.StatusCode, strings.ToValidUTF8(strings.ReplaceAll(string(text), "\x00", ""), "\uFFFD"), nil
}
