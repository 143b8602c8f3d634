package redis

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/sony/gobreaker/v2"

	"github.com/aistrale/aistrale/storage"
)

const (
	// maxWaiting bounds the replies that wait to be written; more are not kept, and counted.
	maxWaiting = 256
	// replyPrefix begins the names of replies.
	replyPrefix = "aistrale:reply:"
	// missAfter is how long a call waits for a reply that may be kept, and restAfter how long
	// none is asked for after one waited in vain.
	missAfter = 50 * time.Millisecond
	restAfter = time.Second
)

// Replies keeps answers in Redis, for all gateways that share it. What stands there is sealed
// under a key that follows from the tenant and the request, and is kept nowhere: who reads Redis
// alone reads no answer.
type Replies struct {
	client  goredis.UniversalClient
	breaker *gobreaker.CircuitBreaker[[]byte]
	waiting chan keptReply
	dropped atomic.Int64
	stop    context.CancelFunc
	ended   sync.WaitGroup
}

type keptReply struct {
	name   string
	sealed []byte
	ttl    time.Duration
}

// OpenReplies connects when a reply is first asked for. Its error names the setting.
func OpenReplies(url storage.Secret, log *slog.Logger) (*Replies, error) {
	client, _, err := connect(Options{URL: url, Timeout: missAfter})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &Replies{client: client, waiting: make(chan keptReply, maxWaiting), stop: stop}
	r.breaker = gobreaker.NewCircuitBreaker[[]byte](gobreaker.Settings{
		Name: "replies", Timeout: restAfter,
		ReadyToTrip:  func(n gobreaker.Counts) bool { return n.ConsecutiveFailures > 0 },
		IsSuccessful: func(err error) bool { return err == nil || errors.Is(err, context.Canceled) }, // the client left
		OnStateChange: func(_ string, from, _ gobreaker.State) {
			if from == gobreaker.StateClosed {
				log.Warn("storage.redis: kept replies cannot be read for now; calls go to their providers")
			}
		},
	})
	r.ended.Go(func() { r.write(ctx) })
	return r, nil
}

// Find gives a reply, unless Redis is slow or gone.
func (r *Replies) Find(ctx context.Context, key *storage.ReplyKey) (storage.Reply, bool) {
	sealed, err := r.breaker.Execute(func() ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, missAfter)
		defer cancel()
		b, err := r.client.Get(ctx, nameOf(key)).Bytes()
		if errors.Is(err, goredis.Nil) {
			return nil, nil
		}
		return b, err
	})
	if err != nil || len(sealed) == 0 {
		return storage.Reply{}, false
	}
	plain, err := openReply(key, sealed)
	if err != nil {
		return storage.Reply{}, false // written by nobody who knew the request
	}
	reply, err := storage.ParseReply(plain)
	return reply, err == nil
}

// Keep hands a reply to the writer. One that it has no room for is counted and not kept.
func (r *Replies) Keep(key *storage.ReplyKey, reply storage.Reply, ttl time.Duration) {
	sealed, err := sealReply(key, &reply)
	if err != nil {
		r.dropped.Add(1)
		return
	}
	select {
	case r.waiting <- keptReply{nameOf(key), sealed, ttl}:
	default:
		r.dropped.Add(1)
	}
}

// Dropped counts the replies that were not kept: too many at once, or Redis was away.
func (r *Replies) Dropped() int64 { return r.dropped.Load() }

// Close writes nothing more and ends the connections.
func (r *Replies) Close() error {
	r.stop()
	r.ended.Wait()
	return r.client.Close()
}

func (r *Replies) write(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case k := <-r.waiting:
			bounded, cancel := context.WithTimeout(ctx, time.Second)
			if err := r.client.Set(bounded, k.name, k.sealed, k.ttl).Err(); err != nil {
				r.dropped.Add(1)
			}
			cancel()
		}
	}
}

func nameOf(key *storage.ReplyKey) string { return replyPrefix + hex.EncodeToString(key.Place[:]) }

func sealReply(key *storage.ReplyKey, reply *storage.Reply) ([]byte, error) {
	plain, err := storage.AppendReply(nil, reply)
	if err != nil {
		return nil, err
	}
	aead, err := replySeal(key)
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, nil, plain, key.Place[:]), nil
}

func openReply(key *storage.ReplyKey, sealed []byte) ([]byte, error) {
	aead, err := replySeal(key)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, nil, sealed, key.Place[:])
	if err != nil {
		return nil, fmt.Errorf("open a kept reply: %w", err)
	}
	return plain, nil
}

// replySeal takes a random nonce for each reply: the same request may be answered in two ways.
func replySeal(key *storage.ReplyKey) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key.Seal[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
