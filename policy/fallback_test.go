package policy

import (
	"testing"

	"github.com/aistrale/aistrale/providers"
)

func TestReasonOf(t *testing.T) {
	f := func(fault providers.Fault, want Reason, moves bool) {
		t.Helper()
		got := ReasonOf(&fault)
		if got != want || Reasons(0).Has(got) != moves {
			t.Errorf("%+v: %s, moves on: %v", fault, got, Reasons(0).Has(got))
		}
	}
	upstream := providers.FaultUpstreamRejected
	f(providers.Fault{Kind: upstream, Status: 429}, ReasonRateLimited, true)
	f(providers.Fault{Kind: upstream, Status: 429, Code: "insufficient_quota"}, ReasonAuth, true)
	f(providers.Fault{Kind: upstream, Status: 402}, ReasonAuth, true)
	f(providers.Fault{Kind: upstream, Status: 404}, ReasonNotFound, true)
	f(providers.Fault{Kind: upstream, Status: 408}, ReasonTimeout, true)
	f(providers.Fault{Kind: upstream, Status: 400, Code: "context_length_exceeded"}, ReasonContextLength, true)
	f(providers.Fault{Kind: upstream, Status: 400, Code: "content_policy_violation"}, ReasonContentFilter, false)
	f(providers.Fault{Kind: upstream, Status: 409, Retryable: true}, ReasonError, true)
	f(providers.Fault{Kind: upstream, Status: 400}, ReasonNone, false)
	f(providers.Fault{Kind: providers.FaultUpstream}, ReasonError, true)
	f(providers.Fault{Kind: providers.FaultOverloaded}, ReasonOverloaded, true)
	f(providers.Fault{Kind: providers.FaultUpstreamTimeout}, ReasonTimeout, true)
	f(providers.Fault{Kind: providers.FaultProviderAuth}, ReasonAuth, true)
	f(providers.Fault{Kind: providers.FaultInvalid}, ReasonNone, false)
	f(providers.Fault{Kind: providers.FaultClientGone}, ReasonNone, false)
	f(providers.Fault{Kind: providers.FaultQuota}, ReasonNone, false)
}

func TestParseReasons(t *testing.T) {
	set, err := ParseReasons([]string{"timeout", "content_filter"})
	if err != nil || !set.Has(ReasonTimeout) || !set.Has(ReasonContentFilter) || set.Has(ReasonError) || set.Has(ReasonNone) {
		t.Errorf("%b, %v", set, err)
	}
	for r := ReasonRateLimited; r <= ReasonError; r++ {
		if set, err := ParseReasons([]string{r.String()}); err != nil || set != 1<<r {
			t.Errorf("%s: %b, %v", r, set, err)
		}
	}
	for _, name := range []string{"", "none", "Timeout", "everything"} {
		if _, err := ParseReasons([]string{name}); err == nil {
			t.Errorf("%q is taken for a reason", name)
		}
	}
}
