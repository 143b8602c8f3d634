package storage

import (
	"math"
	"strconv"
	"time"
)

// Measure is one number that roll-ups sum. All are additive, so that the sum over any rows is
// the sum of their roll-ups, and a correction is a difference.
type Measure int

// The measures of a roll-up.
const (
	Requests Measure = iota // final attempts
	Errors                  // of them, those that the client saw fail
	Attempts
	Unpriced  // attempts without a known cost
	Estimated // attempts whose tokens the gateway counted itself
	InputTokens
	CacheReadTokens  // of the input
	CacheWriteTokens // of the input
	OutputTokens
	ReasoningTokens // of the output
	AudioInTokens
	AudioOutTokens
	Images
	Searches
	Characters // of text to be spoken
	AudioInMs  // sound that was read
	AudioOutMs // sound that was made
	CostNano
	DurationMicros // of final attempts
	FirstLatency   // the first of LatencyBuckets counts of final attempts by duration
	// FirstToken is the first of LatencyBuckets counts of final streams by how long their first
	// content took.
	FirstToken = FirstLatency + LatencyBuckets
)

// LatencyBuckets is the number of duration buckets. The first ends at 2 ms, each further one
// at 1.5 times the one before; the last has no end.
const LatencyBuckets = 32

// Measures is the number of measures.
const Measures = int(FirstToken) + LatencyBuckets

// Totals are sums by measure.
type Totals [Measures]int64

var measureNames = [...]string{
	"requests", "errors", "attempts", "unpriced", "estimated", "input_tokens", "cache_read_tokens",
	"cache_write_tokens", "output_tokens", "reasoning_tokens", "audio_in_tokens", "audio_out_tokens",
	"images", "searches", "characters", "audio_in_ms", "audio_out_ms", "cost_nano", "duration_us",
}

// String is the measure's column: requests, cost_nano, latency_00, first_token_31.
func (m Measure) String() string {
	switch {
	case m < FirstLatency:
		return measureNames[m]
	case m < FirstToken:
		return bucketName("latency_", m-FirstLatency)
	}
	return bucketName("first_token_", m-FirstToken)
}

func bucketName(prefix string, bucket Measure) string {
	n := strconv.Itoa(int(bucket))
	return prefix + "00"[len(n):] + n
}

// latencyEnds is where the buckets end, in microseconds.
var latencyEnds = func() (ends [LatencyBuckets]float64) {
	for b := range ends {
		ends[b] = 2000 * math.Pow(1.5, float64(b))
	}
	return ends
}()

func latencyBucket(d time.Duration) int {
	us := float64(d.Microseconds())
	for b, end := range latencyEnds[:LatencyBuckets-1] {
		if us <= end {
			return b
		}
	}
	return LatencyBuckets - 1
}

// Add adds other's sums.
func (t *Totals) Add(other *Totals) {
	for m, n := range other {
		t[m] += n
	}
}

// Sub takes other's sums away.
func (t *Totals) Sub(other *Totals) {
	for m, n := range other {
		t[m] -= n
	}
}

// most bounds what one entry adds to a measure, either way, so that no nonsense of an upstream
// makes a sum overflow.
const most = 1_000_000_000_000_000

// TotalsOf is what one entry adds to its roll-ups.
func TotalsOf(e *Entry) Totals {
	var t Totals
	t[Attempts] = 1
	if e.Final {
		t[Requests] = 1
		if e.Failed() {
			t[Errors] = 1
		}
		t[DurationMicros] = e.Duration.Microseconds()
		t[FirstLatency+Measure(latencyBucket(e.Duration))] = 1
		if e.Stream && e.FirstByte > 0 {
			t[FirstToken+Measure(latencyBucket(e.FirstByte))] = 1
		}
	}
	if !e.Known() {
		t[Unpriced] = 1
	} else {
		t[CostNano] = e.CostNano
	}
	if e.Charge.Estimated {
		t[Estimated] = 1
	}
	for i := range e.Lines {
		n := &e.Lines[i]
		t[InputTokens] += n.Input()
		t[CacheReadTokens] += n.CacheRead
		t[CacheWriteTokens] += n.CacheWrite5m + n.CacheWrite1h
		t[OutputTokens] += n.Output
		t[ReasoningTokens] += n.Reasoning
		t[AudioInTokens] += n.AudioIn
		t[AudioOutTokens] += n.AudioOut
		t[Images] += n.Images
		t[Searches] += n.Searches
		t[Characters] += n.Characters
		t[AudioInMs] += n.AudioInMs
		t[AudioOutMs] += n.AudioOutMs
	}
	for m := range t {
		t[m] = max(-most, min(most, t[m]))
	}
	return t
}

// Failed reports whether the client did not get a whole answer.
func (e *Entry) Failed() bool { return e.Outcome != OutcomeOK && e.Outcome != OutcomeCached }

// Latency gives the duration below which the share q (0 to 1) of the final attempts stayed,
// interpolated within its bucket; 0 where there were none.
func (t *Totals) Latency(q float64) time.Duration { return quantile(t[FirstLatency:FirstToken], q) }

// FirstTokenLatency is Latency of the time to the first content of streams.
func (t *Totals) FirstTokenLatency(q float64) time.Duration { return quantile(t[FirstToken:], q) }

// Streams counts the streams that FirstTokenLatency speaks of.
func (t *Totals) Streams() int64 { return countOf(t[FirstToken:]) }

func countOf(buckets []int64) (all int64) {
	for _, n := range buckets {
		all += n
	}
	return all
}

func quantile(counts []int64, q float64) time.Duration {
	all := countOf(counts)
	if all == 0 {
		return 0
	}
	rank, before := q*float64(all), 0.0
	for b, n := range counts {
		if n > 0 && before+float64(n) >= rank {
			from := 0.0
			if b > 0 {
				from = latencyEnds[b-1]
			}
			share := max(0, rank-before) / float64(n)
			return time.Duration((from+share*(latencyEnds[b]-from))*1000) * time.Nanosecond
		}
		before += float64(n)
	}
	return time.Duration(latencyEnds[LatencyBuckets-1]) * time.Microsecond
}
