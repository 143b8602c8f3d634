package catalog_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/providers/openai"
)

// costs counts what became of the replies of one provider.
type costs struct {
	replies, priced, estimated int
	told, toldPriced           int            // of those with usage
	ours, oursPriced           int            // of those, of providers that the catalogue knows
	known, knownPriced         int            // of those, of models that the catalogue still knows
	reasons                    map[string]int // why not
	models                     map[string]int // that have no price
}

// Every recorded reply gets a cost, or a reason why it has none.
func TestCorpus_costs(t *testing.T) {
	folder, book := corpusFolder(t), policy.NewPriceBook(catalog.Prices())
	for _, name := range corpusFiles {
		t.Run(name, func(t *testing.T) {
			c := &costs{reasons: map[string]int{}, models: map[string]int{}}
			eachRecord(t, folder, name, func(r *record) {
				if d := dialectOf(r); d != nil && r.Status == 200 {
					c.add(t, book, name, r, d)
				}
			})
			c.report(t, name)
		})
	}
}

func dialectOf(r *record) providers.Dialect {
	if tongue := tongueOf(r); tongue != nil {
		return tongue.dialect
	}
	if r.Kind == "completions" || r.Kind == "embeddings" && r.Provider != "gemini" && bytes.HasPrefix(bytes.TrimSpace(r.Body), []byte("{")) {
		return openai.Dialect{}
	}
	return nil
}

func (c *costs) add(t *testing.T, book *policy.PriceBook, name string, r *record, d providers.Dialect) {
	t.Helper()
	body, stream := r.wire(t)
	frames := []string{string(body)}
	if stream {
		frames = framesOf(t, bytes.NewReader(body))
	}
	var usage providers.Usage
	end := policy.Ending{Usage: &usage, Sent: true, Status: 200, Stream: stream, Whole: true}
	for _, frame := range frames {
		seen := d.Observe([]byte(frame))
		end.Content += int64(seen.Content)
		if seen.HasUsage {
			usage.Merge(seen.Usage)
		}
		if seen.Fault != nil {
			return // no reply
		}
	}
	lines, estimated := policy.Settle(nil, end)
	model := calledModel(r, frames[0])
	got := book.Charge(policy.Called{
		Provider: vendor(name, r), Model: model, Time: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Estimated: estimated,
	}, lines)

	c.replies++
	switch {
	case got.Known() && got.CostNano < 0, !got.Known() && got.CostNano != 0, got.Known() && got.PriceID == "":
		t.Errorf("%s: %+v", r.ID, got)
	case got.Known():
		c.priced++
	case !named(got.Unpriced):
		t.Errorf("%s: %q is no reason that is known", r.ID, got.Unpriced)
	default:
		c.reasons[got.Unpriced]++
		c.models[fmt.Sprintf("%s/%s: %s", vendor(name, r), model, got.Unpriced)]++
	}
	if estimated {
		c.estimated++
	}
	if len(usage.Lines) == 0 {
		return
	}
	known, priced := 0, 0
	if catalog.Capabilities(vendor(name, r), model).Known {
		known = 1
	} else if name != otherVendors && !got.Known() && got.Unpriced != policy.UnpricedModel {
		t.Errorf("%s: nothing is known of %s, but %q", r.ID, model, got.Unpriced)
	}
	if got.Known() {
		priced = 1
	}
	c.told, c.toldPriced = c.told+1, c.toldPriced+priced
	if slices.Contains(catalog.Names(), vendor(name, r)) {
		c.ours, c.oursPriced = c.ours+1, c.oursPriced+priced
	}
	c.known, c.knownPriced = c.known+known, c.knownPriced+known*priced
}

// calledModel is the model that was called; where the source of a record did not keep it, the
// one that answered.
func calledModel(r *record, frame string) string {
	if r.Model != "" && r.Model != "gemini" {
		return r.Model
	}
	for _, path := range []string{"model", "message.model", "modelVersion"} {
		if m := gjson.Get(frame, path); m.Str != "" {
			return m.Str
		}
	}
	return r.Model
}

// vendor is the provider under our name.
func vendor(name string, r *record) string {
	if name == otherVendors {
		return r.Provider
	}
	return name
}

func named(reason string) bool {
	return slices.Contains([]string{
		policy.UnpricedModel, policy.UnpricedInput, policy.UnpricedOutput, policy.UnpricedCacheWrite1h,
		policy.UnpricedImage, policy.UnpricedSearch, policy.UnpricedTier,
	}, reason) || strings.HasPrefix(reason, "no price for tier ")
}

func (c *costs) report(t *testing.T, name string) {
	t.Helper()
	t.Logf("%d replies, %d have a cost, %d by estimate", c.replies, c.priced, c.estimated)
	t.Logf("%d with usage, %d have a cost; %d of models that are known, %d have a cost", c.told, c.toldPriced, c.known, c.knownPriced)
	for _, reason := range slices.Sorted(maps.Keys(c.reasons)) {
		t.Logf("%6d %s", c.reasons[reason], reason)
	}
	for _, model := range slices.Sorted(maps.Keys(c.models)) {
		t.Logf("%12d %s", c.models[model], model)
	}
	if c.replies < 5 {
		t.Errorf("only %d replies", c.replies)
	}
	if name == "huggingface" {
		return // charged by whom its router picks
	}
	// Recordings are years old, and some of their models are withdrawn.
	if c.knownPriced*100 < c.known*95 || c.oursPriced*100 < c.ours*85 {
		t.Errorf("too few of them have a cost: %d of %d", c.oursPriced, c.ours)
	}
}
