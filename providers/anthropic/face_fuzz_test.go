package anthropic_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/providertest"
)

func FuzzReadRequest(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "face", "*", "*", "request.json"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no requests to begin with: %v", err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		providertest.Stable(t, anthropic.Face{}, anthropic.Dialect{}, raw)
	})
}
