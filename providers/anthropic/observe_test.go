package anthropic_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/providertest"
)

func TestObserve(t *testing.T) {
	f := func(frame string, content int, finish string, end, usage, fault bool) {
		t.Helper()
		s := anthropic.Dialect{}.Observe([]byte(frame))
		if s.Content != content || s.Finish != finish || s.End != end || s.HasUsage != usage || (s.Fault != nil) != fault || s.UsageOnly {
			t.Errorf("%s\n%+v", frame, s)
		}
	}
	f(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi \"x\""}}`, 8, "", false, false, false)
	f(` { "delta" : { "text" : "a}{,:" , "type" : "text_delta" } , "index":0, "type" : "content_block_delta" } `, 5, "", false, false, false)
	f(`{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"ab"}}`, 2, "", false, false, false)
	f(`{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"a"}}`, 4, "", false, false, false)
	f(`{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":""}}`, 0, "", false, false, false)
	f(`{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"abc"}}`, 0, "", false, false, false)
	f(`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`, 0, "", false, false, false)
	f(`{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"b","input":{}}}`, 0, "", false, false, false)
	f(`{"type":"message_start","message":{"id":"a","content":[],"usage":{"input_tokens":1}}}`, 0, "", false, true, false)
	f(`{"type":"message_delta","delta":{"stop_reason":"max_tokens"},"usage":{"output_tokens":1}}`, 0, "max_tokens", false, true, false)
	f(`{"type":"message_delta","delta":{"stop_reason":null},"usage":null}`, 0, "", false, false, false)
	f(`{"type":"message_stop"}`, 0, "", true, false, false)
	f(`{"type":"ping"}`, 0, "", false, false, false)
	f(`{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, 0, "", false, false, true)
	f(`{"type":"error","error":`, 0, "", false, false, true)
	f(`{"content":[{"type":"thinking","thinking":"abc"},{"type":"text","text":"de"},{"type":"tool_use","input":{"a":1}},{"type":"web_search_tool_result"}],`+
		`"stop_reason":"end_turn","type":"message","usage":{"output_tokens":3}}`, 3+2+7, "end_turn", false, true, false)
	for _, odd := range []string{"", "{", `{"type"`, `{"type":`, `{"type":"message_delta","delta":`, "[]", `"type"`, `{"a":1]`, `{"type":"content_block_delta","delta":{"type":"text_delta","text":"`} {
		f(odd, 0, "", false, false, false)
	}
}

func TestObserveAllocs(t *testing.T) {
	frame := []byte(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello, \"world\""}}`)
	d := anthropic.Dialect{}
	if n := testing.AllocsPerRun(100, func() {
		if d.Observe(frame).Content == 0 {
			t.Fatal("no content seen")
		}
	}); n != 0 {
		t.Errorf("%v allocations for a text delta, want none", n)
	}
}

func BenchmarkObserve(b *testing.B) {
	frame := []byte(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello, \"world\""}}`)
	b.ReportAllocs()
	b.SetBytes(int64(len(frame)))
	for b.Loop() {
		anthropic.Dialect{}.Observe(frame)
	}
}

// TestObserveAgrees holds Observe against the decoder, which reads the same bytes in another
// way, on every recorded stream.
func TestObserveAgrees(t *testing.T) {
	files, err := filepath.Glob("testdata/*/upstream_response.*")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d replies: %v", len(files), err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		stream := strings.HasSuffix(file, ".sse")
		var seen, said providers.Usage
		finish, native := "", ""
		var content, pieces, ends, faults int
		call := providers.Call{Stream: stream}
		if err := providertest.Frames(stream, bytes.NewReader(body), func(_, data []byte) {
			s := anthropic.Dialect{}.Observe(data)
			if s.HasUsage {
				seen.Merge(s.Usage)
			}
			if s.Finish != "" {
				finish = s.Finish
			}
			content += s.Content
			if s.End {
				ends++
			}
		}); err != nil {
			t.Fatal(err)
		}
		if err := providertest.Decode(anthropic.Dialect{}, &call, bytes.NewReader(body), func(ev *providers.Event) {
			switch ev.Kind {
			case providers.EventUsage:
				said.Merge(*ev.Usage)
			case providers.EventFinish:
				native = ev.Native
			case providers.EventDelta:
				pieces++
			case providers.EventFault:
				faults++
			}
		}); err != nil {
			t.Fatal(err)
		}
		if lines(&seen) != lines(&said) {
			t.Errorf("%s: observed %s, decoded %s", file, lines(&seen), lines(&said))
		}
		if faults == 0 && (finish != native || stream && ends != 1) {
			t.Errorf("%s: finish %q and %q, %d ends", file, finish, native, ends)
		}
		if (content > 0) != (pieces > 0) {
			t.Errorf("%s: %d bytes of content observed, %d pieces decoded", file, content, pieces)
		}
	}
}
