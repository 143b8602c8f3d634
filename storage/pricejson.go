package storage

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
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

// MarshalJSONTo writes {"tier","over", then the figures that are known, "images","min_seconds"}.
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
		if *f.Nano == nil || strings.HasPrefix(f.Name, ofImage) {
			continue
		}
		if err := writeFigure(enc, f.Name, **f.Nano); err != nil {
			return err
		}
	}
	if err := r.writeImages(enc); err != nil {
		return err
	}
	if r.MinSeconds != 0 {
		if err := errors.Join(enc.WriteToken(jsontext.String("min_seconds")), enc.WriteToken(jsontext.Int(r.MinSeconds))); err != nil {
			return err
		}
	}
	return enc.WriteToken(jsontext.EndObject)
}

func writeFigure(enc *jsontext.Encoder, name string, nano int64) error {
	if err := enc.WriteToken(jsontext.String(name)); err != nil {
		return err
	}
	return enc.WriteValue(appendFew(nil, nano))
}

func (r *Rate) writeImages(enc *jsontext.Encoder) error {
	if len(r.Variants) == 0 {
		return nil
	}
	if err := errors.Join(enc.WriteToken(jsontext.String("images")), enc.WriteToken(jsontext.BeginObject)); err != nil {
		return err
	}
	for i := range r.Variants {
		if v := &r.Variants[i]; v.Nano != nil {
			if err := writeFigure(enc, v.Name, *v.Nano); err != nil {
				return err
			}
		}
	}
	return enc.WriteToken(jsontext.EndObject)
}

// UnmarshalJSONFrom reads a rate. A null figure is not known, as one that is missing.
func (r *Rate) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*r = Rate{}
	return readMembers(dec, func(name string, value jsontext.Value) error {
		var err error
		switch name {
		case "tier":
			err = json.Unmarshal(value, &r.Tier)
		case "over":
			err = json.Unmarshal(value, &r.Over)
		case "min_seconds":
			err = json.Unmarshal(value, &r.MinSeconds)
		case "images":
			err = r.setImages(value)
		default:
			err = r.set(name, value)
		}
		if err != nil {
			return fmt.Errorf("rate: %s: %w", name, err)
		}
		return nil
	})
}

// readMembers has each member of an object set, as it comes; null is an object without any.
func readMembers(dec *jsontext.Decoder, set func(name string, value jsontext.Value) error) error {
	if opened, err := dec.ReadToken(); err != nil || opened.Kind() == 'n' {
		return err
	} else if opened.Kind() != '{' {
		return &json.SemanticError{JSONKind: opened.Kind()}
	}
	for dec.PeekKind() != '}' {
		token, err := dec.ReadToken()
		if err != nil {
			return err
		}
		name := token.String()
		value, err := dec.ReadValue()
		if err != nil {
			return err
		}
		if err := set(name, value); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

func (r *Rate) setImages(value jsontext.Value) error {
	return readMembers(jsontext.NewDecoder(bytes.NewReader(value)), func(name string, value jsontext.Value) error {
		if err := r.set(ofImage+name, value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
}

func (r *Rate) set(name string, value jsontext.Value) error {
	if value.Kind() == 'n' && r.Figure(name) != nil {
		return nil
	}
	text, err := decimalText(value)
	if err != nil {
		return err
	}
	return r.Say(name, text)
}

// Say sets the figure of a name to a decimal number of USD. "second" is hour_in by the second, as
// releases before this one said it.
func (r *Rate) Say(name, text string) error {
	var nano int64
	var err error
	if name == "second" {
		name = "hour_in"
		nano, err = parseHour(text)
	} else {
		nano, err = ParseUSD(text)
	}
	if err != nil {
		return err
	}
	if !r.Set(name, &nano) {
		return fmt.Errorf("no such figure")
	}
	return nil
}

// parseHour reads USD a second as nano-USD an hour.
func parseHour(text string) (int64, error) {
	const second, seconds, most = 15, 3600, 1_000_000
	n, exact, err := ParseDecimal(text, second)
	switch {
	case err != nil:
		return 0, err
	case !exact:
		return 0, fmt.Errorf("%q has more than %d decimals", text, second)
	case n > math.MaxInt64/seconds-most || n < 0:
		return 0, fmt.Errorf("%q is out of range", text)
	}
	return (n*seconds + most/2) / most, nil
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
