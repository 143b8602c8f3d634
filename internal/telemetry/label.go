package telemetry

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// Label is a label of a metric. Its values are Values, or are named by what From says.
type Label struct {
	Name   string
	Values []string
	From   Source
}

// Source is who names the values of a label. None is a client's free text.
type Source string

// The sources of labels' values.
const (
	FromProviders   Source = "configured providers, or `none`, or `other`"
	FromModels      Source = "models that the configuration or the catalogue names, or `other`"
	FromCredentials Source = "names of credentials, with their workspace where it is not the default"
	FromStatuses    Source = "statuses of HTTP, or `other`"
	FromBudgets     Source = "budgets of money in the configuration, at most 200"
	FromTenants     Source = "names of workspaces and projects, or `none`, or `other`"
	FromBuild       Source = "the build that runs"
)

// operations are the values of a label for operations.
func operations() []string {
	unknown := providers.Op(0).String()
	all := []string{unknown}
	for op := providers.Op(1); op.String() != unknown; op++ {
		all = append(all, op.String())
	}
	return all
}

func outcomes() []string {
	all := []string{other}
	for _, o := range []storage.Outcome{
		storage.OutcomeOK, storage.OutcomeRefused, storage.OutcomeUpstreamError, storage.OutcomeBrokenStream, storage.OutcomeTimeout, storage.OutcomeClientGone,
		storage.OutcomePanic, storage.OutcomeHedged, storage.OutcomeLost, storage.OutcomeDryRun, storage.OutcomeCached,
	} {
		all = append(all, string(o))
	}
	return all
}

// failures are the outcomes that error_type tells; "" is a request that was served.
func failures() []string {
	return slices.DeleteFunc(append(outcomes(), ""), func(o string) bool {
		return o == string(storage.OutcomeOK) || o == string(storage.OutcomeCached)
	})
}

// tokenKinds are the kinds that each token is of one of.
var tokenKinds = [...]string{"input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning"}

// kinds counts tokens as tokenKinds names them.
func kinds(n *providers.Normal) [len(tokenKinds)]int64 {
	reasoning := min(n.Reasoning, n.Output)
	return [...]int64{n.InputUncached, n.CacheRead, n.CacheWrite5m, n.CacheWrite1h, n.Output - reasoning, reasoning}
}

// unitNames are what is billed beside tokens.
var unitNames = [...]string{"images", "searches", "characters", "audio_in_seconds", "audio_out_seconds"}

func units(n *providers.Normal) [len(unitNames)]float64 {
	return [...]float64{float64(n.Images), float64(n.Searches), float64(n.Characters), float64(n.AudioInMs) / 1000, float64(n.AudioOutMs) / 1000}
}

func limitNames() []string {
	var all []string
	for k := range storage.LimitKinds {
		all = append(all, k.String())
	}
	return all
}

// statusLabel takes the statuses that HTTP has, and those that providers and proxies have made up.
func statusLabel(status int) string {
	if http.StatusText(status) == "" && status != statusClientGone && status != statusOverloaded {
		return other
	}
	return strconv.Itoa(status)
}

const (
	statusClientGone = 499
	statusOverloaded = 529
)

// statuses are all values of such a label.
func statuses() []string {
	all := []string{other}
	for status := range 600 {
		if label := statusLabel(status); label != other {
			all = append(all, label)
		}
	}
	return all
}
