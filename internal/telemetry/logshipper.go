package telemetry

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/tidwall/gjson"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	otlog "go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"
)

// logBatch bounds the lines that are sent at once.
const logBatch = 512

// LogShipperOptions configure a LogShipper.
type LogShipperOptions struct {
	To       Collector // by HTTP
	Resource Resource
	// Memory bounds the lines that wait to be sent, in bytes; past it further ones are dropped.
	Memory int
	// Log is told of a collector that takes nothing; its lines must not come back here.
	Log *slog.Logger
}

// LogShipper sends the log's lines to a collector, as they are on the standard output: what one
// does not show, the other does not. A nil one sends nothing.
type LogShipper struct {
	exporter *otlploghttp.Exporter
	provider *sdklog.LoggerProvider
	logger   otlog.Logger
	gathered gathered
	lines    *outbox
	uploads
}

// NewLogShipper starts a LogShipper; Close ends it. That the collector cannot be reached is no
// error.
func NewLogShipper(o LogShipperOptions) (*LogShipper, error) {
	exporter, err := o.To.logs()
	if err != nil {
		return nil, fmt.Errorf("otlp_logs: %w", err)
	}
	s := &LogShipper{exporter: exporter, uploads: uploads{trouble: trouble{log: o.Log, what: "log lines"}}}
	var about []attribute.KeyValue
	for name, value := range o.Resource.all() {
		about = append(about, attribute.String(name, valid(value)))
	}
	s.provider = sdklog.NewLoggerProvider(
		sdklog.WithResource(resource.NewSchemaless(about...)), sdklog.WithProcessor(&s.gathered), sdklog.WithAttributeValueLengthLimit(-1),
	)
	s.logger = s.provider.Logger(scopeName, otlog.WithInstrumentationVersion(o.Resource.Version))
	held := &outbox{write: s.send, linger: spanLinger, most: o.Memory, enough: min(spanBatch, o.Memory/2)}
	s.lines = held.start()
	return s, nil
}

// Write takes whole lines. It never waits and never fails.
func (s *LogShipper) Write(lines []byte) (int, error) {
	if !put(s.lines, appendBytes, lines) {
		s.dropped.Add(int64(bytes.Count(lines, []byte("\n"))))
	}
	return len(lines), nil
}

func appendBytes(dst, b []byte) []byte { return append(dst, b...) }

// send sends lines, in pieces that a collector takes.
func (s *LogShipper) send(lines []byte) (err error) {
	for line := range bytes.Lines(lines) {
		s.emit(string(bytes.TrimSuffix(line, []byte("\n"))))
		if len(s.gathered.records) == logBatch {
			if failed := s.upload(); failed != nil {
				err = failed
			}
		}
	}
	if failed := s.upload(); failed != nil {
		err = failed
	}
	return err
}

// emit makes a record of a line: the line is its body, and what a store finds lines by stands beside
// it.
func (s *LogShipper) emit(line string) {
	var r otlog.Record
	said := gjson.GetMany(line, "time", "level", "trace_id", "span_id", "sampled", "request_id")
	if at, err := time.Parse(time.RFC3339Nano, said[0].Str); err == nil {
		r.SetTimestamp(at)
	}
	r.SetObservedTimestamp(time.Now())
	r.SetSeverity(severity(said[1].Str))
	r.SetSeverityText(said[1].Str)
	r.SetBody(attribute.StringValue(valid(line)))
	if id := said[5].Str; id != "" {
		r.AddAttributes(attribute.String("request_id", id))
	}
	s.logger.Emit(within(said[2].Str, said[3].Str, said[4].Bool()), r)
}

// within gives a context of a span.
func within(traceID, spanID string, sampled bool) context.Context {
	ctx := context.Background()
	id, err := trace.TraceIDFromHex(traceID)
	if err != nil {
		return ctx
	}
	span, err := trace.SpanIDFromHex(spanID)
	if err != nil {
		return ctx
	}
	return trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: id, SpanID: span, TraceFlags: trace.TraceFlags(0).WithSampled(sampled),
	}))
}

func severity(level string) otlog.Severity {
	switch {
	case strings.HasPrefix(level, "DEBUG"):
		return otlog.SeverityDebug
	case strings.HasPrefix(level, "WARN"):
		return otlog.SeverityWarn
	case strings.HasPrefix(level, "ERROR"):
		return otlog.SeverityError
	}
	return otlog.SeverityInfo
}

// upload sends what was gathered.
func (s *LogShipper) upload() error {
	records := s.gathered.records
	if len(records) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), uploadWait)
	defer cancel()
	err := s.exporter.Export(ctx, records)
	s.note(len(records), err)
	clear(records)
	s.gathered.records = records[:0]
	return err
}

// Read tells of the lines that were sent and of those that were dropped.
func (s *LogShipper) Read(tell Tell) {
	var u *uploads
	if s != nil {
		u = &s.uploads
	}
	u.read(tell, "aistrale_log_lines_sent_total", "aistrale_log_lines_unsent_total")
}

// Close sends what waits, for as long as ctx allows.
func (s *LogShipper) Close(ctx context.Context) error {
	if s == nil {
		return nil
	}
	err := s.lines.close(ctx)
	if err == nil {
		err = s.provider.Shutdown(ctx)
	}
	if err != nil {
		return fmt.Errorf("otlp_logs: not all lines are sent: %w", err)
	}
	return s.exporter.Shutdown(ctx)
}

// gathered is the SDK's way to make records, whose only use here is one goroutine's.
type gathered struct{ records []sdklog.Record }

// Enabled implements sdklog.Processor.
func (*gathered) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }

// OnEmit implements sdklog.Processor.
func (g *gathered) OnEmit(_ context.Context, r *sdklog.Record) error {
	g.records = append(g.records, r.Clone())
	return nil
}

// Shutdown implements sdklog.Processor.
func (*gathered) Shutdown(context.Context) error { return nil }

// ForceFlush implements sdklog.Processor.
func (*gathered) ForceFlush(context.Context) error { return nil }
