package storagetest

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestPrometheus(t *testing.T) {
	url := Prometheus(t, "global: {scrape_interval: 1s}\nrule_files: []\n")
	answer, err := http.Get(url + "/api/v1/query?query=2*21")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || !strings.Contains(string(body), `"42"`) {
		t.Errorf("%s, %v", body, err)
	}
}
