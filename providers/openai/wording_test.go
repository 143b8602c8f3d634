package openai

import (
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
)

func TestCallID(t *testing.T) {
	long := "toolu_" + strings.Repeat("x", 60)
	f := func(said string, most, exact int, want string) {
		t.Helper()
		if got := CallID(said, most, exact); got != want {
			t.Errorf("%q is %q, want %q", said, got, want)
		}
	}
	f("call_1", 40, 0, "call_1")
	f(long, 64, 0, CallID(long, 40, 0))
	f("a1B2c3D4e", 40, 9, "a1B2c3D4e")
	if got := CallID(long, 40, 0); len(got) > 40 || got == CallID(long+"y", 40, 0) {
		t.Errorf("%q", got)
	}
	for _, said := range []string{"", "call_1", "call_12345", long} {
		if got := CallID(said, 40, 9); len(got) != 9 || strings.Trim(got, alphanumeric) != "" {
			t.Errorf("%q is %q", said, got)
		}
	}
}

func TestNeedsNudge(t *testing.T) {
	f := func(kind providers.FormatKind, want bool, texts ...string) {
		t.Helper()
		req := &providers.Request{Format: providers.Format{Kind: kind}}
		for _, text := range texts {
			req.Turns = append(req.Turns, providers.Turn{Role: providers.RoleUser, Blocks: []providers.Block{{Kind: providers.KindText, Text: text}}})
		}
		if got := NeedsNudge(req); got != want {
			t.Errorf("%v, %q: %t", kind, texts, got)
		}
	}
	f(providers.FormatJSON, true, "A person.")
	f(providers.FormatJSON, false, "A person.", "As JSON.")
	f(providers.FormatSchema, false, "A person.")
	f(providers.FormatUnset, false, "A person.")
	said := providers.Block{Kind: providers.KindToolResult, Result: &providers.ToolResult{Blocks: []providers.Block{{Kind: providers.KindText, Text: "json"}}}}
	req := &providers.Request{Format: providers.Format{Kind: providers.FormatJSON}, Turns: []providers.Turn{{Role: providers.RoleTool, Blocks: []providers.Block{said}}}}
	if NeedsNudge(req) {
		t.Error("a result that says it was not seen")
	}
}

func TestFilename(t *testing.T) {
	for _, m := range []struct {
		kind, name, want string
	}{
		{"application/pdf", "", "file.pdf"}, {"application/pdf", "A.PDF", "A.PDF"}, {"application/pdf", "notes", "notes.pdf"},
		{"application/zip", "a.zip", "a.zip"}, {"", "", "file"},
	} {
		if got := Filename(&providers.Media{Type: m.kind, Name: m.name}); got != m.want {
			t.Errorf("%q of %q is %q", m.name, m.kind, got)
		}
	}
}

func TestFileText(t *testing.T) {
	text, ok, err := FileText(&providers.Media{Type: "text/plain", Name: "a.txt", Data: "aGk="}, "messages[0].content[0]")
	if text != "a.txt\n\nhi" || !ok || err != nil {
		t.Errorf("%q, %t, %v", text, ok, err)
	}
	if _, _, err := FileText(&providers.Media{Type: "video/mp4", Data: "aGk="}, "messages[0].content[0]"); err == nil {
		t.Error("a video was taken")
	}
	if _, ok, err := FileText(&providers.Media{Type: "application/pdf", Data: "aGk="}, ""); ok || err != nil {
		t.Errorf("%t, %v", ok, err)
	}
}

func TestAudioFormat(t *testing.T) {
	for kind, want := range map[string]string{"audio/mpeg": "mp3", "audio/x-wav": "wav", "": "wav", "audio/flac": "flac"} {
		if got := AudioFormat(&providers.Media{Type: kind}); got != want {
			t.Errorf("%q is %q", kind, got)
		}
	}
}

func TestEffortOf(t *testing.T) {
	for budget, want := range map[int64]string{-1: "none", 0: "none", 1: "low", 2048: "low", 2049: "medium", 8192: "medium", 8193: "high"} {
		if got := EffortOf(budget); got != want {
			t.Errorf("%d is %q, want %q", budget, got, want)
		}
	}
}
