package telemetry

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/aistrale/aistrale/storage"
)

// histograms are those of one metric.
type histograms struct {
	vec     *prometheus.HistogramVec
	buckets []float64
}

func (h *histograms) with(labels ...string) *histogram {
	to := h.vec.WithLabelValues(labels...)
	return &histogram{Observer: to, exemplars: to.(prometheus.ExemplarObserver), //nolint:forcetypeassert // client_golang's are
		buckets: h.buckets, shown: make([]atomic.Int64, len(h.buckets)+1)}
}

// histogram keeps exemplars of requests that are traced: from a bucket to a trace. A bucket shows
// the last one only, so that it is given one once a second, and not more, saves almost all that
// exemplars cost, and lets no slow request wait behind many fast ones.
type histogram struct {
	prometheus.Observer
	exemplars prometheus.ExemplarObserver
	buckets   []float64
	shown     []atomic.Int64 // by bucket: when it was given one, in Unix nanoseconds
}

const exemplarEvery = int64(time.Second)

// seen is a request that has ended, and whether its spans are recorded.
type seen struct {
	*storage.Record
	traced bool
}

// seconds puts down a time of a request.
func (h *histogram) seconds(d time.Duration, r seen) {
	seconds := d.Seconds()
	if !r.traced {
		h.Observe(seconds)
		return
	}
	i, _ := slices.BinarySearch(h.buckets, seconds)
	now, last := r.Time.Add(r.Duration).UnixNano(), h.shown[i].Load()
	if now-last < exemplarEvery || !h.shown[i].CompareAndSwap(last, now) {
		h.Observe(seconds)
		return
	}
	h.exemplars.ObserveWithExemplar(seconds, prometheus.Labels{"trace_id": r.Trace.ID.String()})
}
