package admin

import (
	"cmp"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/storage"
)

// PayloadRule says what is kept of what a project's calls ask and are answered, in the words of a
// key's setting payloads.
type PayloadRule struct {
	Keep     string   `json:"keep,omitempty" maxLength:"32" example:"720h" doc:"For how long; none: nothing is kept"`
	Spans    bool     `json:"spans,omitempty" doc:"Traces have it too, where tracing.content is set"`
	Request  bool     `json:"request,omitempty"`
	Response bool     `json:"response,omitempty"`
	MaxBytes int64    `json:"max_bytes,omitempty" minimum:"0" doc:"Of each of the two, once it is redacted; 0: 64 KiB"`
	Redact   []string `json:"redact,omitzero" nullable:"false" maxItems:"64" doc:"Names of rules; absent: all built-in ones; an empty list: none"`
}

func (p PayloadRule) settings() (storage.PayloadSettings, error) {
	keep, err := storage.ParseDuration(cmp.Or(p.Keep, "0"))
	if err != nil {
		return storage.PayloadSettings{}, fmt.Errorf("payloads: keep: %q is not a duration such as 720h or 30d", p.Keep)
	}
	return storage.PayloadSettings{Keep: keep, Spans: p.Spans, Request: p.Request, Response: p.Response, MaxBytes: p.MaxBytes, Redact: p.Redact}, nil
}

func (s ProjectSettings) payloads() PayloadRule { return s.Payloads }

func (s WorkspaceSettings) payloads() PayloadRule { return PayloadRule{} }

// ProjectPayloads gives what a stored project keeps of its calls.
func ProjectPayloads(t *storage.Tenant) (storage.PayloadSettings, error) {
	var settings ProjectSettings
	if err := json.Unmarshal(t.Settings, &settings); err != nil {
		return storage.PayloadSettings{}, err
	}
	return settings.Payloads.settings()
}
