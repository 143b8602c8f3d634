package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/aistrale/aistrale/storage"
)

const (
	// spanLinger is how long spans may wait for others.
	spanLinger = time.Second
	// spanBatch bounds the spans that are sent at once, in bytes: a gRPC server takes 4 MiB.
	spanBatch = 1 << 20
)

// TracerOptions configure a Tracer.
type TracerOptions struct {
	To       Collector
	Resource Resource
	Sampling Sampling
	// Private keeps upstreams from being told of traces.
	Private bool
	// Memory bounds the spans that wait to be sent, in bytes; past it those of further requests are
	// dropped.
	Memory int
	Log    *slog.Logger
}

// Tracer gives requests their places in traces, and sends spans, which are prints of their
// records, to a collector. A nil one traces nothing.
type Tracer struct {
	sampling Sampling
	below    uint64 // of 1 << 63
	private  bool
	client   otlptrace.Client
	resource *resourcepb.Resource
	scope    *commonpb.InstrumentationScope
	spans    *outbox
	contents *contents
	uploads
}

// NewTracer starts a Tracer; Close ends it. That the collector cannot be reached is no error.
func NewTracer(o TracerOptions) (*Tracer, error) {
	client := o.To.traces()
	if err := client.Start(context.Background()); err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	t := &Tracer{
		sampling: o.Sampling, below: uint64(o.Sampling.Ratio * (1 << 63)), private: o.Private, client: client,
		resource: o.Resource.message(), scope: &commonpb.InstrumentationScope{Name: scopeName, Version: o.Resource.Version},
		uploads: uploads{trouble: trouble{log: o.Log, what: "spans"}},
	}
	held := &outbox{write: t.send, linger: spanLinger, most: o.Memory, enough: min(spanBatch, o.Memory/2)}
	t.spans = held.start()
	t.contents = newContents(t.spans, o.Memory, func(spans int) { t.dropped.Add(int64(spans)) })
	return t, nil
}

// observe prints the spans of a request that has ended, where they are wanted.
func (t *Tracer) observe(r *storage.Record) {
	if t == nil || !t.wants(r) {
		return
	}
	if r.Content != nil {
		t.contents.take(r)
		return
	}
	if !put(t.spans, appendSpans, r) {
		t.dropped.Add(int64(spansOf(r)))
	}
}

// send sends spans, so many at once as a collector takes.
func (t *Tracer) send(batch []byte) (err error) {
	for len(batch) > 0 {
		n := piece(batch, spanBatch)
		err = errors.Join(err, t.sendPiece(batch[:n]))
		batch = batch[n:]
	}
	return err
}

func (t *Tracer) sendPiece(spans []byte) error {
	group := &tracepb.ScopeSpans{}
	err := proto.Unmarshal(spans, group)
	if err == nil {
		group.Scope = t.scope
		ctx, cancel := context.WithTimeout(context.Background(), uploadWait)
		defer cancel()
		err = t.client.UploadTraces(ctx, []*tracepb.ResourceSpans{{Resource: t.resource, ScopeSpans: []*tracepb.ScopeSpans{group}}})
	}
	t.note(len(group.Spans), err)
	return err
}

// piece gives how many bytes of whole fields are at most the given ones; it is one field at least.
func piece(fields []byte, most int) int {
	n := 0
	for n < len(fields) {
		_, _, size := protowire.ConsumeField(fields[n:])
		if size < 0 || n > 0 && n+size > most {
			break
		}
		n += size
	}
	if n == 0 {
		return len(fields) // it is not what we write; nobody reads it
	}
	return n
}

// Read tells of the spans that were sent and of those that were dropped.
func (t *Tracer) Read(tell Tell) {
	var u *uploads
	if t != nil {
		u = &t.uploads
	}
	u.read(tell, "aistrale_spans_sent_total", "aistrale_spans_dropped_total")
}

// Close sends what waits, for as long as ctx allows. Requests observed after it are dropped.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	err := errors.Join(t.contents.close(ctx), t.spans.close(ctx))
	if stopped := t.client.Stop(ctx); err == nil {
		err = stopped
	}
	if err != nil {
		return fmt.Errorf("tracing: not all spans are sent: %w", err)
	}
	return nil
}
