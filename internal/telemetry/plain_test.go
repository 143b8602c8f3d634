package telemetry

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"unicode"
)

// Every character comes through as it was, and none that misleads stands in a line by itself.
func TestPlain(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(Plain(&out), nil))
	for _, text := range []string{
		"plain", "é ü 漢字 🙂 €", "\x1b[2J\u009b2J\x7f", "abc\u202efdp.exe", "a\u2066b\u2069", "x\u2028{\"msg\":\"forged\"}\u2029", "line\r\n{\"msg\":\"forged\"}", "\u061c\u200e\u200f",
	} {
		out.Reset()
		log.Info("m", "text", text)
		var back struct{ Text string }
		if err := json.Unmarshal(out.Bytes(), &back); err != nil || back.Text != text {
			t.Errorf("%q comes back as %q, %v", text, back.Text, err)
		}
		line := strings.TrimSuffix(out.String(), "\n")
		if i := strings.IndexFunc(line, func(r rune) bool {
			return unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
		}); i >= 0 {
			t.Errorf("%q has %q", line, line[i:])
		}
	}
}

func BenchmarkPlain(b *testing.B) {
	line := []byte(`{"time":"2026-11-26T12:00:00Z","level":"INFO","msg":"request",` + strings.Repeat(`"name":"value",`, 60) + `"last":1}` + "\n")
	w := Plain(discard{})
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		_, _ = w.Write(line)
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
