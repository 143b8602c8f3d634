package catalog_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
	every := 97 // of the requests that there are
	if os.Getenv("AISTRALE_PROVE") == "1" {
		every = 1
	}
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
			n, sent := 0, 0
			for _, file := range files {
				said, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if len(said) > 16<<10 {
					continue
				}
				eachOdd(said, func(odd []byte) {
					if n++; n%every == 0 {
						sent += oddlySent(t, l.face, odd)
					}
				})
			}
			if t.Logf("%d requests, sent as %d", n/every, sent); sent < n/every/4 {
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
	call := providers.Call{Op: providers.OpChat, Doc: &doc, Asked: "p/m", Model: "m", Path: "/p", ID: "req_0", Created: time.Unix(1_700_000_000, 0)}
	for _, dialect := range []providers.Dialect{openai.Dialect{}, anthropic.Dialect{}, gemini.Dialect{}, responses.Dialect{}, bedrock.Dialect{}} {
		for _, legacy := range []bool{false, true} {
			call.Can.LegacySchema = legacy
			req, err := face.ReadRequest(&doc)
			var plan providers.Plan
			if err == nil {
				plan, err = dialect.WriteRequest(req, &call)
			}
			var fault *providers.Fault
			if err != nil && (!errors.As(err, &fault) || strings.Contains(fault.Message, "cannot be said")) {
				t.Errorf("%s to %T: %v\n%s", face.Language(), dialect, err, body)
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
