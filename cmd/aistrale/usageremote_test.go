package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A running gateway tells what the store here tells.
func TestUsage_remote(t *testing.T) {
	t.Parallel()
	far, near, address, token := remote(t)
	spending(far)
	near.now = far.now
	near.vars["AISTRALE_ADMIN_URL"], near.vars["AISTRALE_ADMIN_TOKEN"] = address, token
	same := func(args ...string) {
		t.Helper()
		want, got := far.must(append([]string{"usage"}, args...)...), near.must(append([]string{"usage"}, args...)...)
		if strings.ReplaceAll(got, "\r\n", "\n") != want {
			t.Errorf("%q: the gateway tells\n%s, the store\n%s", args, got, want)
		}
	}
	for _, form := range []string{"--json", "--csv", ""} {
		for _, args := range []string{"", "--by model,key", "--per hour --by provider", "--where key=ci,model=mock/g*", "--by tag", "rows", "rows --limit 2 --where model=gpt"} {
			same(strings.Fields(args + " " + form)...)
		}
	}
	near.refuses(2, "one workspace", "usage", "--by", "workspace")
}

func TestUsageReports(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	spending(d)
	if top := d.must("usage", "top", "--by", "model"); !strings.Contains(top, "gpt") || strings.Index(top, "gpt") > strings.Index(top, "claude") || !strings.Contains(top, "all") {
		t.Errorf("top:\n%s", top)
	}
	if top := flat(t, d.must("usage", "top", "--by", "key", "--measure", "requests", "--limit", "1", "--json")); len(top) != 1 || top[0]["key_name"] != "ci" {
		t.Errorf("top: %v", top)
	}
	if found := flat(t, d.must("usage", "errors", "--by", "provider", "--json")); len(found) != 1 || found[0]["status"] != "429" || found[0]["attempts"] != 1.0 || found[0]["requests"] != 0.0 {
		t.Errorf("errors: %v", found)
	}
	if rows := flat(t, d.must("usage", "forecast", "--json")); len(rows) != 1 || rows[0]["scope"] != "workspace/default" || rows[0]["spent_usd"] == nil {
		t.Errorf("forecast: %v", rows)
	}
	if text := d.must("usage", "forecast", "--period", "week"); !strings.Contains(text, "LIKELY USD") {
		t.Errorf("forecast:\n%s", text)
	}
	if text := d.must("usage", "anomalies", "--hours", "5"); !strings.Contains(text, "hours judged") {
		t.Errorf("anomalies:\n%s", text)
	}
	file := filepath.Join(t.TempDir(), "usage.csv")
	d.must("usage", "export", "--rows", "--since", "24h", "--out", file)
	text, err := os.ReadFile(file)
	if err != nil || strings.Count(string(text), "\r\n") != 6 {
		t.Errorf("%v: %s", err, text)
	}
	d.refuses(1, "file exists", "usage", "export", "--out", file)
	d.refuses(2, "--since", "usage", "top", "--by", "key", "--since", "yesterday")
	d.refuses(1, "query.by", "usage", "top", "--by", "colour")
	d.now = d.now.Add(time.Hour)
}
