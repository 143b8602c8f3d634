package proxy

import (
	"container/list"
	"context"
	"sync"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// Replies keeps answers for calls that ask the same again.
type Replies interface {
	// Find gives a reply that is kept and not too old. What cannot be known soon is not there.
	Find(ctx context.Context, key *storage.ReplyKey) (storage.Reply, bool)
	// Keep takes a reply over, for ttl from now. It does not wait.
	Keep(key *storage.ReplyKey, r storage.Reply, ttl time.Duration)
}

// MemoryReplies are replies in this process's memory. Where there is no room, who was not asked
// for the longest goes first.
type MemoryReplies struct {
	mu    sync.Mutex
	left  int
	byKey map[[32]byte]*list.Element
	order *list.List // of *keptReply, the last asked for first
}

type keptReply struct {
	place   [32]byte
	reply   storage.Reply
	expires time.Time
}

// NewMemoryReplies keeps up to size bytes.
func NewMemoryReplies(size int) *MemoryReplies {
	return &MemoryReplies{left: size, byKey: map[[32]byte]*list.Element{}, order: list.New()}
}

// replyOverhead is about what a reply takes beside its body.
const replyOverhead = 512

func (k *keptReply) size() int { return len(k.reply.Body) + replyOverhead }

// Find implements Replies.
func (m *MemoryReplies) Find(_ context.Context, key *storage.ReplyKey) (storage.Reply, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := m.byKey[key.Place]
	if at == nil {
		return storage.Reply{}, false
	}
	kept := at.Value.(*keptReply)
	if !time.Now().Before(kept.expires) {
		m.drop(at)
		return storage.Reply{}, false
	}
	m.order.MoveToFront(at)
	return kept.reply, true
}

// Keep implements Replies.
func (m *MemoryReplies) Keep(key *storage.ReplyKey, r storage.Reply, ttl time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at := m.byKey[key.Place]; at != nil {
		m.drop(at)
	}
	kept := &keptReply{place: key.Place, reply: r, expires: time.Now().Add(ttl)}
	m.byKey[key.Place] = m.order.PushFront(kept)
	for m.left -= kept.size(); m.left < 0; {
		m.drop(m.order.Back())
	}
}

func (m *MemoryReplies) drop(at *list.Element) {
	kept := m.order.Remove(at).(*keptReply)
	delete(m.byKey, kept.place)
	m.left += kept.size()
}
