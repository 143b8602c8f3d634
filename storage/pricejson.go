package storage

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// priceJSON is a price as files and stores keep it. Figures are dollars, for a million tokens or
// each, as JSON numbers or strings.
type priceJSON struct {
	ID       string            `json:"id,omitzero"` // where it is missing, it is made of the content
	Provider string            `json:"provider"`
	Model    string            `json:"model"`
	From     string            `json:"from,omitzero"` // a day, or a time; missing: always
	Rates    []Rate            `json:"rates,omitempty"`
	Regions  map[string]factor `json:"regions,omitempty"`
	Source   string            `json:"source,omitzero"`
	Checked  string            `json:"checked,omitzero"`
}

// MarshalJSONTo writes the price as files and stores keep it.
func (p Price) MarshalJSONTo(enc *jsontext.Encoder) error {
	out := priceJSON{
		ID: p.ID, Provider: p.Provider, Model: p.Model, From: formatFrom(p.From), Rates: p.Rates,
		Source: p.Source, Checked: p.Checked,
	}
	for region, thousandths := range p.Regions {
		if out.Regions == nil {
			out.Regions = map[string]factor{}
		}
		out.Regions[region] = factor(thousandths)
	}
	return json.MarshalEncode(enc, out, json.Deterministic(true))
}

// UnmarshalJSONFrom reads it. A member that it does not know is an error: a figure that is
// passed over would be charged too little.
func (p *Price) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	var in priceJSON
	if err := json.UnmarshalDecode(dec, &in, json.RejectUnknownMembers(true)); err != nil {
		return err
	}
	from, err := ParseFrom(in.From)
	if err != nil {
		return fmt.Errorf("price of %s/%s: %w", in.Provider, in.Model, err)
	}
	*p = Price{ID: in.ID, Provider: in.Provider, Model: in.Model, From: from, Rates: in.Rates, Source: in.Source, Checked: in.Checked}
	for region, thousandths := range in.Regions {
		if p.Regions == nil {
			p.Regions = map[string]int64{}
		}
		p.Regions[region] = int64(thousandths)
	}
	if p.ID == "" {
		p.ID = p.MakeID()
	}
	return nil
}

// ParseFrom reads the time that a price holds from: a day (2026-07-02, from its midnight in
// UTC), or a time in RFC 3339; "" is always.
func ParseFrom(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range [...]string{time.DateOnly, time.RFC3339Nano} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("from %q is no date like 2026-07-02", text)
}

func formatFrom(t time.Time) string {
	switch t = t.UTC(); {
	case t.IsZero():
		return ""
	case t.Equal(t.Truncate(24 * time.Hour)):
		return t.Format(time.DateOnly)
	}
	return t.Format(time.RFC3339Nano)
}

// MarshalJSONTo writes {"tier","over", then the figures that are known}.
func (r Rate) MarshalJSONTo(enc *jsontext.Encoder) error {
	tokens := []jsontext.Token{jsontext.BeginObject}
	if r.Tier != "" {
		tokens = append(tokens, jsontext.String("tier"), jsontext.String(r.Tier))
	}
	if r.Over != 0 {
		tokens = append(tokens, jsontext.String("over"), jsontext.Int(r.Over))
	}
	for _, t := range tokens {
		if err := enc.WriteToken(t); err != nil {
			return err
		}
	}
	for _, f := range r.Figures() {
		if *f.Nano == nil {
			continue
		}
		if err := enc.WriteToken(jsontext.String(f.Name)); err != nil {
			return err
		}
		if err := enc.WriteValue(appendFew(nil, **f.Nano)); err != nil {
			return err
		}
	}
	return enc.WriteToken(jsontext.EndObject)
}

// UnmarshalJSONFrom reads a rate. A null figure is not known, as one that is missing.
func (r *Rate) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	var members map[string]jsontext.Value
	if err := json.UnmarshalDecode(dec, &members); err != nil {
		return err
	}
	*r = Rate{}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		value := members[name]
		var err error
		switch name {
		case "tier":
			err = json.Unmarshal(value, &r.Tier)
		case "over":
			err = json.Unmarshal(value, &r.Over)
		default:
			err = r.set(name, value)
		}
		if err != nil {
			return fmt.Errorf("rate: %s: %w", name, err)
		}
	}
	return nil
}

func (r *Rate) set(name string, value jsontext.Value) error {
	figure := r.Figure(name)
	if figure == nil {
		return fmt.Errorf("no such figure")
	}
	if value.Kind() == 'n' {
		return nil
	}
	text, err := decimalText(value)
	if err != nil {
		return err
	}
	nano, err := ParseUSD(text)
	if err != nil {
		return err
	}
	*figure = &nano
	return nil
}

// decimalText is the text of a JSON number, or of a string that holds one.
func decimalText(value jsontext.Value) (string, error) {
	if value.Kind() != '"' {
		return string(value), nil
	}
	text, err := jsontext.AppendUnquote(nil, value)
	return string(text), err
}

// factor is a number of thousandths.
type factor int64

func (f factor) MarshalJSONTo(enc *jsontext.Encoder) error {
	return enc.WriteValue(appendFew(nil, int64(f)*1_000_000))
}

func (f *factor) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	value, err := dec.ReadValue()
	if err != nil {
		return err
	}
	text, err := decimalText(value)
	if err != nil {
		return err
	}
	n, exact, err := ParseDecimal(text, 3)
	if err == nil && !exact {
		err = fmt.Errorf("the factor %s has more than three decimals", text)
	}
	*f = factor(n)
	return err
}
