package policy

import (
	"slices"
	"time"
)

// How anomalies are found.
const (
	// AnomalyWeeks is how many weeks before an hour say what is usual for it.
	AnomalyWeeks = 4
	// anomalySamples is how many hours must say so, of the twelve that may.
	anomalySamples = 6
	// anomalyScore is from how many spreads off the usual an hour is flagged.
	anomalyScore = 5
)

const weekHours = 7 * 24

// Anomaly is an hour that is unlike the same hours of the weeks before.
type Anomaly struct {
	At    time.Time
	Value int64
	Usual int64 // the median of the samples
	// Score is how many spreads Value is off Usual.
	Score   float64
	Samples int
}

// Hours are numbers of one thing, hour after hour.
type Hours struct {
	First  time.Time // the beginning of the first hour
	Values []int64
	Least  int64 // the spread is never taken for less, so that small things are no alarm
}

// Anomalies judges the last hours: each is held against the same hour of the same weekday in the
// four weeks before, and the hours on either side of it. Its spread is 1.4826 × the median of their
// distances from their median (as a standard deviation, but deaf to single outliers), at least a
// tenth of the median and Least. Hours before the first that has anything are no samples; learning
// counts the hours that had too few.
func (h *Hours) Anomalies(last int) (found []Anomaly, learning int) {
	begun := slices.IndexFunc(h.Values, func(v int64) bool { return v != 0 })
	if begun < 0 {
		return nil, last
	}
	for i := max(0, len(h.Values)-last); i < len(h.Values); i++ {
		samples := h.samples(i, begun)
		if len(samples) < anomalySamples {
			learning++
			continue
		}
		a := Anomaly{At: h.First.Add(time.Duration(i) * time.Hour), Value: h.Values[i], Usual: median(samples), Samples: len(samples)}
		for j := range samples {
			samples[j] = distance(samples[j], a.Usual)
		}
		spread := max(1.4826*float64(median(samples)), float64(a.Usual)/10, float64(h.Least))
		if a.Score = float64(distance(a.Value, a.Usual)) / spread; a.Score >= anomalyScore {
			found = append(found, a)
		}
	}
	return found, learning
}

func (h *Hours) samples(i, begun int) (samples []int64) {
	for week := 1; week <= AnomalyWeeks; week++ {
		for _, beside := range []int{-1, 0, 1} {
			if at := i - week*weekHours + beside; at >= begun {
				samples = append(samples, h.Values[at])
			}
		}
	}
	return samples
}

// median sorts, and gives the lower one of two middles.
func median(values []int64) int64 {
	slices.Sort(values)
	return values[(len(values)-1)/2]
}

func distance(a, b int64) int64 {
	if a < b {
		return minus(b, a)
	}
	return minus(a, b)
}
