package anthropic

import (
	"strings"
	"testing"
)

func TestToolName(t *testing.T) {
	if got, err := toolName("files.read"); err != nil || got != "files__u2e__read" {
		t.Errorf("%q, %v", got, err)
	}
	for _, name := range []string{"", strings.Repeat("x", 129), strings.Repeat(".", 30)} {
		if got, err := toolName(name); err == nil {
			t.Errorf("%q becomes %q, want an error", name, got)
		}
	}
}
