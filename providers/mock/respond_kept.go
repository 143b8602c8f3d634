package mock

import (
	"strings"

	"github.com/tidwall/gjson"
)

// keepRespond keeps a response that has come to its end: a thing with the response's members,
// and its input as things within it. Its content is all the items up to its end, separated by
// commas, which is what the next response takes over.
func keepRespond(s *shelf, a *ask, ans *answer) {
	if !a.stores {
		return
	}
	r := respondReply{a, ans}
	t := &thing{kind: "response", id: r.id()}
	gjson.ParseBytes(writeRespond(nil, a, ans)).ForEach(func(name, value gjson.Result) bool {
		if name.Str != "id" {
			t.set(name.Str, []byte(value.Raw))
		}
		return true
	})
	items := make([]string, 0, len(a.said)+2)
	if a.before != "" {
		items = append(items, a.before)
	}
	items = append(items, a.said...)
	if output := r.appendOutput(nil); len(output) > 0 {
		items = append(items, string(output))
	}
	t.content = []byte(strings.Join(items, ","))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, t)
	for _, one := range a.said {
		input := s.add("response.item", "item_", t.id)
		gjson.Parse(one).ForEach(func(name, value gjson.Result) bool {
			if name.Str != "id" {
				input.set(name.Str, []byte(value.Raw))
			}
			return true
		})
	}
}

// next counts on: a number that no other thing of the shelf has.
func (s *shelf) next() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	return uint64(s.last)
}

// items gives the items up to the end of a response; false where none is kept under that id.
func (s *shelf) items(response string) (string, bool) {
	if s == nil {
		return "", false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.find("response", response, "")
	if t == nil {
		return "", false
	}
	return string(t.content), true
}
