package openai

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// stringOrList is one string or a list of them.
type stringOrList []string

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (s *stringOrList) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	switch dec.PeekKind() {
	case '"':
		var one string
		if err := json.UnmarshalDecode(dec, &one); err != nil {
			return err
		}
		*s = stringOrList{one}
		return nil
	case '[':
		return json.UnmarshalDecode(dec, (*[]string)(s))
	}
	return want(dec, "one of a string or array of strings")
}

// stringOrObject reads an object, or the bare text that stands for one of its members; null is
// neither.
func stringOrObject[T any](dec *jsontext.Decoder, text *string, object *T) error {
	switch dec.PeekKind() {
	case 'n':
		return dec.SkipValue()
	case '"':
		return json.UnmarshalDecode(dec, text)
	case '{':
		return json.UnmarshalDecode(dec, object)
	}
	return want(dec, "an object")
}

// looseString is a string where clients or upstreams may write something else, which then
// counts as absent.
type looseString string

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (s *looseString) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() == '"' {
		return json.UnmarshalDecode(dec, (*string)(s))
	}
	return dec.SkipValue()
}

// member is one member of an object, its value raw.
type member struct {
	name  string
	value jsontext.Value
}

// members is an object whose order matters.
type members []member

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (m *members) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != '{' {
		return want(dec, "an object")
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		key := name.String()
		value, err := dec.ReadValue()
		if err != nil {
			return err
		}
		*m = append(*m, member{key, value.Clone()})
	}
	_, err := dec.ReadToken()
	return err
}

// kindOf gives the kind of a JSON value by its first byte.
func kindOf(first byte) jsontext.Kind {
	if first == '-' || first >= '0' && first <= '9' {
		return '0'
	}
	return jsontext.Kind(first)
}
