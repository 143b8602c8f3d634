package storage

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// keySettings are a key's settings as JSON, in the words of a key in the configuration.
type keySettings struct {
	Deny           []string                  `json:"deny,omitzero"`
	DenyModels     []string                  `json:"deny_models,omitzero"`
	AllowProviders []string                  `json:"allow_providers,omitzero"`
	DenyProviders  []string                  `json:"deny_providers,omitzero"`
	AllowAddresses Networks                  `json:"allow_addresses,omitzero"`
	Timeouts       keyTimeouts               `json:"timeouts,omitzero"`
	Defaults       map[string]jsontext.Value `json:"defaults,omitzero"`
	Force          map[string]jsontext.Value `json:"force,omitzero"`
	Priority       int                       `json:"priority,omitzero"`
	Sticky         string                    `json:"sticky,omitzero"`
	Cache          span                      `json:"cache,omitzero"`
	Store          span                      `json:"store,omitzero"`
	Bounds
	Payloads payloadSettings `json:"payloads,omitzero"`
}

type payloadSettings struct {
	Keep     span     `json:"keep,omitzero"`
	Spans    bool     `json:"spans,omitzero"`
	Request  bool     `json:"request,omitzero"`
	Response bool     `json:"response,omitzero"`
	MaxBytes int64    `json:"max_bytes,omitzero"`
	Redact   []string `json:"redact,omitzero"`
}

func payloadsSaid(s *PayloadSettings) payloadSettings {
	return payloadSettings{span(s.Keep), s.Spans, s.Request, s.Response, s.MaxBytes, s.Redact}
}

func (s *payloadSettings) settings() PayloadSettings {
	return PayloadSettings{time.Duration(s.Keep), s.Spans, s.Request, s.Response, s.MaxBytes, s.Redact}
}

type keyTimeouts struct {
	FirstByte  span `json:"first_byte,omitzero"`
	StreamIdle span `json:"stream_idle,omitzero"`
	Total      span `json:"total,omitzero"`
}

// span is a duration as the configuration writes it.
type span time.Duration

// MarshalText implements encoding.TextMarshaler.
func (s span) MarshalText() ([]byte, error) { return []byte(time.Duration(s).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *span) UnmarshalText(text []byte) error {
	d, err := ParseDuration(string(text))
	*s = span(d)
	return err
}

// Settings gives what narrows, sets and bounds the key's calls as a JSON object, in the words of
// the configuration; {} where there is nothing.
func (k *Key) Settings() ([]byte, error) {
	text, err := json.Marshal(keySettings{
		Deny: k.Deny, DenyModels: k.DenyModels, AllowProviders: k.AllowProviders, DenyProviders: k.DenyProviders, AllowAddresses: k.AllowAddresses,
		Timeouts: keyTimeouts{span(k.Timeouts.FirstByte), span(k.Timeouts.StreamIdle), span(k.Timeouts.Total)}, Defaults: fieldsOf(k.Parameters.Defaults), Force: fieldsOf(k.Parameters.Force),
		Priority: k.Priority, Sticky: k.Sticky, Cache: span(k.Cache), Store: span(k.Store), Bounds: k.Bounds,
		Payloads: payloadsSaid(&k.Payloads),
	}, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("key %q: settings: %w", k.Name, err)
	}
	return text, nil
}

// SetSettings takes what Settings gave. A setting that this release does not know is an error: the
// key may do less than it would do here.
func (k *Key) SetSettings(text []byte) error {
	var s keySettings
	if string(text) != "{}" { // as with most keys
		if err := json.Unmarshal(text, &s, json.RejectUnknownMembers(true)); err != nil {
			return fmt.Errorf("key %q: settings: %w", k.Name, err)
		}
	}
	k.Deny, k.DenyModels, k.AllowProviders, k.DenyProviders = s.Deny, s.DenyModels, s.AllowProviders, s.DenyProviders
	k.AllowAddresses = s.AllowAddresses
	k.Parameters = Parameters{Defaults: parametersOf(s.Defaults), Force: parametersOf(s.Force)}
	k.Timeouts = KeyTimeouts{time.Duration(s.Timeouts.FirstByte), time.Duration(s.Timeouts.StreamIdle), time.Duration(s.Timeouts.Total)}
	k.Priority, k.Sticky, k.Cache, k.Store = s.Priority, s.Sticky, time.Duration(s.Cache), time.Duration(s.Store)
	k.Bounds = s.Bounds
	k.Payloads = s.Payloads.settings()
	return nil
}

// bareKey is a key without its settings, and with no JSON of its own.
type bareKey Key

// keyFile is a key as a file has it.
type keyFile struct {
	Key      bareKey        `json:",inline"`
	Settings jsontext.Value `json:"settings"`
}

// MarshalJSON implements json.Marshaler: a key as a copy of a store has it, with its hash.
func (k Key) MarshalJSON() ([]byte, error) {
	settings, err := k.Settings()
	if err != nil {
		return nil, err
	}
	return json.Marshal(keyFile{bareKey(k), settings})
}

// UnmarshalJSON implements json.Unmarshaler.
func (k *Key) UnmarshalJSON(text []byte) error {
	file := keyFile{Settings: jsontext.Value("{}")}
	if err := json.Unmarshal(text, &file); err != nil {
		return err
	}
	*k = Key(file.Key)
	return k.SetSettings(file.Settings)
}

func fieldsOf(list []Parameter) map[string]jsontext.Value {
	if len(list) == 0 {
		return nil
	}
	fields := make(map[string]jsontext.Value, len(list))
	for _, p := range list {
		fields[p.Name] = p.Value
	}
	return fields
}

// parametersOf gives parameters in the order of their names.
func parametersOf(fields map[string]jsontext.Value) []Parameter {
	var list []Parameter
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		list = append(list, Parameter{Name: name, Value: bytes.Clone(fields[name])})
	}
	return list
}
