package telemetry

import (
	"cmp"
	"context"
	"crypto/tls"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/grpc/credentials"
)

const (
	scopeName = "github.com/aistrale/aistrale"
	// uploadWait bounds one upload with its retries.
	uploadWait = 10 * time.Second
)

// Collector says where telemetry goes, in OTLP. The environment variables of OpenTelemetry's SDKs
// change nothing about it.
type Collector struct {
	URL     *url.URL // http or https; of gRPC its host and port count. It holds no secret
	GRPC    bool
	Headers map[string]string // sent along, such as a token
	TLS     *tls.Config       // of https; nil is the system's
}

// at is the address with the signal's own path where it has none.
func (c *Collector) at(path string) string {
	u := *c.URL
	if u.Path == "" || u.Path == "/" {
		u.Path = path
	}
	return u.String()
}

// tls is nil for http.
func (c *Collector) tls() *tls.Config {
	if c.URL.Scheme == "http" || c.TLS != nil {
		return c.TLS
	}
	return &tls.Config{MinVersion: tls.VersionTLS12}
}

// traces makes a client for spans, which begins with its Start.
func (c *Collector) traces() otlptrace.Client {
	if c.GRPC {
		options := []otlptracegrpc.Option{
			otlptracegrpc.WithEndpoint(c.URL.Host), otlptracegrpc.WithHeaders(c.Headers), otlptracegrpc.WithTimeout(uploadWait),
			otlptracegrpc.WithCompressor("gzip"), otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig(retry)),
		}
		if c.URL.Scheme == "http" {
			return otlptracegrpc.NewClient(append(options, otlptracegrpc.WithInsecure())...)
		}
		return otlptracegrpc.NewClient(append(options, otlptracegrpc.WithTLSCredentials(credentials.NewTLS(c.tls())))...)
	}
	return otlptracehttp.NewClient(
		otlptracehttp.WithEndpointURL(c.at("/v1/traces")), otlptracehttp.WithHeaders(c.Headers), otlptracehttp.WithTimeout(uploadWait),
		otlptracehttp.WithCompression(otlptracehttp.GzipCompression), otlptracehttp.WithRetry(otlptracehttp.RetryConfig(retry)),
		otlptracehttp.WithEncoding(otlptracehttp.EncodingProtobuf), otlptracehttp.WithTLSClientConfig(c.tls()),
	)
}

// logs makes an exporter of log lines.
func (c *Collector) logs() (*otlploghttp.Exporter, error) {
	return otlploghttp.New(context.Background(),
		otlploghttp.WithEndpointURL(c.at("/v1/logs")), otlploghttp.WithHeaders(c.Headers), otlploghttp.WithTimeout(uploadWait),
		otlploghttp.WithCompression(otlploghttp.GzipCompression), otlploghttp.WithRetry(otlploghttp.RetryConfig(retry)),
		otlploghttp.WithTLSClientConfig(c.tls()),
	)
}

// retry says how an upload that a collector was too busy for is tried again.
var retry = otlptracehttp.RetryConfig{Enabled: true, InitialInterval: 500 * time.Millisecond, MaxInterval: 5 * time.Second, MaxElapsedTime: uploadWait}

// Resource says who the telemetry is of.
type Resource struct {
	Service    string // "aistrale" where empty
	Version    string
	Node       string
	Attributes map[string]string // more of it
}

// all are the attributes by name.
func (r *Resource) all() map[string]string {
	all := map[string]string{
		"service.name": cmp.Or(r.Service, "aistrale"), "service.version": r.Version, "service.instance.id": r.Node,
	}
	maps.Copy(all, r.Attributes)
	return all
}

func (r *Resource) message() *resourcepb.Resource {
	all, m := r.all(), &resourcepb.Resource{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		m.Attributes = append(m.Attributes, &commonpb.KeyValue{
			Key: name, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: valid(all[name])}},
		})
	}
	return m
}

// trouble logs that a collector takes nothing, once until it does again.
type trouble struct {
	log  *slog.Logger
	what string

	mu  sync.Mutex
	now bool
}

func (t *trouble) note(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := err != nil; now == t.now {
		return
	}
	t.now = err != nil
	if t.log == nil {
		return
	}
	if !t.now {
		t.log.Info("the collector takes " + t.what + " again")
		return
	}
	t.log.Warn("the collector does not take "+t.what+"; they are dropped", "error", head(err.Error(), maxError))
}

// uploads counts what a collector took, and what was dropped. The nil one took nothing.
type uploads struct {
	sent, dropped atomic.Int64
	trouble       trouble
}

// note notes an upload of so many that has ended.
func (u *uploads) note(n int, err error) {
	if u.trouble.note(err); err != nil {
		u.dropped.Add(int64(n))
		return
	}
	u.sent.Add(int64(n))
}

// read tells of both by the names of their metrics.
func (u *uploads) read(tell Tell, sent, dropped string) {
	var taken, lost int64
	if u != nil {
		taken, lost = u.sent.Load(), u.dropped.Load()
	}
	tell(sent, float64(taken))
	tell(dropped, float64(lost))
}
