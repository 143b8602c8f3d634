package telemetry

import (
	"errors"
	"slices"
	"strings"
	"testing"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/aistrale/aistrale/storage"
)

// said is content that is there already; a gate holds it back.
type said struct {
	messages storage.Messages
	err      error
	size     int
	gate     chan struct{}
}

func (s *said) Size() int { return s.size }

func (s *said) Messages() (storage.Messages, error) {
	if s.gate != nil {
		<-s.gate
	}
	return s.messages, s.err
}

func saying(s *said, attempts int) *storage.Record {
	r := traced()
	r.Attempts = r.Attempts[:attempts]
	r.Content = func() storage.Content { return s }
	return r
}

// contentOf gives what a span says of content.
func contentOf(s *tracepb.Span) string {
	var out strings.Builder
	for _, kv := range s.Attributes {
		switch kv.Key {
		case attrInstructions, attrInputSaid, attrOutputSaid, attrContentNot:
			out.WriteString(strings.TrimPrefix(kv.Key, "gen_ai.") + "=" + kv.Value.GetStringValue() + "\n")
		case attrContentCut:
			out.WriteString("cut\n")
		}
	}
	return out.String()
}

func observed(t *testing.T, records ...*storage.Record) []*tracepb.Span {
	t.Helper()
	to := newReceiver(t)
	tracer := newTracer(t, to, nil)
	for _, r := range records {
		tracer.observe(r)
	}
	if err := tracer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return to.all()
}

// What was asked and answered stands on the span of the last attempt, which is as it is without it
// else.
func TestContents(t *testing.T) {
	whole := storage.Messages{System: []byte(`["s"]`), Input: []byte(`["i"]`), Output: []byte(`["o"]`), Cut: true}
	spans := observed(t, saying(&said{messages: whole}, 2))
	if len(spans) != 3 {
		t.Fatalf("%d spans", len(spans))
	}
	if got := contentOf(spans[2]); got != "system_instructions=[\"s\"]\ninput.messages=[\"i\"]\noutput.messages=[\"o\"]\ncut\n" {
		t.Errorf("the last attempt says %q", got)
	}
	if got := contentOf(spans[0]) + contentOf(spans[1]); got != "" {
		t.Errorf("another span says %q", got)
	}
	plain := traced()
	plain.Attempts = plain.Attempts[:2]
	bare := spans[2]
	bare.Attributes = slices.DeleteFunc(bare.Attributes, func(kv *commonpb.KeyValue) bool {
		return kv.Key == attrContentCut || kv.Key == attrInstructions || kv.Key == attrInputSaid || kv.Key == attrOutputSaid
	})
	if got, want := told(bare), told(printed(t, plain)[2]); got != want {
		t.Errorf("beside that the last attempt is\n%s, want\n%s", got, want)
	}
	spans = observed(t, saying(&said{messages: storage.Messages{Input: []byte(`["i"]`)}}, 0))
	if len(spans) != 1 || contentOf(spans[0]) != "input.messages=[\"i\"]\n" {
		t.Errorf("without an attempt the spans are %v", spans)
	}
	spans = observed(t, saying(&said{err: errors.New("it is no JSON")}, 1))
	if got := contentOf(spans[len(spans)-1]); got != "aistrale.content.omitted=it is no JSON\n" {
		t.Errorf("content that is none says %q", got)
	}
}

// What finds no room goes without, and says so; what is not recorded is not even asked for.
func TestContents_noRoom(t *testing.T) {
	to := newReceiver(t)
	tracer := newTracer(t, to, func(o *TracerOptions) { o.Memory = 1 << 20 })
	gate := make(chan struct{})
	tracer.observe(saying(&said{messages: storage.Messages{Input: []byte(`["first"]`)}, size: 2 << 20, gate: gate}, 1))
	asked := false
	second := saying(&said{}, 1)
	second.Content = func() storage.Content { asked = true; return &said{} }
	tracer.observe(second)
	close(gate)
	third := saying(&said{}, 1)
	third.Content = second.Content
	third.Trace.Sampled = false
	tracer.observe(third)
	if err := tracer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := ""
	for _, s := range to.all() {
		all += contentOf(s)
	}
	if strings.Count(all, "omitted") != 1 || !strings.Contains(all, "first") || asked {
		t.Errorf("the spans say %q, asked %t", all, asked)
	}
}
