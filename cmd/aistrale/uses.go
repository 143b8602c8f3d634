package main

import (
	"context"
	"sync"
	"time"

	"github.com/aistrale/aistrale/proxy"
	"github.com/aistrale/aistrale/storage"
)

// uses knows when stored credentials were used last. Requests write a number in memory; the store
// is told once a minute.
type uses struct {
	mu   sync.Mutex
	byID map[string]*noted
}

// noted is a use, and what the store was told of it.
type noted struct {
	proxy.Use
	told time.Time
}

// of gives the use of the credential of an id.
func (u *uses) of(id string) *proxy.Use {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.byID == nil {
		u.byID = map[string]*noted{}
	}
	if u.byID[id] == nil {
		u.byID[id] = &noted{}
	}
	return &u.byID[id].Use
}

// news gives those that the store was not told of.
func (u *uses) news() map[string]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	out := map[string]time.Time{}
	for id, n := range u.byID {
		if at := n.Last(); at.After(n.told) {
			out[id] = at
		}
	}
	return out
}

func (u *uses) told(id string, at time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.byID[id].told = at
}

const usesEvery = time.Minute

// noteUses tells the store once a minute, and when ctx ends.
func (s *store) noteUses(ctx context.Context) {
	tick := time.NewTicker(usesEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			s.tellUses(last)
			return
		case <-tick.C:
			s.tellUses(ctx)
		}
	}
}

// tellUses tells what is new; what cannot be told now is told later.
func (s *store) tellUses(ctx context.Context) {
	for id, at := range s.uses.news() {
		if err := s.NoteCredential(ctx, id, storage.CredentialSeen{UsedAt: &at}); err != nil {
			s.log.Debug("when credentials were used cannot be noted", "error", err.Error())
			return
		}
		s.uses.told(id, at)
	}
}
