package telemetry

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// registry registers what Metrics describes, and nothing else. A name that is not described is a
// defect, and panics.
type registry struct {
	*prometheus.Registry
	described map[string]*Metric
}

func newRegistry() *registry {
	r := &registry{Registry: prometheus.NewRegistry(), described: map[string]*Metric{}}
	all := Metrics()
	for i := range all {
		r.described[all[i].Name] = &all[i]
	}
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

func (r *registry) find(name string, kind Kind) *Metric {
	m := r.described[name]
	if m == nil || m.Kind != kind {
		panic("telemetry: no " + string(kind) + " " + name + " is described")
	}
	return m
}

func (r *registry) counters(name string) *prometheus.CounterVec {
	m := r.find(name, Counter)
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: m.Name, Help: m.Help}, m.labels())
	if len(m.Labels) == 1 && m.Labels[0].From == "" && m.Only == "" { // a rate sees no first count that comes from nothing
		for _, value := range m.Labels[0].Values {
			v.WithLabelValues(value)
		}
	}
	r.MustRegister(v)
	return v
}

func (r *registry) gauges(name string) *prometheus.GaugeVec {
	m := r.find(name, Gauge)
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: m.Name, Help: m.Help}, m.labels())
	r.MustRegister(v)
	return v
}

// Native histograms are precise to a fifth. They are kept beside the classic buckets and bounded
// in memory: past so many buckets one begins anew, or is made coarser.
const (
	nativeFactor   = 1.2
	nativeBuckets  = 64
	nativeMinReset = time.Hour
)

func (r *registry) histograms(name string) *histograms {
	m := r.find(name, Histogram)
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: m.Name, Help: m.Help, Buckets: m.Buckets,
		NativeHistogramBucketFactor: nativeFactor, NativeHistogramMaxBucketNumber: nativeBuckets, NativeHistogramMinResetDuration: nativeMinReset,
	}, m.labels())
	r.MustRegister(v)
	return &histograms{v, m.Buckets}
}

// Tell says how a metric stands: one that Metrics describes, with the values of its labels in
// their order.
type Tell func(name string, value float64, labels ...string)

// readings asks for what is kept elsewhere at each scrape.
type readings struct {
	registry *registry
	read     func(Tell)
}

func (r *registry) readings(read func(Tell)) { r.MustRegister(&readings{r, read}) }

// Describe implements prometheus.Collector. It says nothing, since what is read may be any.
func (*readings) Describe(chan<- *prometheus.Desc) {}

// maxRead bounds the series of one metric that is read.
const maxRead = 1000

// Collect implements prometheus.Collector. Of what is told twice the first counts.
func (r *readings) Collect(to chan<- prometheus.Metric) {
	series, told := map[string]int{}, map[string]bool{}
	r.read(func(name string, value float64, labels ...string) {
		key := strings.Join(append([]string{name}, labels...), "\xff")
		if told[key] || series[name] >= maxRead {
			return
		}
		told[key] = true
		series[name]++
		to <- r.registry.reading(name, value, labels)
	})
}

func (r *registry) reading(name string, value float64, labels []string) prometheus.Metric {
	m := r.described[name]
	if m == nil {
		return prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(errUndescribed), fmt.Errorf("%w: %s", errUndescribed, name))
	}
	kind := prometheus.GaugeValue
	if m.Kind == Counter {
		kind = prometheus.CounterValue
	}
	desc := prometheus.NewDesc(m.Name, m.Help, m.labels(), nil)
	for i, value := range labels[:min(len(labels), len(m.Labels))] {
		if l := &m.Labels[i]; l.From == "" && !slices.Contains(l.Values, value) {
			return prometheus.NewInvalidMetric(desc, fmt.Errorf("%w: %s of the %s %q", errUndescribed, name, l.Name, value))
		}
	}
	out, err := prometheus.NewConstMetric(desc, kind, value, labels...)
	if err != nil {
		return prometheus.NewInvalidMetric(desc, err)
	}
	return out
}

var errUndescribed = errors.New("telemetry: a metric is not described")
