// Package redact takes out of JSON what nobody should read in it later. It must never give back
// anything that is no JSON, nor anything that a rule would have taken out.
package redact

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// Rule takes out what a pattern finds in strings, names and numbers, or whole members of objects.
type Rule struct {
	Name    string
	Pattern string   // RE2
	Members []string // names of members, in any case
}

// Rules are compiled rules.
type Rules struct {
	finders []finder
	members map[string]string // the rule, by the member's name in lower case
}

// finder gives the spans of a text that a rule takes out, in order and apart from each other.
type finder struct {
	name string
	find func(text string) [][2]int
}

// mostPattern bounds the length of a pattern in bytes.
const mostPattern = 1 << 10

// New compiles the named rules: built-in ones and those given. No names are all built-in ones.
func New(names []string, own []Rule) (*Rules, error) {
	if names == nil {
		names = BuiltIn()
	}
	r := &Rules{members: map[string]string{}}
	for _, name := range names {
		if find := builtIn()[name]; find != nil {
			r.finders = append(r.finders, finder{name, find})
			continue
		}
		i := slices.IndexFunc(own, func(one Rule) bool { return one.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no rule %q", name)
		}
		if err := r.add(&own[i]); err != nil {
			return nil, fmt.Errorf("rule %q: %w", name, err)
		}
	}
	return r, nil
}

func (r *Rules) add(one *Rule) error {
	for _, member := range one.Members {
		r.members[strings.ToLower(member)] = one.Name
	}
	switch {
	case one.Pattern == "" && len(one.Members) == 0:
		return errors.New("it has neither a pattern nor members")
	case one.Pattern == "":
		return nil
	case len(one.Pattern) > mostPattern:
		return fmt.Errorf("the pattern is longer than %d bytes", mostPattern)
	}
	re, err := regexp.Compile(one.Pattern)
	if err != nil {
		return err
	}
	if re.MatchString("") {
		return errors.New("the pattern matches what is empty, and so everything")
	}
	r.finders = append(r.finders, finder{one.Name, matches(re)})
	return nil
}

func matches(re *regexp.Regexp) func(string) [][2]int {
	return func(text string) [][2]int {
		var spans [][2]int
		for _, at := range re.FindAllStringIndex(text, -1) {
			spans = append(spans, [2]int{at[0], at[1]})
		}
		return spans
	}
}

// Text takes out of a text what the rules find.
func (r *Rules) Text(text string) string {
	for i := range r.finders {
		f := &r.finders[i]
		spans := f.find(text)
		if len(spans) == 0 {
			continue
		}
		var out strings.Builder
		last := 0
		for _, at := range spans {
			out.WriteString(text[last:at[0]])
			out.WriteString(mark(f.name))
			last = at[1]
		}
		out.WriteString(text[last:])
		text = out.String()
	}
	return text
}

func mark(rule string) string { return "[redacted:" + rule + "]" }

// errCut ends the writing of what is too long.
var errCut = errors.New("too long")

// JSON gives one JSON value without what the rules take out, in most bytes or a little more, and
// says whether more of it was cut off at the end. What it gives is JSON. It fails where src is
// not one JSON value, or too deep.
func (r *Rules) JSON(src []byte, most int) (out []byte, cut bool, err error) {
	w := newWalk(r, src, most)
	for {
		err := w.step()
		switch {
		case errors.Is(err, io.EOF):
			return w.done(false)
		case errors.Is(err, errCut):
			return w.done(true)
		case err != nil:
			return nil, false, err
		}
	}
}
