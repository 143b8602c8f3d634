package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aistrale/aistrale/storage"
)

// PromptDiff is what changed from one version of a prompt to another.
type PromptDiff struct {
	From    int            `json:"from"`
	To      int            `json:"to"`
	Changes []PromptChange `json:"changes"`
}

// PromptChange is one thing that changed.
type PromptChange struct {
	Path   string          `json:"path" doc:"messages[1], model, parameters.temperature, variables.name; of a message that is gone its place of before"`
	Change string          `json:"change" enum:"added,removed,changed"`
	Role   string          `json:"role,omitempty" doc:"Of a message"`
	Lines  []DiffLine      `json:"lines,omitempty" doc:"Of a message, all of them"`
	Before json.RawMessage `json:"before,omitempty" doc:"Of all else"`
	After  json.RawMessage `json:"after,omitempty"`
}

// DiffLine is a line of a text.
type DiffLine struct {
	Op   string `json:"op" enum:"same,added,removed"`
	Text string `json:"text"`
}

type promptDiffOf struct {
	PromptName
	From int `query:"from" required:"true" minimum:"1" maximum:"999999999"`
	To   int `query:"to" required:"true" minimum:"1" maximum:"999999999"`
}

func (a *api) diffPrompt(ctx context.Context, in *promptDiffOf) (*struct{ Body PromptDiff }, error) {
	from, err := a.promptVersion(ctx, in.Workspace, in.Name, in.From)
	if err != nil {
		return nil, err
	}
	to, err := a.promptVersion(ctx, in.Workspace, in.Name, in.To)
	if err != nil {
		return nil, err
	}
	return &struct{ Body PromptDiff }{PromptDiff{in.From, in.To, changesOf(&from.Noun.Template, &to.Noun.Template)}}, nil
}

// changesOf gives what changed: of messages by message and line, of all else by field.
func changesOf(from, to *storage.PromptTemplate) []PromptChange {
	changes := messageChanges(from.Messages, to.Messages)
	changes = append(changes, fieldChange("model", text(from.Model), text(to.Model))...)
	changes = append(changes, memberChanges("parameters", from.Parameters, to.Parameters)...)
	return append(changes, memberChanges("variables", from.Variables, to.Variables)...)
}

// text is a string as JSON; nil where it is empty.
func text(s string) json.RawMessage {
	if s == "" {
		return nil
	}
	said, err := json.Marshal(s)
	if err != nil {
		return nil // a string always has a form in JSON
	}
	return said
}

func memberChanges(at string, from, to map[string]json.RawMessage) []PromptChange {
	all := maps.Clone(from)
	if all == nil {
		all = map[string]json.RawMessage{}
	}
	maps.Copy(all, to)
	changes := []PromptChange{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		changes = append(changes, fieldChange(at+"."+name, from[name], to[name])...)
	}
	return changes
}

func fieldChange(path string, from, to json.RawMessage) []PromptChange {
	switch {
	case string(from) == string(to):
		return nil
	case from == nil:
		return []PromptChange{{Path: path, Change: "added", After: to}}
	case to == nil:
		return []PromptChange{{Path: path, Change: "removed", Before: from}}
	}
	return []PromptChange{{Path: path, Change: "changed", Before: from, After: to}}
}

// messageChanges pairs messages that stayed; of those between two such, one of the same role was
// changed, the others came or went.
func messageChanges(from, to []storage.PromptMessage) []PromptChange {
	changes := []PromptChange{}
	i, j := 0, 0
	for _, same := range append(common(from, to), [2]int{len(from), len(to)}) {
		for i < same[0] || j < same[1] {
			switch {
			case i < same[0] && j < same[1] && from[i].Role == to[j].Role:
				changes = append(changes, PromptChange{
					Path: placeOf(j), Change: "changed", Role: to[j].Role, Lines: lineChanges(from[i].Content, to[j].Content),
				})
				i, j = i+1, j+1
			case i < same[0]:
				changes = append(changes, PromptChange{Path: placeOf(i), Change: "removed", Role: from[i].Role, Lines: lineChanges(from[i].Content, "")})
				i++
			default:
				changes = append(changes, PromptChange{Path: placeOf(j), Change: "added", Role: to[j].Role, Lines: lineChanges("", to[j].Content)})
				j++
			}
		}
		i, j = same[0]+1, same[1]+1
	}
	return changes
}

func placeOf(i int) string { return fmt.Sprintf("messages[%d]", i) }

func lineChanges(from, to string) []DiffLine {
	a, b := linesOf(from), linesOf(to)
	out := make([]DiffLine, 0, max(len(a), len(b)))
	i, j := 0, 0
	for _, same := range append(common(a, b), [2]int{len(a), len(b)}) {
		for ; i < same[0]; i++ {
			out = append(out, DiffLine{"removed", a[i]})
		}
		for ; j < same[1]; j++ {
			out = append(out, DiffLine{"added", b[j]})
		}
		if i < len(a) {
			out = append(out, DiffLine{"same", a[i]})
		}
		i, j = i+1, j+1
	}
	return out
}

func linesOf(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// mostCompared bounds the work on two lists: beyond it what is between their common ends counts as
// changed altogether.
const mostCompared = 4 << 20

// common gives the places of a longest common subsequence, in their order.
func common[T comparable](a, b []T) [][2]int {
	var ends [][2]int
	head, tail := 0, 0
	for head < min(len(a), len(b)) && a[head] == b[head] {
		ends = append(ends, [2]int{head, head})
		head++
	}
	for tail < min(len(a), len(b))-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	ends = append(ends, longest(a[head:len(a)-tail], b[head:len(b)-tail], head)...)
	for k := tail; k > 0; k-- {
		ends = append(ends, [2]int{len(a) - k, len(b) - k})
	}
	return ends
}

// longest is common by the textbook; shift is where a and b begin.
func longest[T comparable](a, b []T, shift int) [][2]int {
	if len(a)*len(b) == 0 || len(a)*len(b) > mostCompared {
		return nil
	}
	width := len(b) + 1
	lengths := make([]uint16, (len(a)+1)*width) // of the rest from i and j; a list is shorter than 64 Ki or too long
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				lengths[i*width+j] = lengths[(i+1)*width+j+1] + 1
			} else {
				lengths[i*width+j] = max(lengths[(i+1)*width+j], lengths[i*width+j+1])
			}
		}
	}
	var same [][2]int
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			same = append(same, [2]int{shift + i, shift + j})
			i, j = i+1, j+1
		case lengths[(i+1)*width+j] >= lengths[i*width+j+1]:
			i++
		default:
			j++
		}
	}
	return same
}
