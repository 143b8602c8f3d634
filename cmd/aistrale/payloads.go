package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/zstd"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/internal/redact"
	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/proxy"
	"github.com/aistrale/aistrale/storage"
)

// PayloadsConfig bounds what is kept of what calls ask and are answered, for keys with the setting
// payloads.
type PayloadsConfig struct {
	Rules       []RedactionConfig `yaml:"rules"`
	Memory      Size              `yaml:"memory"`       // of all that waits to be redacted and written
	MaxLifetime time.Duration     `yaml:"max_lifetime"` // a key's setting may not be longer
}

// RedactionConfig is a rule of the operator's own.
type RedactionConfig struct {
	Name    string   `yaml:"name"`
	Pattern string   `yaml:"pattern"` // RE2, found in strings, names and numbers
	Members []string `yaml:"members"` // names of members whose whole value is taken out
}

// KeyPayloads has the fields of storage.PayloadSettings.
type KeyPayloads struct {
	Keep     time.Duration `yaml:"keep"`
	Spans    bool          `yaml:"spans"` // where tracing.content is set
	Request  bool          `yaml:"request"`
	Response bool          `yaml:"response"`
	MaxBytes Size          `yaml:"max_bytes"`
	Redact   []string      `yaml:"redact"`
}

func (k *KeyPayloads) settings() storage.PayloadSettings {
	return storage.PayloadSettings{Keep: k.Keep, Spans: k.Spans, Request: k.Request, Response: k.Response, MaxBytes: int64(k.MaxBytes), Redact: k.Redact}
}

func (c *PayloadsConfig) rules() []redact.Rule {
	rules := make([]redact.Rule, len(c.Rules))
	for i, r := range c.Rules {
		rules[i] = redact.Rule{Name: r.Name, Pattern: r.Pattern, Members: r.Members}
	}
	return rules
}

// payloads holds the rules, and each key's use of them, to mean something.
func (v *validator) payloads(c *Config) {
	names := map[string]string{}
	for i := range c.Payloads.Rules {
		r, at := &c.Payloads.Rules[i], element("payloads.rules", i)
		v.name(at+".name", r.Name, "rule", names)
		if slices.Contains(redact.BuiltIn(), r.Name) {
			v.wrong(at+".name", "%q is a rule that is there already", r.Name)
		} else if _, err := redact.New([]string{r.Name}, c.Payloads.rules()); err != nil && r.Name != "" {
			v.wrong(at, "%s", err)
		}
	}
}

func (v *validator) keyPayloads(s storage.PayloadSettings, at string, c *Config) {
	if err := s.Check(); err != nil {
		v.wrong(at, "%s", strings.TrimPrefix(err.Error(), "payloads: "))
		return
	}
	if s.Keep > c.Payloads.MaxLifetime {
		v.wrong(member(at, "keep"), "is longer than payloads.max_lifetime, %s", c.Payloads.MaxLifetime)
	}
	if _, err := redact.New(s.Redact, c.Payloads.rules()); err != nil {
		v.wrong(member(at, "redact"), "%s", err)
	}
}

// payloadKeeper redacts, compresses, seals and writes payloads, off the path of requests.
type payloadKeeper struct {
	store   *store
	inForce func() *Config
	sealed  *sealedTurns // which makes the first data key
	queue   chan *proxy.Captured
	memory  int64
	waiting atomic.Int64 // bytes
	lost    atomic.Int64
	zip     *zstd.Encoder
	// panicked is told of defects of ours.
	panicked func(what string, cause any)
	done     sync.WaitGroup
}

const payloadsWaiting = 4096

// newPayloadKeeper begins to keep payloads, until close.
func newPayloadKeeper(s *store, inForce func() *Config, started *Config) (*payloadKeeper, error) {
	zip, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	k := &payloadKeeper{
		store: s, inForce: inForce, sealed: &sealedTurns{store: s}, queue: make(chan *proxy.Captured, payloadsWaiting), memory: int64(started.Payloads.Memory), zip: zip,
	}
	k.done.Go(k.run)
	return k, nil
}

