package catalog_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/bedrock"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/responses"
)

// Whatever value of a request is another than it should be, it is refused in words about that
// value, or every provider is sent JSON.
func TestOddRequests(t *testing.T) {
	var files []string
	if err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if entry != nil && entry.Name() == "request.json" {
			files = append(files, path)
		}
		return err
	}); err != nil || len(files) < 300 {
		t.Fatalf("%d requests, %v", len(files), err)
	}
	for _, l := range listeners {
		t.Run(l.face.Language(), func(t *testing.T) {
			t.Parallel()
			sent := 0
			n := eachOdd(t, files, 97, func(_ string, odd []byte) { sent += oddlySent(t, l.face, odd) })
			if t.Logf("%d requests, sent as %d", n, sent); sent < n/4 {
				t.Error("too few of them are sent to anybody")
			}
		})
	}
}

// oddlySent reads a request and counts how many providers would be sent it.
func oddlySent(t *testing.T, face providers.Face, body []byte) (sent int) {
	t.Helper()
	var doc providers.Document
	if doc.Scan(body, nil) != nil {
		return 0
	}
	req, err := face.ReadRequest(&doc)
	if err != nil {
		unlessRefused(t, face, nil, err, body)
		return 0
	}
	call := heardCall(false)
	call.Doc, call.Path = &doc, "/p"
	for _, dialect := range []providers.Dialect{openai.Dialect{}, anthropic.Dialect{}, gemini.Dialect{}, responses.Dialect{}, bedrock.Dialect{}} {
		for _, legacy := range []bool{false, true} {
			call.Can.LegacySchema = legacy
			plan, err := dialect.WriteRequest(req, &call)
			if err != nil {
				unlessRefused(t, face, dialect, err, body)
			}
			for i := range plan.Requests {
				sent++
				if whole := plan.Requests[i].Whole(); len(whole) > 0 && !json.Valid(whole) {
					t.Errorf("%s to %T: no JSON: %s\n%s", face.Language(), dialect, whole, body)
				}
			}
		}
	}
	return sent
}

// unlessRefused fails where err does not say what is wrong with a request.
func unlessRefused(t *testing.T, face providers.Face, dialect providers.Dialect, err error, body []byte) {
	t.Helper()
	var fault *providers.Fault
	if !errors.As(err, &fault) || strings.Contains(fault.Message, "cannot be said") {
		t.Errorf("%s to %T: %v\n%s", face.Language(), dialect, err, body)
	}
}
