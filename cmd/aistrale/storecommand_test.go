package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/storage/sqlite"
)

// canary is a provider's key that must be found nowhere.
const canary = "sk-canary-0123456789-abcdefghij"

// desk is where a test types commands: an environment of its own, with a store in a folder of
// its own.
type desk struct {
	t        *testing.T
	dir      string
	vars     map[string]string
	now      time.Time
	in       string
	out, err bytes.Buffer
	printed  bytes.Buffer // all that was ever printed
	hidden   []string     // what no file may hold
}

func newDesk(t *testing.T) *desk {
	dir := filepath.Join(t.TempDir(), "data")
	d := &desk{
		t: t, dir: dir, vars: map[string]string{"AISTRALE_DATA_DIR": dir},
		now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	// After the stores are closed: to close a file that was read takes SQLite's locks off it.
	t.Cleanup(d.checkFiles)
	return d
}

// run runs one command and gives the exit code and the text that go with its error.
func (d *desk) run(args ...string) (code int, failure string) {
	d.t.Helper()
	d.out.Reset()
	d.err.Reset()
	env := environment{
		Getenv: func(name string) string { return d.vars[name] },
		Stdin:  strings.NewReader(d.in), Stdout: &d.out, Stderr: &d.err,
		Now: func() time.Time { return d.now },
	}
	verbs := commands()
	verb := slices.IndexFunc(verbs, func(c command) bool { return c.name == args[0] })
	err := verbs[verb].do(d.t.Context(), env, " aistrale", args[1:])
	d.printed.Write(d.out.Bytes())
	d.printed.Write(d.err.Bytes())
	if err == nil {
		return 0, ""
	}
	d.printed.WriteString(err.Error())
	var usage *usageError
	if errors.As(err, &usage) {
		return 2, err.Error()
	}
	return 1, err.Error()
}

// must runs a command that has to succeed, and gives what it printed to stdout.
func (d *desk) must(args ...string) string {
	d.t.Helper()
	if code, failure := d.run(args...); code != 0 {
		d.t.Fatalf("%q exits with %d: %s", args, code, failure)
	}
	return d.out.String()
}

// refuses runs a command that has to fail with a code and a text.
func (d *desk) refuses(code int, want string, args ...string) {
	d.t.Helper()
	got, failure := d.run(args...)
	if got != code || !strings.Contains(failure, want) {
		d.t.Errorf("%q exits with %d: %s; want %d and %q", args, got, failure, code, want)
	}
	if d.out.Len() > 0 {
		d.t.Errorf("%q fails and prints %q to stdout", args, d.out.String())
	}
}

// store opens the desk's store, as a running server has it.
func (d *desk) store() *sqlite.Store {
	d.t.Helper()
	s, err := sqlite.Open(d.t.Context(), filepath.Join(d.dir, sqlite.FileName))
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			d.t.Error(err)
		}
	})
	return s
}

// nouns opens the desk's store, wherever it is.
func (d *desk) nouns() (*Config, nounStore) {
	d.t.Helper()
	config, err := loadConfig("", func(name string) string { return d.vars[name] })
	if err != nil {
		d.t.Fatal(err)
	}
	s, err := openNouns(d.t.Context(), config, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			d.t.Error(err)
		}
	})
	return config, s
}

// hides fails the test where a text was printed, or at its end stands in a file of the data
// folder.
func (d *desk) hides(text string) {
	d.t.Helper()
	if strings.Contains(d.printed.String(), text) {
		d.t.Error("a secret was printed")
	}
	d.hidden = append(d.hidden, text)
}

func (d *desk) checkFiles() {
	names, err := filepath.Glob(filepath.Join(d.dir, "*"))
	if err != nil || len(names) == 0 && len(d.hidden) > 0 {
		d.t.Errorf("no files in the data folder: %v", err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			d.t.Error(err)
		}
		for _, text := range d.hidden {
			if bytes.Contains(b, []byte(text)) {
				d.t.Errorf("a secret stands in %s", filepath.Base(name))
			}
		}
	}
}

// flat reads a JSON array of objects that hold nothing nested.
func flat(t *testing.T, text string) []map[string]any {
	t.Helper()
	var rows []map[string]any
	if err := json.Unmarshal([]byte(text), &rows); err != nil || rows == nil {
		t.Fatalf("%q is no JSON array of objects: %v", text, err)
	}
	for _, row := range rows {
		for name, value := range row {
			switch value.(type) {
			case string, float64, bool, nil:
			default:
				t.Errorf("%s is %T, which is not flat", name, value)
			}
		}
	}
	return rows
}
