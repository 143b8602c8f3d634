package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// even has costs that are easy to reckon with.
var even = costs{request: 100, event: 10, streamKB: 32, idleMB: 64, redis: 10, postgres: 20, rowBytes: 1000}

func TestModel_at(t *testing.T) {
	m := model{busy: 0.5, streams: 0.5, events: 80, lasts: 10, keep: 10}
	n := m.at(even, "", 1000)
	// 1,000 × 100 µs and 500 × 80 × 10 µs are half a second of CPU a second: one core, half busy.
	for what, got := range map[string][2]float64{
		"open": {n.open, 5000}, "cores": {n.cores, 1}, "nodes": {n.nodes, 2}, "redis": {n.redisCores, 0.01}, "shards": {n.redisShards, 1},
		"postgres": {n.postgresCores, 0.04}, "rows": {n.rowsPerDay, 86.4}, "disk": {n.disk, 0.864},
		"memory": {n.memoryGB, (5000*32.0/1024 + 2*64) / 1024},
	} {
		if diff := got[0] - got[1]; diff > 1e-9 || diff < -1e-9 {
			t.Errorf("%s is %v, want %v", what, got[0], got[1])
		}
	}
	if n := m.withOpen(even, 1_000_000); n.open != 1_000_000 || n.rate != 100_000 {
		t.Errorf("a million open streams of 10 s are %v, at %v/s", n.open, n.rate)
	}
	redis, postgres := m.first(even)
	if redis != 50_000 || postgres != 800_000 {
		t.Errorf("saturation at %v and %v, want 50,000 and 800,000", redis, postgres)
	}
}

func TestReadCosts_lacking(t *testing.T) {
	path := filepath.Join(t.TempDir(), "figures.json")
	if err := os.WriteFile(path, []byte(`{"works":[{"work":"8KB","cpu_us":{"aistrale":20}}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readCosts(path); err == nil || !strings.Contains(err.Error(), "whole run of the bench") {
		t.Errorf("readCosts() = %v, want what lacks", err)
	}
}

func TestAmount(t *testing.T) {
	for n, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := amount(n); got != want {
			t.Errorf("amount(%v) = %q, want %q", n, got, want)
		}
	}
}
