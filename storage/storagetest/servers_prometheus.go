package storagetest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// Prometheus starts a Prometheus of the test's own and gives its address, http://host:port.
// config is its configuration file's text; more are its arguments. It ends with the test. Where
// there is none to be had the test is skipped, and fails if CI=true.
func Prometheus(t testing.TB, config string, more ...string) string {
	t.Helper()
	path, err := find("prometheus", "prometheus")
	if err != nil {
		give(t, nil, err)
	}
	prepare := func(folder string) error {
		return os.WriteFile(filepath.Join(folder, "prometheus.yml"), []byte(config), 0o644)
	}
	program := func(folder, port string) []string {
		return append([]string{
			path, "--config.file", filepath.Join(folder, "prometheus.yml"), "--storage.tsdb.path", filepath.Join(folder, "data"),
			"--web.listen-address", "127.0.0.1:" + port, "--log.level", "warn",
		}, more...)
	}
	s, err := launcher{prepare, program, prometheusReady}.launch()
	s = give(t, s, err)
	t.Cleanup(func() {
		_ = s.stop.Close()
		<-s.ended
	})
	return "http://127.0.0.1:" + s.url
}

func prometheusReady(port string) error {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://127.0.0.1:"+port+"/-/ready", http.NoBody)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(req)
	if err != nil {
		return err
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("prometheus: %s", answer.Status)
	}
	return nil
}
