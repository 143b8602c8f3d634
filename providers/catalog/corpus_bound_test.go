package catalog_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/catalog"
)

// No recorded reply was billed for more input than its request's bound. Left out are requests
// whose media the corpus has shortened, and those that have no bound and are told so.
func TestCorpus_inputBound(t *testing.T) {
	folder := corpusFolder(t)
	for _, file := range []string{"openai", "azure", "anthropic", "gemini", "vertex", "groq", "huggingface", otherVendors} {
		t.Run(file, func(t *testing.T) {
			held, open := 0, map[string]int{}
			nearest, name := int64(1<<40), ""
			eachLine(t, folder, file, func(line []byte) {
				b := billedOf(t, line)
				if b == nil {
					return
				}
				tokens, reach := catalog.AllowanceFor(b.vendor(file), b.Model).Input(b.request)
				if reach != catalog.InputBounded {
					open[[]string{"", "by its context", "by nothing"}[reach]]++
					return
				}
				held++
				if left := tokens - b.tokens; left < nearest {
					nearest, name = left, b.ID
				}
				if b.tokens > tokens {
					t.Errorf("%s (%s): billed %d, bound %d, body %d bytes", b.ID, b.Model, b.tokens, tokens, len(b.request))
				}
			})
			t.Logf("%d replies within their bound, the nearest %d tokens (%s)", held, nearest, name)
			for _, why := range slices.Sorted(maps.Keys(open)) {
				t.Logf("%d bounded %s", open[why], why)
			}
			if held < 5 {
				t.Errorf("only %d replies", held)
			}
		})
	}
}

// billed is a recorded exchange whose request and whose bill are known.
type billed struct {
	record
	request []byte
	tokens  int64
}

// billedOf reads a line; nil where one of the two is missing, or the request is not what was sent.
func billedOf(t *testing.T, line []byte) *billed {
	t.Helper()
	o := gjson.ParseBytes(line)
	b := &billed{record: record{
		ID: o.Get("id").Str, Provider: o.Get("provider").Str, Kind: o.Get("kind").Str, Model: o.Get("model").Str,
		Status: int(o.Get("status").Int()), Body: []byte(o.Get("response_body").Raw),
	}}
	d := dialectOf(&b.record)
	request := o.Get("request_body")
	if d == nil || b.Kind == "embeddings" || b.Status != 200 || !request.IsObject() || shortened(o) {
		return nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(request.Raw)); err != nil {
		t.Fatal(err)
	}
	b.request = compact.Bytes()
	body, stream := b.wire(t)
	frames := []string{string(body)}
	if stream {
		frames = framesOf(t, bytes.NewReader(body))
	}
	var usage providers.Usage
	for _, frame := range frames {
		if seen := d.Observe([]byte(frame)); seen.HasUsage {
			usage.Merge(seen.Usage)
		}
	}
	b.tokens = usage.Total().Input()
	if b.tokens == 0 {
		return nil
	}
	return b
}

// shortened reports a record whose media are not those that were billed.
func shortened(o gjson.Result) bool {
	for _, e := range o.Get("edited").Array() {
		if strings.Contains(e.Str, "base64") {
			return true
		}
	}
	return false
}

// vendor is the provider under our name; who hosts a model adds what its owner does.
func (b *billed) vendor(file string) string {
	switch {
	case file == "azure" && strings.HasPrefix(b.Model, "grok"):
		return "xai"
	case file == "azure":
		return "openai"
	case file == "vertex" && b.Kind == "messages":
		return "anthropic"
	case file == "vertex":
		return "gemini"
	}
	return vendor(file, &b.record)
}
