package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// costs are what one thing takes, as the bench measured it.
type costs struct {
	commit, date, machine string
	request               float64 // µs of CPU for 8 KB on PostgreSQL and Redis
	event                 float64 // µs of CPU for an event of a stream
	streamKB, idleMB      float64
	redis, postgres       float64 // µs of their CPU per request
	rowBytes              float64 // on PostgreSQL's disk per request
}

// target is the gateway that is measured on PostgreSQL and Redis, which many nodes share.
const target = "shared"

func readCosts(path string) (costs, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return costs{}, err
	}
	var f struct {
		Commit, Date, Machine string
		Works                 []struct {
			Work string
			CPU  map[string]float64 `json:"cpu_us"`
		}
		StreamKB map[string]float64 `json:"kb_per_open_stream"`
		IdleMB   map[string]float64 `json:"idle_mb"`
		Stores   struct {
			Redis    float64 `json:"redis_us_per_request"`
			Postgres float64 `json:"postgres_us_per_request"`
			RowBytes float64 `json:"postgres_bytes_per_request"`
		}
	}
	if err := json.Unmarshal(b, &f); err != nil {
		return costs{}, fmt.Errorf("%s: %w", path, err)
	}
	c := costs{
		commit: f.Commit, date: f.Date, machine: f.Machine,
		streamKB: f.StreamKB["aistrale"], idleMB: f.IdleMB["aistrale"],
		redis: f.Stores.Redis, postgres: f.Stores.Postgres, rowBytes: f.Stores.RowBytes,
	}
	for _, w := range f.Works {
		switch w.Work {
		case "8KB":
			c.request = w.CPU[target]
		case "paced":
			c.event = w.CPU[target]
		}
	}
	for what, n := range map[string]float64{
		"CPU of 8KB on PostgreSQL and Redis": c.request, "CPU of paced there": c.event,
		"memory per open stream": c.streamKB, "CPU of Redis": c.redis, "CPU of PostgreSQL": c.postgres, "bytes per row": c.rowBytes,
	} {
		if n <= 0 {
			return c, fmt.Errorf("%s lacks the %s: it wants a whole run of the bench, with PostgreSQL and Redis", path, what)
		}
	}
	return c, nil
}
