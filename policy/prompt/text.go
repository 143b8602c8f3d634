package prompt

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/cbroglie/mustache"
)

// text is one message's content.
type text struct {
	mustache *mustache.Template
	tags     []mustache.Tag
}

// maxSections bounds how deep sections stand in each other.
const maxSections = 8

// delimiters finds a tag that changes what tags look like.
var delimiters = regexp.MustCompile(`\{\{\s*=`)

// newText reads a text that may use the variables that are declared, and what is in them.
func newText(content string, declared map[string]*variable) (*text, error) {
	if delimiters.MatchString(content) {
		return nil, errors.New("other delimiters than {{ and }} are not supported")
	}
	parsed, err := mustache.ParseStringPartialsRaw(content, nobody{}, true)
	if err != nil {
		return nil, err
	}
	t := &text{parsed, parsed.Tags()}
	return t, (&scope{declared: declared}).check(t.tags)
}

// nobody has partials.
type nobody struct{}

// Get implements mustache.PartialProvider.
func (nobody) Get(name string) (string, error) {
	return "", fmt.Errorf("{{>%s}}: partials are not supported", name)
}

// scope is what a tag can name.
type scope struct {
	declared map[string]*variable
	within   []any // the schemas of the sections around it, the innermost last
}

func (s *scope) check(tags []mustache.Tag) error {
	if len(s.within) > maxSections {
		return fmt.Errorf("sections stand deeper in each other than %d", maxSections)
	}
	for _, tag := range tags {
		name := tag.Name()
		if tag.Type() == mustache.Partial {
			_, err := nobody{}.Get(name)
			return err
		}
		shape, ok := s.find(name)
		if !ok {
			return fmt.Errorf("{{%s}}: the variable is not declared in variables", name)
		}
		if tag.Type() == mustache.Variable {
			continue
		}
		inner := &scope{s.declared, append(s.within[:len(s.within):len(s.within)], shape)}
		if err := inner.check(tag.Tags()); err != nil {
			return err
		}
	}
	return nil
}

// find gives the schema of what a name means, as far as that is known; false where it means nothing.
func (s *scope) find(name string) (any, bool) {
	if name == "." {
		if len(s.within) == 0 {
			return nil, false
		}
		return element(s.within[len(s.within)-1]), true
	}
	root, rest, _ := strings.Cut(name, ".")
	var shape any
	found := false
	for i := len(s.within) - 1; i >= 0 && !found; i-- {
		shape, found = property(element(s.within[i]), root)
	}
	if v := s.declared[root]; !found && v != nil {
		shape, found = v.shape, true
	}
	for rest != "" && found {
		root, rest, _ = strings.Cut(rest, ".")
		below, ok := property(shape, root)
		if _, closed := member(shape, "properties"); closed && !ok {
			return nil, false
		}
		shape = below
	}
	return shape, found
}

// element gives the schema of a list's elements; of anything else its own.
func element(shape any) any {
	if items, ok := member(shape, "items"); ok {
		return items
	}
	return shape
}

func property(shape any, name string) (any, bool) {
	all, _ := member(shape, "properties")
	return member(all, name)
}

func member(v any, name string) (any, bool) {
	object, _ := v.(map[string]any)
	below, ok := object[name]
	return below, ok
}

// steps bounds how often tags are looked at where no list is longer than longest.
func steps(tags []mustache.Tag, longest int) int {
	n := 0
	for _, tag := range tags {
		n++
		if t := tag.Type(); t == mustache.Section || t == mustache.InvertedSection {
			n += max(1, longest) * (1 + steps(tag.Tags(), longest))
		}
		if n > maxSteps {
			return maxSteps + 1
		}
	}
	return n
}