// Keep implements proxy.Payloads. What finds no room is counted, and not kept.
func (k *payloadKeeper) Keep(c *proxy.Captured) {
	size := int64(c.Size())
	if k.waiting.Add(size) > k.memory || k.store.wrapper == nil { // without a master key nothing can be sealed
		k.waiting.Add(-size)
		k.lost.Add(1)
		return
	}
	select {
	case k.queue <- c:
	default:
		k.waiting.Add(-size)
		k.lost.Add(1)
	}
}

// dropped counts the payloads that were to be kept and were not.
func (k *payloadKeeper) dropped() int64 {
	if k == nil {
		return 0
	}
	return k.lost.Load()
}

// close writes what waits. No request may be under way.
func (k *payloadKeeper) close() error {
	if k == nil {
		return nil
	}
	close(k.queue)
	k.done.Wait()
	return k.zip.Close()
}

const (
	payloadsTogether = 64 // in one transaction
	payloadWait      = 10 * time.Second
)

func (k *payloadKeeper) run() {
	for c := range k.queue {
		batch := []*proxy.Captured{c}
	more:
		for len(batch) < payloadsTogether {
			select {
			case c, ok := <-k.queue:
				if !ok {
					break more
				}
				batch = append(batch, c)
			default:
				break more
			}
		}
		k.write(batch)
	}
}

// write keeps a batch. What cannot be redacted is not kept.
func (k *payloadKeeper) write(batch []*proxy.Captured) {
	var ready []storage.Payload
	for _, c := range batch {
		content, err := k.content(c)
		k.waiting.Add(-int64(c.Size()))
		if err != nil {
			k.lose(1, "request_id", c.ID, "error", err.Error())
			continue
		}
		p := c.Payload
		p.Content = k.zip.EncodeAll(content, nil)
		ready = append(ready, p)
	}
	if len(ready) == 0 {
		return
	}
	err := k.add(ready)
	if err != nil { // another node may have made a new data key, and removed ours
		k.sealed.forget()
		err = k.add(ready)
	}
	if err != nil {
		k.lose(len(ready), "error", err.Error())
	}
}

func (k *payloadKeeper) add(payloads []storage.Payload) error {
	ctx, cancel := context.WithTimeout(context.Background(), payloadWait)
	defer cancel()
	if err := k.sealed.prepare(ctx); err != nil {
		return err
	}
	rows := make([]storage.SealedPayload, len(payloads))
	for i, p := range payloads {
		var err error
		if rows[i], err = p.Seal(k.store.vault); err != nil {
			return err
		}
	}
	return k.store.AddPayloads(ctx, rows...)
}

func (k *payloadKeeper) lose(n int, why ...any) {
	k.lost.Add(int64(n))
	k.store.log.Warn("what requests asked and were answered is not kept", append([]any{"requests", n}, why...)...)
}

// content gives the payload as JSON, redacted.
func (k *payloadKeeper) content(c *proxy.Captured) (text []byte, err error) {
	defer func() {
		if cause := recover(); cause != nil { // a defect of ours must not end the gateway
			if k.panicked != nil {
				k.panicked("payload", cause)
			}
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	rules, err := redact.New(c.Settings.Redact, k.inForce().Payloads.rules())
	if err != nil {
		return nil, err
	}
	answer, err := c.Assemble(catalog.DialectOf)
	if err != nil {
		return nil, err
	}
	said := admin.PayloadContent{RequestOmitted: c.RequestOmitted, ResponseOmitted: c.ResponseOmitted}
	for _, part := range []struct {
		from []byte
		to   *jsontext.Value
		cut  *bool
	}{{c.Request, &said.Request, &said.RequestCut}, {answer, &said.Response, &said.ResponseCut}} {
		if len(part.from) == 0 {
			continue
		}
		out, cut, err := rules.JSON(part.from, c.Settings.Most())
		if err != nil {
			return nil, errors.Join(errors.New("it cannot be redacted"), err)
		}
		*part.to, *part.cut = out, cut
	}
	return json.Marshal(&said, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}
