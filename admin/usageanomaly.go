package admin

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
)

type anomalyQuery struct {
	UsageOf
	By      string `query:"by" enum:"project,key,user,provider,model,prompt" doc:"Each of them for itself; without it all together"`
	Measure string `query:"measure" enum:"cost,requests,errors,input_tokens,output_tokens" default:"cost"`
	Hours   int    `query:"hours" minimum:"1" maximum:"168" default:"24" doc:"How many whole hours before now are judged"`
}

// UsageAnomalies are the hours that are unlike the same hours of the four weeks before.
type UsageAnomalies struct {
	From     time.Time      `json:"from"`
	To       time.Time      `json:"to"`
	Judged   int            `json:"judged" doc:"Hours that were held against the weeks before; by something, of each that there is"`
	Learning int            `json:"learning" doc:"Hours that were not, as fewer than 6 of the 12 hours that say what is usual are known"`
	Data     []UsageAnomaly `json:"data" doc:"The farthest off first"`
}

// UsageAnomaly is one hour that is flagged.
type UsageAnomaly struct {
	At      time.Time `json:"at" doc:"The beginning of the hour"`
	Of      string    `json:"of,omitempty" doc:"Whose it is, by what was asked by; of keys the public id"`
	Value   string    `json:"value" doc:"Decimal text; USD where the measure is cost"`
	Usual   string    `json:"usual" doc:"The median of the samples"`
	High    bool      `json:"high" doc:"Whether it is more than usual, or less"`
	Score   float64   `json:"score" doc:"How many spreads off the usual; flagged from 5 on"`
	Samples int       `json:"samples"`
}

// leastSpread is below which nothing of a measure is worth an alarm: 1 US cent, 10 requests, …
func leastSpread(m storage.Measure) int64 {
	switch m {
	case storage.CostNano:
		return 10_000_000
	case storage.InputTokens, storage.OutputTokens:
		return 10_000
	default:
		return 10
	}
}

func (a *api) anomalies(ctx context.Context, in *anomalyQuery) (*one[UsageAnomalies], error) {
	m := measureOf(in.Measure)
	out := UsageAnomalies{To: a.Now().UTC().Truncate(time.Hour), Data: []UsageAnomaly{}}
	out.From = out.To.Add(-time.Duration(in.Hours) * time.Hour)
	first := out.From.AddDate(0, 0, -7*policy.AnomalyWeeks).Add(-time.Hour)
	q := usageAsk{Tally: ledger.Tally{UsageQuery: storage.UsageQuery{From: first, To: out.To, Per: storage.Hour, Where: in.filters(), Only: []storage.Measure{m}, Limit: mostSums + 1}}}
	if in.By != "" {
		q.By = []storage.Dimension{storage.Dimension(in.By)}
	}
	found, err := a.sums(ctx, &q)
	if err != nil {
		return nil, err
	}
	hours := int(out.To.Sub(first) / time.Hour)
	series := map[string][]int64{}
	for i := range found {
		s, name := &found[i], ""
		if in.By != "" {
			name = *q.By[0].Of(&s.Series)
		}
		if series[name] == nil {
			series[name] = make([]int64, hours)
		}
		if at := int(s.Start.Sub(first) / time.Hour); at >= 0 && at < hours {
			series[name][at] += s.Totals[m]
		}
	}
	for name, values := range series {
		h := policy.Hours{First: first, Values: values, Least: leastSpread(m)}
		strays, learning := h.Anomalies(in.Hours)
		out.Judged, out.Learning = out.Judged+in.Hours-learning, out.Learning+learning
		for i := range strays {
			out.Data = append(out.Data, showStray(m, name, &strays[i]))
		}
	}
	slices.SortFunc(out.Data, func(a, b UsageAnomaly) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), a.At.Compare(b.At), cmp.Compare(a.Of, b.Of))
	})
	return &one[UsageAnomalies]{Body: out}, nil
}

func showStray(m storage.Measure, of string, s *policy.Anomaly) UsageAnomaly {
	text := func(n int64) string {
		if m == storage.CostNano {
			return storage.FormatUSD(n)
		}
		return strconv.FormatInt(n, 10)
	}
	return UsageAnomaly{
		At: s.At, Of: of, Value: text(s.Value), Usual: text(s.Usual), High: s.Value > s.Usual,
		Score: math.Round(s.Score*10) / 10, Samples: s.Samples,
	}
}
