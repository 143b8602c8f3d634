package providertest

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"strings"
)

// ResponseStream follows a stream of the Responses API and says what is wrong with its form. The
// rules are those that recorded streams of OpenAI's keep: events are numbered from 0 on and
// carry their name as their type; one response.created, then response.in_progress; each item is
// added once under the next output_index, with an id that all its events have, and done once;
// a message's parts are added in their order before their pieces; what is said done is the sum
// of the pieces; and the last event, completed, incomplete or failed, has all items as they were
// done. An error may end a stream without one, and without a number where the gateway says it
// behind events that it only relayed. It gives the response of the last event.
func ResponseStream(stream []byte) (response map[string]any, wrong []string) {
	s := responseStream{items: map[float64]*streamItem{}}
	for event := range strings.SplitSeq(string(bytes.TrimSpace(stream)), "\n\n") {
		s.read(event)
	}
	s.end()
	return s.last, s.wrong
}

type responseStream struct {
	wrong  []string
	number float64
	kinds  []string
	first  map[string]any
	last   map[string]any
	items  map[float64]*streamItem
	failed bool
}

type streamItem struct {
	id, kind string
	parts    []string
	pieces   string // of arguments or of a summary
	done     map[string]any
}

func (s *responseStream) say(format string, args ...any) {
	s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
}

func (s *responseStream) read(event string) {
	if strings.HasPrefix(event, ":") {
		return
	}
	name, ev, ok := namedEvent(event)
	if !ok {
		s.say("no event: %.200q", event)
		return
	}
	if ev["type"] != name {
		s.say("event %s has the type %v", name, ev["type"])
	}
	if n, ok := ev["sequence_number"].(float64); (!ok || n != s.number) && (ok || name != "error") {
		s.say("event %s has the number %v, want %v", name, ev["sequence_number"], s.number)
	}
	s.number++
	if s.last != nil {
		s.say("%s behind the last event", name)
	}
	s.kinds = append(s.kinds, name)
	s.event(name, ev)
}

func (s *responseStream) event(name string, ev map[string]any) {
	switch name {
	case "response.created":
		s.first, _ = ev["response"].(map[string]any)
	case "response.in_progress":
	case "error":
		s.failed = true
	case "response.completed", "response.incomplete", "response.failed":
		s.last, _ = ev["response"].(map[string]any)
		if s.last["status"] != strings.TrimPrefix(name, "response.") {
			s.say("%s has the status %v", name, s.last["status"])
		}
		s.failed = s.failed || name == "response.failed"
	case "response.output_item.added":
		s.added(ev)
	default:
		s.inItem(name, ev)
	}
}

func (s *responseStream) added(ev map[string]any) {
	item, _ := ev["item"].(map[string]any)
	at, _ := ev["output_index"].(float64)
	id, _ := item["id"].(string)
	kind, _ := item["type"].(string)
	if int(at) != len(s.items) || id == "" || kind == "" {
		s.say("item %q of type %q is added at %v, want %d", id, kind, at, len(s.items))
	}
	s.items[at] = &streamItem{id: id, kind: kind}
}

func (s *responseStream) inItem(name string, ev map[string]any) {
	at, _ := ev["output_index"].(float64)
	it := s.items[at]
	if it == nil || it.done != nil {
		s.say("%s for %v, where no item is open", name, at)
		return
	}
	if name == "response.output_item.done" {
		it.done, _ = ev["item"].(map[string]any)
		s.done(it)
		return
	}
	if ev["item_id"] != it.id {
		s.say("%s names the item %v, want %s", name, ev["item_id"], it.id)
	}
	k, _ := ev["content_index"].(float64)
	piece, _ := ev["delta"].(string)
	switch name {
	case "response.content_part.added":
		if int(k) != len(it.parts) {
			s.say("part %v of %s is added, want %d", k, it.id, len(it.parts))
		}
		it.parts = append(it.parts, "")
		return
	case "response.reasoning_summary_text.delta", "response.function_call_arguments.delta", "response.custom_tool_call_input.delta":
		it.pieces += piece
		return
	case "response.reasoning_summary_text.done", "response.function_call_arguments.done", "response.custom_tool_call_input.done":
		s.sum(name, it.pieces, ev)
		return
	}
	if !strings.HasPrefix(name, "response.output_text.") && !strings.HasPrefix(name, "response.refusal.") && name != "response.content_part.done" {
		return
	}
	if int(k) >= len(it.parts) {
		s.say("%s for part %v, which is not there", name, k)
		return
	}
	switch name {
	case "response.output_text.delta", "response.refusal.delta":
		it.parts[int(k)] += piece
	case "response.output_text.done", "response.refusal.done":
		s.sum(name, it.parts[int(k)], ev)
	case "response.content_part.done":
		part, _ := ev["part"].(map[string]any)
		if part["type"] != "output_audio" {
			s.sum(name, it.parts[int(k)], part)
		}
	}
}

// sum holds what is said done to its pieces.
func (s *responseStream) sum(name, pieces string, said map[string]any) {
	for _, member := range []string{"text", "refusal", "arguments", "input"} {
		if whole, ok := said[member].(string); ok {
			if whole != pieces {
				s.say("%s says %q, its pieces %q", name, whole, pieces)
			}
			return
		}
	}
	s.say("%s says nothing", name)
}

func (s *responseStream) done(it *streamItem) {
	if it.done["id"] != it.id || it.done["type"] != it.kind {
		s.say("item %s of type %s is done as %v, %v", it.id, it.kind, it.done["id"], it.done["type"])
	}
	switch it.kind {
	case "function_call", "custom_tool_call":
		s.sum("the item of "+it.id, it.pieces, it.done)
	case "message":
		content, _ := it.done["content"].([]any)
		if len(content) != len(it.parts) {
			s.say("%s is done with %d parts, %d were added", it.id, len(content), len(it.parts))
			return
		}
		for i, c := range content {
			part, _ := c.(map[string]any)
			if part["type"] != "output_audio" {
				s.sum("a part of "+it.id, it.parts[i], part)
			}
		}
	}
}

func (s *responseStream) end() {
	if len(s.kinds) < 3 || s.kinds[0] != "response.created" || s.kinds[1] != "response.in_progress" {
		s.say("it begins with %v", s.kinds[:min(3, len(s.kinds))])
	}
	if s.first["status"] != "in_progress" || s.first["id"] == nil || s.last != nil && s.first["id"] != s.last["id"] {
		s.say("it begins with the response %v, %v, and ends with %v", s.first["id"], s.first["status"], s.last["id"])
	}
	if s.last == nil || s.failed {
		if !s.failed {
			s.say("it has no last event")
		}
		return
	}
	output, _ := s.last["output"].([]any)
	if len(output) != len(s.items) {
		s.say("the response has %d items, %d were added", len(output), len(s.items))
		return
	}
	for i, item := range output {
		it := s.items[float64(i)]
		if it == nil || it.done == nil {
			s.say("item %d was never done", i)
		} else if last, _ := item.(map[string]any); !reflect.DeepEqual(unsealed(it.done), unsealed(last)) {
			s.say("item %d was done as %v, the response has %v", i, it.done, item)
		}
	}
}

// unsealed is an item without the seal of its reasoning: OpenAI makes one anew each time.
func unsealed(item map[string]any) map[string]any {
	out := maps.Clone(item)
	delete(out, "encrypted_content")
	return out
}
