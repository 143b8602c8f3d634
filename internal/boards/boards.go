// Package boards makes the Grafana dashboards and Prometheus' rules that lie under deploy, of
// one description in Go. It must never name a metric or a label that telemetry does not export.
package boards
