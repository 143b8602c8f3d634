package gemini

import (
	"fmt"
	"math"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// ask reads what the road needs to know of a request. The model, and whether it is a stream,
// stand in the path.
func ask(doc *providers.Document) (a providers.Asked, err error) {
	config, err := readConfig(doc)
	if err != nil {
		return a, err
	}
	a.MaxOutput = config.most
	if tier, err := member(doc, "serviceTier"); err != nil {
		return a, err
	} else if tier.found() {
		a.Tier, _, err = doc.String(tier.name)
		if err != nil {
			return a, err
		}
	}
	a.Metadata = doc.Value("labels")
	return a, nil
}

// spelt is a member of an object in one of the two spellings that the API takes.
type spelt struct {
	name  string
	value []byte
}

func (s *spelt) found() bool { return len(s.value) > 0 && s.value[0] != 'n' }

// member finds a member by its name in JSON, or in the protobuf. Both at once are two values for
// one field, of which nobody knows which counts.
func member(doc *providers.Document, camel string) (spelt, error) {
	out := spelt{camel, doc.Value(camel)}
	if other := snake(camel); other != camel {
		if value := doc.Value(other); value != nil {
			if out.value != nil {
				return out, providers.Invalid(camel, fmt.Sprintf("the request body has the members %q and %q, which are one", camel, other))
			}
			out = spelt{other, value}
		}
	}
	return out, nil
}

// config is generationConfig as far as it bounds a call.
type config struct {
	at      spelt
	doc     providers.Document // of it
	limit   spelt              // maxOutputTokens
	most    int64              // 0 is none
	choices int64              // 0 is not said
}

func readConfig(doc *providers.Document) (*config, error) {
	c := &config{}
	var err error
	if c.at, err = member(doc, "generationConfig"); err != nil || !c.at.found() {
		return c, err
	}
	if c.at.value[0] != '{' {
		return c, wrong(c.at.name, "an object")
	}
	if err := c.doc.Scan(c.at.value, nil); err != nil {
		return c, err
	}
	if c.limit, err = member(&c.doc, "maxOutputTokens"); err != nil {
		return c, err
	}
	if c.most, err = bounding(&c.limit, c.at.name); err != nil {
		return c, err
	}
	count, err := member(&c.doc, "candidateCount")
	if err != nil {
		return c, err
	}
	c.choices, err = bounding(&count, c.at.name)
	return c, err
}

func bounding(s *spelt, at string) (int64, error) {
	if !s.found() {
		return 0, nil
	}
	n, err := integer(gjson.ParseBytes(s.value), at+"."+s.name)
	return max(0, n), err
}

// integer reads a whole number as protobuf's JSON takes it: a number in any spelling, or one in
// a string.
func integer(v gjson.Result, path string) (int64, error) {
	text := v.Raw
	if v.Type == gjson.String {
		text = v.Str
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, wrong(path, "a whole number")
	}
	return int64(f), nil
}

// wrong refuses a value of the wrong type in words like the API's own.
func wrong(path, want string) *providers.Fault {
	return providers.Invalid(path, fmt.Sprintf("Invalid value at '%s': expected %s.", path, want))
}
