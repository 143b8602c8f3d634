package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/aistrale/aistrale/internal/telemetry"
	"github.com/aistrale/aistrale/proxy"
	"github.com/aistrale/aistrale/storage"
)

// TracingConfig says where spans go, and which.
type TracingConfig struct {
	Endpoint    string            `yaml:"endpoint"` // http:// or https://; "" off
	Protocol    string            `yaml:"protocol"` // otlpHTTP or otlpGRPC
	Headers     []HeaderConfig    `yaml:"headers"`
	CAFile      string            `yaml:"ca_file"` // PEM; "" the system's
	Ratio       float64           `yaml:"ratio"`   // of the traces that begin here
	Parent      string            `yaml:"parent"`  // trust, ratio or ignore
	Errors      bool              `yaml:"errors"`  // all requests that end in one
	Slow        time.Duration     `yaml:"slow"`    // all requests that take as long; 0 none
	Propagate   bool              `yaml:"propagate"`
	Content     bool              `yaml:"content"` // lets keys and projects have what is asked and answered on spans
	ServiceName string            `yaml:"service_name"`
	Attributes  map[string]string `yaml:"attributes"` // of the resource
	Memory      Size              `yaml:"memory"`     // of spans that wait
}

// OTLPLogsConfig says where the log's lines go besides the standard output.
type OTLPLogsConfig struct {
	Endpoint    string            `yaml:"endpoint"` // http:// or https://; "" off
	Headers     []HeaderConfig    `yaml:"headers"`
	CAFile      string            `yaml:"ca_file"` // PEM; "" the system's
	ServiceName string            `yaml:"service_name"`
	Attributes  map[string]string `yaml:"attributes"` // of the resource
	Memory      Size              `yaml:"memory"`     // of lines that wait
}

// HeaderConfig is a header of requests to a collector.
type HeaderConfig struct {
	Name  string         `yaml:"name"`
	Value storage.Secret `yaml:"value"`
}

// The protocols of OTLP.
const (
	otlpHTTP = "http"
	otlpGRPC = "grpc"
)

// collector makes the place that an endpoint is.
func collector(endpoint string, headers []HeaderConfig, caFile string) (telemetry.Collector, error) {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil:
		return telemetry.Collector{}, errors.New("is no URL")
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return telemetry.Collector{}, errors.New("is not http://HOST:PORT or https://HOST:PORT")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return telemetry.Collector{}, errors.New("has a user, a query or a fragment; secrets go into headers")
	}
	to := telemetry.Collector{URL: u, Headers: map[string]string{}}
	for _, h := range headers {
		to.Headers[h.Name] = h.Value.Reveal()
	}
	if caFile == "" {
		return to, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return to, fmt.Errorf("ca_file: %w", err)
	}
	to.TLS = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool()}
	if !to.TLS.RootCAs.AppendCertsFromPEM(pem) {
		return to, errors.New("ca_file: has no certificate in PEM")
	}
	return to, nil
}

// otlp checks what both signals have.
func (v *validator) otlp(path, endpoint string, headers []HeaderConfig, caFile string) {
	if endpoint == "" {
		return
	}
	if _, err := collector(endpoint, headers, caFile); err != nil {
		v.wrong(path+".endpoint", "%s", err)
	}
	for i, h := range headers {
		if h.Name == "" || h.Value.Empty() {
			v.wrong(element(path+".headers", i), "has no name or no value")
		}
	}
}

func (v *validator) tracing(c *TracingConfig) {
	v.otlp("tracing", c.Endpoint, c.Headers, c.CAFile)
	if protocols := []string{otlpHTTP, otlpGRPC}; !slices.Contains(protocols, c.Protocol) {
		v.wrong("tracing.protocol", "%q is neither %s nor %s", c.Protocol, otlpHTTP, otlpGRPC)
	}
	if rules := []string{string(telemetry.ParentTrust), string(telemetry.ParentRatio), string(telemetry.ParentIgnore)}; !slices.Contains(rules, c.Parent) {
		v.wrong("tracing.parent", "%q is none of trust, ratio and ignore", c.Parent)
	}
	if !(c.Ratio >= 0 && c.Ratio <= 1) {
		v.wrong("tracing.ratio", "%v is not between 0 and 1", c.Ratio)
	}
	if c.Slow < 0 {
		v.wrong("tracing.slow", "is below 0")
	}
	if c.Memory < 1<<20 {
		v.wrong("tracing.memory", "is below 1MiB")
	}
}

func (v *validator) otlpLogs(c *OTLPLogsConfig) {
	v.otlp("otlp_logs", c.Endpoint, c.Headers, c.CAFile)
	if c.Memory < 1<<20 {
		v.wrong("otlp_logs.memory", "is below 1MiB")
	}
}

// openTracer starts to send spans, where they are to go anywhere; nil is off.
func openTracer(config *Config, log *slog.Logger) (*telemetry.Tracer, error) {
	c := &config.Tracing
	if c.Endpoint == "" {
		return nil, nil
	}
	to, err := collector(c.Endpoint, c.Headers, c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	to.GRPC = c.Protocol == otlpGRPC
	return telemetry.NewTracer(telemetry.TracerOptions{
		To: to, Log: log, Memory: int(c.Memory), Private: !c.Propagate,
		Resource: telemetry.Resource{Service: c.ServiceName, Version: version, Node: config.Node, Attributes: c.Attributes},
		Sampling: telemetry.Sampling{Ratio: c.Ratio, Parent: telemetry.ParentRule(c.Parent), Errors: c.Errors, Slow: int64(c.Slow)},
	})
}

// openShipper starts to send the log's lines, where they are to go anywhere; nil is off. Its own
// trouble it tells on out alone.
func openShipper(config *Config, out io.Writer) (*telemetry.LogShipper, error) {
	c := &config.OTLPLogs
	if c.Endpoint == "" {
		return nil, nil
	}
	to, err := collector(c.Endpoint, c.Headers, c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("otlp_logs: %w", err)
	}
	return telemetry.NewLogShipper(telemetry.LogShipperOptions{
		To: to, Log: slog.New(slog.NewJSONHandler(out, nil)), Memory: int(c.Memory),
		Resource: telemetry.Resource{Service: c.ServiceName, Version: version, Node: config.Node, Attributes: c.Attributes},
	})
}

// tracerOf is the tracer as the gateway sees it, which must not take a nil one for some.
func tracerOf(t *telemetry.Tracer) proxy.Tracer {
	if t == nil {
		return nil
	}
	return t
}
