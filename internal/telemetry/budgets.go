package telemetry

import "github.com/prometheus/client_golang/prometheus"

// Budget is how a budget stands now, in US dollars.
type Budget struct {
	Scope, Per             string // as the configuration names them: key/ci, month
	Limit, Spent, Reserved float64
}

// budgets asks for the budgets at each scrape. Labels are bounded by whoever lists them.
type budgets struct {
	list                       func() []Budget
	remaining, spent, reserved *prometheus.Desc
}

func newBudgets(list func() []Budget) *budgets {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, []string{"scope", "per"}, nil)
	}
	return &budgets{
		list:      list,
		remaining: desc("aistrale_budget_remaining_usd", "What a budget still pays for in its span: the limit without what was spent and what is reserved."),
		spent:     desc("aistrale_budget_spent_usd", "What was spent of a budget in its span."),
		reserved:  desc("aistrale_budget_reserved_usd", "What requests under way have reserved of a budget."),
	}
}

// Describe implements prometheus.Collector.
func (b *budgets) Describe(to chan<- *prometheus.Desc) {
	to <- b.remaining
	to <- b.spent
	to <- b.reserved
}

// Collect implements prometheus.Collector.
func (b *budgets) Collect(to chan<- prometheus.Metric) {
	if b.list == nil {
		return
	}
	for _, one := range b.list() {
		for _, m := range []struct {
			desc  *prometheus.Desc
			value float64
		}{{b.remaining, one.Limit - one.Spent - one.Reserved}, {b.spent, one.Spent}, {b.reserved, one.Reserved}} {
			to <- prometheus.MustNewConstMetric(m.desc, prometheus.GaugeValue, m.value, one.Scope, one.Per)
		}
	}
}
