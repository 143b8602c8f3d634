package proxy

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// TokenSource mints short-lived tokens with a credential that is never sent itself.
type TokenSource interface {
	// Token gives a token that holds for a while yet. It waits only where none is at hand.
	Token(ctx context.Context) (storage.Secret, error)
}

// sign puts the account's credential on a request. It gives what was sent, which an upstream may
// quote.
func (a *Account) sign(ctx context.Context, req *providers.UpstreamRequest) (storage.Secret, error) {
	sent := a.Secret
	if a.Sign == nil || sent.Empty() {
		return sent, nil
	}
	if a.Tokens != nil {
		var err error
		if sent, err = a.Tokens.Token(ctx); err != nil {
			return sent, err
		}
	}
	now := time.Now()
	a.Sign(req, providers.Signing{Secret: sent.Reveal(), BaseURL: a.BaseURL, Time: now})
	if a.Used != nil {
		a.Used.note(now)
	}
	return sent, nil
}

// Use tells when a credential was put on a request last.
type Use struct{ second atomic.Int64 }

// note writes once a second, so that cores which use one credential do not take turns for it.
func (u *Use) note(now time.Time) {
	if second := now.Unix(); u.second.Load() != second {
		u.second.Store(second)
	}
}

// Last gives that time, to the second; the zero time is never.
func (u *Use) Last() time.Time {
	if second := u.second.Load(); second != 0 {
		return time.Unix(second, 0)
	}
	return time.Time{}
}

// tokenWait bounds the wait for a token, in which a client may leave.
const tokenWait = 15 * time.Second

// sign signs a request for a target. A client that leaves ends the wait for a token.
func (f *flight) sign(t *target, req *providers.UpstreamRequest) error {
	ctx := context.Background()
	if t.account.Tokens != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, tokenWait)
		defer cancel()
		if err := f.own(&fetching{cancel: cancel}); err != nil {
			return f.broken(err)
		}
		defer f.disown()
	}
	sent, err := t.account.sign(ctx, req)
	if err == nil {
		f.reply.secret = sent
		return nil
	}
	if f.left() != nil {
		return f.broken(err)
	}
	return unsigned(t.Provider, err)
}

// unsigned is what it means for a client that a call could not be signed.
func unsigned(provider string, err error) *providers.Fault {
	return &providers.Fault{Kind: providers.FaultProviderAuth, NoRetry: true, Retryable: true,
		Message: fmt.Sprintf("The gateway has no valid credential for the provider %q.", provider), Cause: err}
}
