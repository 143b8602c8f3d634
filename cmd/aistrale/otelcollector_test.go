package main_test

import (
	"fmt"
	"net"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/aistrale/aistrale/internal/edge/edgetest"
	"github.com/aistrale/aistrale/storage/storagetest"
)

// otelCollector is an OpenTelemetry collector: the addresses where it takes OTLP, plain and by TLS,
// and a file with who signs its certificate.
type otelCollector struct{ http, grpc, https, grpcs, ca string }

// startCollector runs one in front of to.
func startCollector(t *testing.T, to *collected) otelCollector {
	t.Helper()
	program := storagetest.Tool(t, "otelcol")
	p, ca := newPlace(t), edgetest.NewAuthority(t)
	cert, key := ca.Write(t, p.dir, "collector", time.Hour)
	c := otelCollector{freeAddress(t), freeAddress(t), freeAddress(t), freeAddress(t), edgetest.File(t, p.dir, "ca.crt", ca.PEM())}
	tls := fmt.Sprintf(`tls: {cert_file: %q, key_file: %q}`, cert, key)
	config := p.write(t, "collector.yaml", fmt.Sprintf(`
receivers:
  otlp: {protocols: {http: {endpoint: "%s"}, grpc: {endpoint: "%s"}}}
  otlp/tls: {protocols: {http: {endpoint: "%s", %s}, grpc: {endpoint: "%s", %s}}}
exporters:
  otlp_http: {endpoint: "%s", compression: none, sending_queue: {enabled: false}}
service:
  telemetry: {metrics: {level: none}, logs: {level: warn}}
  pipelines:
    traces: {receivers: [otlp, otlp/tls], exporters: [otlp_http]}
    logs: {receivers: [otlp, otlp/tls], exporters: [otlp_http]}
`, c.http, c.grpc, c.https, tls, c.grpcs, tls, to.url))
	cmd := exec.Command(program, "--config", config)
	var out transcript
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan error, 1)
	go func() { gone <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := <-gone; err != nil || t.Failed() {
			t.Logf("the collector ended with %v:\n%s", err, out.String())
		}
	})
	for _, address := range []string{c.http, c.grpc, c.https, c.grpcs} {
		eventually(t, "the collector listens:"+out.String(), func() bool {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				return false
			}
			return conn.Close() == nil
		})
	}
	return c
}
