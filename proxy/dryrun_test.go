package proxy

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// readOnly are counters of which a dry run may only read: wherever they are kept, nothing changes.
type readOnly struct {
	policy.Counters
	t *testing.T
}

func (c readOnly) Take(context.Context, *policy.Ask) (policy.Verdict, error) {
	c.t.Error("a dry run took something")
	return policy.Verdict{}, context.Canceled
}

func (c readOnly) Extend(context.Context, *policy.Grant, int64) (bool, error) {
	c.t.Error("a dry run extended a lease")
	return false, nil
}

func (c readOnly) Settle(*policy.Grant, policy.Spent) { c.t.Error("a dry run settled something") }

// dryAsk sends a dry run and gives its plan.
func (g *testGateway) dryAsk(t *testing.T, key int, body string, headers ...string) (int, dryRun) {
	t.Helper()
	status, h, text := g.as(t, key, body, append([]string{"x-aistrale-dry-run", "true"}, headers...)...)
	var said dryRun
	if err := json.Unmarshal([]byte(text), &said); err != nil {
		t.Fatalf("%d %s: %v", status, text, err)
	}
	if said.Object != "dry_run" || said.ID != h.Get("x-request-id") || said.Status != status {
		t.Errorf("%d %+v", status, said)
	}
	return status, said
}

func TestDryRun_SpendsNothing(t *testing.T) {
	up := newStage(t, well, well)
	kept := &pages{}
	meter := policy.NewMeter(policy.MeterOptions{})
	limits := []storage.Limit{{Scope: everyKey, RequestsPerMinute: 5, TokensPerMinute: 100_000, Concurrent: 2}}
	counters := func(o *Options, _ *Snapshot) { o.Journal, o.Counters = kept, readOnly{meter, t} }
	g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m", "two/m")}, []*Account{up.account(t, "one", "secret-name"), up.account(t, "two", "")},
		counters, limited(t, limits, dollars(1e9)))
	for range 20 { // far more than the rate allows
		status, said := g.dryAsk(t, 0, itWhole, "x-aistrale-tags", "night")
		if status != 200 || !said.Admitted || said.Error != nil || said.Key.Name != "test0" || said.Operation != "chat" || !said.Model.Alias {
			t.Fatalf("%d %+v", status, said)
		}
		if p := said.Place; p == nil || p.Provider != "one" || p.Model != "m" || !p.Exact || p.UpperUSD == nil || *p.UpperUSD == "0" || p.PriceID != "one" || p.InputBound == 0 {
			t.Fatalf("place %+v", p)
		}
		if c := said.Candidates; len(c) != 2 || c[0].Fate != storage.FateNext || c[0].Credential != "" || c[1].Fate != storage.FateSpare {
			t.Fatalf("candidates %+v", c)
		}
		if len(said.Limits) != 3 || *said.Limits[0].Left != 5 || *said.Limits[0].Takes != 1 || *said.Limits[2].Left != 2 {
			t.Fatalf("limits %+v", said.Limits)
		}
		if b := said.Budgets; len(b) != 1 || *b[0].Spent != "0" || *b[0].Reserved != "0" || *b[0].Left != "1" || *b[0].Takes != *said.Place.UpperUSD {
			t.Fatalf("budgets %+v", b)
		}
		if rec := g.records.next(t); rec.Outcome != storage.OutcomeDryRun || len(rec.Attempts) != 0 || len(rec.Usage.Lines) != 0 || rec.CostText() != "0.00" {
			t.Fatalf("record %+v", rec)
		}
	}
	if up.calls.Load() != 0 || len(kept.take()) != 0 {
		t.Errorf("%d calls were made", up.calls.Load())
	}
}

// A dry run says what the call would be refused with, and the plan up to there.
func TestDryRun_Refused(t *testing.T) {
	up := newStage(t, well, well)
	three := &policy.Alias{Targets: targetsOf("one/m", "two/m", "three/m")}
	accounts := func() []*Account {
		return []*Account{up.account(t, "one", ""), up.account(t, "two", ""), up.account(t, "three", "")}
	}
	f := func(change setting, before func(*testGateway), body, status, code, plan string) {
		t.Helper()
		g := newStagedGateway(t, three, accounts(), change)
		if before != nil {
			before(g)
		}
		got, said := g.dryAsk(t, 0, body)
		var fates []string
		for _, c := range said.Candidates {
			fates = append(fates, c.Provider+" "+string(c.Fate))
		}
		if said.Error == nil {
			said.Error = &dryFault{}
		}
		if http.StatusText(got) != status || said.Error.Code != code || strings.Join(fates, ", ") != plan || said.Admitted != (code == "") || (said.Place == nil) != (code != "") {
			t.Errorf("%d %q, %q; want %s %q, %q: %s", got, said.Error.Code, fates, status, code, plan, said.Error.Message)
		}
		real, _, text := g.as(t, 0, body) // the call itself is answered alike
		if real != got {
			t.Errorf("the dry run says %d, the call is answered %d %s", got, real, text)
		}
	}
	nothing := func(*Options, *Snapshot) {}
	key := func(set func(*storage.Key)) setting {
		return func(_ *Options, s *Snapshot) {
			k, err := storage.KeyOf("test0", keyNumber(0))
			if err != nil {
				t.Fatal(err)
			}
			set(&k)
			s.Keys = policy.NewKeyring([]storage.Key{k})
		}
	}
	cool := func(g *testGateway) {
		g.options.Health.Circuit(policy.Place{Provider: "one", Model: "m"}, &testBreaker).Cool(time.Now().Add(time.Hour))
	}
	f(nothing, cool, itWhole, "OK", "", "one cooling, two next, three spare")
	f(func(_ *Options, s *Snapshot) { s.Regions = policy.Regions{storage.DefaultWorkspace: {"eu"}} }, nil, itWhole,
		"Forbidden", "forbidden", "one region, two region, three region")
	f(func(_ *Options, s *Snapshot) {
		s.Regions = policy.Regions{storage.DefaultWorkspace: {"eu"}}
		s.Accounts["two"][0].Region = "eu"
	}, nil, itWhole, "OK", "", "one region, three region, two next")
	f(key(func(k *storage.Key) { k.Models, k.DenyModels = []string{"*"}, []string{"one/*"} }), nil, itWhole, "OK", "", "one not_allowed, two next, three spare")
	f(key(func(k *storage.Key) { k.Models = []string{"other"} }), nil, itWhole, "Forbidden", "model_not_found", "")
	f(nothing, nil, `{"model":"none","messages":[]}`, "Not Found", "model_not_found", "")
	f(nothing, nil, `{"model":`, "Bad Request", "invalid_request", "")
	f(limited(t, nil, dollars(1)), nil, itWhole, "Forbidden", "unpriced_model", "one refused, two refused, three refused") // the third has no price
	f(limited(t, []storage.Limit{{Scope: everyKey, TokensPerMinute: 1}}), nil, itWhole, "Too Many Requests", "token_rate", "one refused, two given_up, three given_up")
}

func TestDryRun_TouchesNoObject(t *testing.T) {
	up := newStage(t, well, well)
	g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m")}, []*Account{up.account(t, "one", "")})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, g.url+"/v1/files/file-1", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("authorization", "Bearer "+keyNumber(0))
	req.Header.Set("x-aistrale-dry-run", "true")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("status %d", resp.StatusCode)
	}
	if status, _, _ := g.post(t, itWhole, "x-aistrale-dry-run", "true", "authorization", "Bearer nobody"); status != http.StatusUnauthorized {
		t.Errorf("a dry run of nobody's: %d", status)
	}
}
