package main

import (
	"fmt"

	"github.com/aistrale/aistrale/internal/redact"
	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/proxy"
	"github.com/aistrale/aistrale/storage"
)

// spanContent is what a call asked and was answered on its way to the call's spans. It goes through
// the rules that payloads go through.
type spanContent struct {
	*proxy.Captured
	own []redact.Rule
}

// Content implements proxy.Payloads.
func (k *payloadKeeper) Content(c *proxy.Captured) storage.Content {
	return &spanContent{c, k.inForce().Payloads.rules()}
}

// Messages implements storage.Content. What cannot be redacted is not told, and an error says no
// word of it.
func (s *spanContent) Messages() (m storage.Messages, err error) {
	rules, err := redact.New(s.Settings.Redact, s.own)
	if err != nil {
		return m, err
	}
	m, why := s.Transcript(catalog.DialectOf, func(body []byte) ([]byte, error) {
		out, _, err := rules.JSON(body, len(body)+redacting)
		return out, err
	})
	most := min(s.Settings.Most(), mostOnSpan)
	for _, part := range []*[]byte{&m.System, &m.Input, &m.Output} {
		if len(*part) <= most {
			continue
		}
		if *part, _, err = (&redact.Rules{}).JSON(*part, most); err != nil {
			return storage.Messages{}, fmt.Errorf("cut it: %w", err)
		}
		m.Cut = true
	}
	return m, why
}

// mostOnSpan bounds each of a span's texts in bytes, beside the key's max_bytes: collectors take
// 4 MiB at once by gRPC.
const mostOnSpan = 512 << 10

// redacting is how much longer a body may become while it is redacted: marks are longer than some of
// what they stand for.
const redacting = 4 << 20
