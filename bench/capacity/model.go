package main

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// model is what a load is taken to be, and how much of a machine it may use.
type model struct {
	busy    float64 // of a core's time, from 0 to 1
	streams float64 // of all requests, from 0 to 1
	events  float64 // of a stream
	lasts   float64 // seconds, of a stream
	keep    float64 // days, of single requests
}

// usual is a chat of some 200 tokens a reply, four of five of them streamed over ten seconds, on
// cores that are half busy at the peak, so that the other half can take a node's place.
var usual = model{busy: 0.5, streams: 0.8, events: 200, lasts: 10, keep: 90}

// nodeCores is the machine that nodes are counted in.
const nodeCores = 8

// need is what a load takes.
type need struct {
	name             string
	rate             float64 // requests a second
	open             float64 // streams at once
	cores, nodes     float64
	memoryGB         float64
	redisCores       float64
	redisShards      float64 // one thread each
	postgresCores    float64
	rowsPerDay, disk float64 // millions, and TB for as long as rows are kept
}

// at is what a rate takes; the peak lasts all day, which is more than any load does.
func (m model) at(c costs, name string, rate float64) need {
	n := need{name: name, rate: rate, open: rate * m.streams * m.lasts}
	perSecond := rate*c.request + rate*m.streams*m.events*c.event
	n.cores = perSecond / 1e6 / m.busy
	n.nodes = math.Max(2, math.Ceil(n.cores/nodeCores))
	n.memoryGB = (n.open*c.streamKB/1024 + n.nodes*c.idleMB) / 1024
	n.redisCores = rate * c.redis / 1e6
	n.redisShards = math.Max(1, math.Ceil(n.redisCores/m.busy))
	n.postgresCores = rate * c.postgres / 1e6 / m.busy
	n.rowsPerDay = rate * 86400 / 1e6
	n.disk = rate * 86400 * m.keep * c.rowBytes / 1e12
	return n
}

// withOpen is what so many streams at once take, with nothing beside them.
func (m model) withOpen(c costs, open float64) need {
	m.streams = 1
	return m.at(c, fmt.Sprintf("%s open streams", amount(open)), open/m.lasts)
}

// first names what a rate grows past first: one Redis thread, or one PostgreSQL server's cores.
func (m model) first(c costs) (redis, postgres float64) {
	const serverCores = 32 // of a large server
	return m.busy * 1e6 / c.redis, m.busy * 1e6 * serverCores / c.postgres
}

func write(out io.Writer, c costs, m model) error {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "From %s, %s, on %s: %.1f µs of CPU a request of 8 KB on PostgreSQL and Redis, %.1f µs an event, %.0f KB an open stream, %.1f µs of Redis and %.1f µs of PostgreSQL a request, %.0f bytes a row with its indexes.\n\n",
		c.commit, c.date, c.machine, c.request, c.event, c.streamKB, c.redis, c.postgres, c.rowBytes)
	_, _ = fmt.Fprintf(&b, "| load | open streams | gateway cores | nodes of %d cores | gateway memory | Redis cores (shards) | PostgreSQL cores | rows a day | disk for %.0f days |\n|---|---|---|---|---|---|---|---|---|\n", nodeCores, m.keep)
	for _, n := range []need{m.at(c, "1,000 requests/s", 1000), m.at(c, "10,000 requests/s", 10_000), m.at(c, "100,000 requests/s", 100_000), m.withOpen(c, 1_000_000)} {
		_, _ = fmt.Fprintf(&b, "| %s | %s | %.0f | %.0f | %.1f GB | %.1f (%.0f) | %.1f | %s million | %.1f TB |\n",
			n.name, amount(n.open), math.Ceil(n.cores), n.nodes, n.memoryGB, n.redisCores, n.redisShards, n.postgresCores, amount(n.rowsPerDay), n.disk)
	}
	redis, postgres := m.first(c)
	_, _ = fmt.Fprintf(&b, "\nOne Redis thread is %.0f %% busy at %s requests/s; PostgreSQL on 32 cores at %s requests/s.\n", m.busy*100, amount(redis), amount(postgres))
	_, err := io.WriteString(out, b.String())
	return err
}

// amount writes a number as people do: 12,345.
func amount(n float64) string {
	digits := fmt.Sprintf("%.0f", n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
