package admin

import (
	"strings"
	"testing"

	"github.com/aistrale/aistrale/storage"
)

func TestLineChanges(t *testing.T) {
	f := func(from, to, want string) {
		t.Helper()
		var b strings.Builder
		for _, l := range lineChanges(from, to) {
			b.WriteString(map[string]string{"same": " ", "added": "+", "removed": "-"}[l.Op] + l.Text + "|")
		}
		if b.String() != want {
			t.Errorf("%q to %q: %s, want %s", from, to, b.String(), want)
		}
	}
	f("", "", "")
	f("a", "a", " a|")
	f("", "a\nb", "+a|+b|")
	f("a\nb\nc", "a\nx\nc", " a|-b|+x| c|")
	f("a\nb\nc\nd", "b\nc\ne\nd", "-a| b| c|+e| d|")
	f("x\na\nb\ny", "a\nz\nb", "-x| a|+z| b|-y|")
}

// What a difference tells makes the one text of the other, also of texts that are too long to be
// compared well.
func TestLineChangesRebuild(t *testing.T) {
	long := strings.Repeat("a\nb\n", 2000)
	for _, pair := range [][2]string{{"a\nb\nc", "c\nb\na"}, {long + "x", "y\n" + long}, {"a\na\na\nb", "a\nb\nb"}} {
		var from, to []string
		for _, l := range lineChanges(pair[0], pair[1]) {
			if l.Op != "added" {
				from = append(from, l.Text)
			}
			if l.Op != "removed" {
				to = append(to, l.Text)
			}
		}
		if strings.Join(from, "\n") != pair[0] || strings.Join(to, "\n") != pair[1] {
			t.Errorf("%.20q to %.20q is told wrongly", pair[0], pair[1])
		}
	}
}

func TestMessageChanges(t *testing.T) {
	say := func(roles string) []storage.PromptMessage {
		var list []storage.PromptMessage
		for _, word := range strings.Fields(roles) {
			role, content, _ := strings.Cut(word, ":")
			list = append(list, storage.PromptMessage{Role: role, Content: content})
		}
		return list
	}
	f := func(from, to, want string) {
		t.Helper()
		var got []string
		for _, c := range messageChanges(say(from), say(to)) {
			got = append(got, c.Change+" "+c.Path+" "+c.Role)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s to %s: %s, want %s", from, to, strings.Join(got, ", "), want)
		}
	}
	f("user:a", "user:a", "")
	f("user:a", "system:s user:a", "added messages[0] system")
	f("system:s user:a", "user:b", "removed messages[0] system, changed messages[0] user")
	f("system:s user:a", "system:t user:a assistant:x", "changed messages[0] system, added messages[2] assistant")
	f("user:a", "assistant:a", "removed messages[0] user, added messages[0] assistant")
}
