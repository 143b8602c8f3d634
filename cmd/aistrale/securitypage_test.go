package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A requirement is a line of docs/security.md.
type requirement struct{ number, level, what, status, where string }

func requirements(t *testing.T) []requirement {
	t.Helper()
	page, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	var all []requirement
	number := regexp.MustCompile(`^\d+\.\d+\.\d+$`)
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if first := strings.TrimSpace(cells[0]); len(cells) == 5 && number.MatchString(first) {
			all = append(all, requirement{first, cells[1], cells[2], cells[3], strings.TrimSpace(cells[4])})
		}
	}
	return all
}

// Each requirement of levels 1 and 2 stands on the page once, in the standard's order, with a
// status that is one of four, and what it names is there.
func TestSecurityPage(t *testing.T) {
	t.Parallel()
	list, err := os.ReadFile("testdata/asvs-5.0.0.txt")
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, r := range requirements(t) {
		have = append(have, r.number+" "+r.level)
		if !slices.Contains([]string{"met", "not applicable", "operator", "not met"}, r.status) || r.what == "" || r.where == "" {
			t.Errorf("%s: %+v", r.number, r)
		}
		if r.status == "met" && !strings.Contains(r.where, "`") {
			t.Errorf("%s: nothing is named that meets it", r.number)
		}
		r.named(t)
	}
	if want := strings.Split(strings.TrimSpace(string(list)), "\n"); !slices.Equal(have, want) {
		t.Errorf("the page has %d requirements, the standard %d:\n%v\n%v", len(have), len(want), have, want)
	}
}

// named looks for the files that a line names, and for the tests behind each.
func (r requirement) named(t *testing.T) {
	t.Helper()
	file, content := "", ""
	for _, word := range regexp.MustCompile("`[^`]+`|Test[A-Za-z0-9_]+").FindAllString(r.where, -1) {
		if strings.HasPrefix(word, "Test") {
			if !strings.Contains(content, "\nfunc "+word+"(") {
				t.Errorf("%s: %q has no %s", r.number, file, word)
			}
			continue
		}
		path := strings.Trim(word, "`")
		if !regexp.MustCompile(`^[A-Za-z.][\w./-]*\.(go|md|json|yaml|yml|mod|sum)$|^Makefile$`).MatchString(path) {
			continue // a setting, a header, a command
		}
		text, err := os.ReadFile(filepath.Join("../..", path))
		if err != nil {
			t.Errorf("%s: %v", r.number, err)
		}
		file, content = path, string(text)
	}
}
