package openai

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// JSONNudge is said where JSON is asked for and no message speaks of it, for which the API
// answers 400.
// Source: https://platform.openai.com/docs/guides/structured-outputs (JSON mode)
const JSONNudge = "Answer with valid JSON."

// NeedsNudge reports a request that asks for JSON without a word of it.
func NeedsNudge(req *providers.Request) bool {
	if req.Format.Kind != providers.FormatJSON {
		return false
	}
	for i := range req.Turns {
		if saysJSON(req.Turns[i].Blocks) {
			return false
		}
	}
	return true
}

func saysJSON(blocks []providers.Block) bool {
	for i := range blocks {
		b := &blocks[i]
		if strings.Contains(strings.ToLower(b.Text), "json") || b.Result != nil && saysJSON(b.Result.Blocks) {
			return true
		}
	}
	return false
}

// CallID gives the id that a call is known by upstream, of at most so many characters; a longer
// one, of another provider's making, is told apart by its sum. exact is Quirks.CallID.
func CallID(said string, most, exact int) string {
	sum := sha256.Sum256([]byte(said))
	switch {
	case exact > 0 && (len(said) != exact || strings.Trim(said, alphanumeric) != ""):
		return hex.EncodeToString(sum[:])[:min(exact, 2*len(sum))]
	case exact == 0 && len(said) > most:
		return "call_" + hex.EncodeToString(sum[:12])
	}
	return said
}

const alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// FileText says a file as text, where it is one: as files the API takes PDFs, and no films.
func FileText(m *providers.Media, path string) (text string, ok bool, err error) {
	if strings.HasPrefix(m.Type, "video/") {
		return "", false, Refuse(path, "invalid_value", "Invalid '"+path+"': the upstream takes no videos.")
	}
	text, ok = m.PlainText()
	if ok && m.Name != "" {
		text = m.Name + "\n\n" + text
	}
	return text, ok, nil
}

// Filename gives the name that the API wants beside a file's bytes, with the ending that it knows
// PDFs by.
func Filename(m *providers.Media) string {
	name := m.Name
	if name == "" {
		name = "file"
	}
	if m.Type == "application/pdf" && !strings.HasSuffix(strings.ToLower(name), ".pdf") {
		name += ".pdf"
	}
	return name
}

// AudioFormat is a sound's format in the API's word.
func AudioFormat(m *providers.Media) string {
	switch format := strings.TrimPrefix(m.Type, "audio/"); format {
	case "mpeg":
		return "mp3"
	case "x-wav", "wave", "":
		return "wav"
	default:
		return format
	}
}

// EffortOf says a thinking budget as the effort that other gateways take for it, since the
// language has no budget.
func EffortOf(budget int64) string {
	switch {
	case budget <= 0:
		return "none"
	case budget <= 2048:
		return "low"
	case budget <= 8192:
		return "medium"
	}
	return "high"
}
