package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestExpand(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("from: [a file]\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := decoder{readFile: os.ReadFile, getenv: variables("VAR", "value", "TRICK", "x\nlisten: ${VAR}", "_9", "nine")}
	f := func(text, want string) {
		t.Helper()
		if got, err := d.expand(text); err != nil || got != want {
			t.Errorf("expand(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
	f("", "")
	f("plain $5 {x} $VAR $", "plain $5 {x} $VAR $")
	f("${VAR}", "value")
	f("a${VAR}b${_9}c", "avaluebninec")
	f("${VAR:-other}", "value")
	f("${NONE:-other}", "other")
	f("${NONE:-}", "")
	f("${NONE:-a:-b}", "a:-b")
	f("$${VAR} ${VAR}", "${VAR} value")
	f("$$${VAR}", "$${VAR}")
	f("${file:"+file+"}", "from: [a file]")
	f("${TRICK}", "x\nlisten: ${VAR}") // what a variable holds is not expanded again
	for _, text := range []string{"${", "${}", "${9}", "${A-B}", "${NONE}", "${:-x}", "x${VAR", "${file:/does/not/exist}"} {
		if got, err := d.expand(text); err == nil {
			t.Errorf("expand(%q) = %q", text, got)
		}
	}
}

// A secret that looks like YAML stays one value.
func TestExpand_injection(t *testing.T) {
	c := mustLoad(t, "providers: [{name: openai, api_key: '${KEY}'}, {name: mock}]\nnode: ${NODE}\n",
		"KEY", "x'}]\nlisten: ':1'", "NODE", "[a, b]: *c # d")
	if c.Providers[0].APIKey.Reveal() != "x'}]\nlisten: ':1'" || c.Node != "[a, b]: *c # d" || c.Listen != ":8080" {
		t.Errorf("%+v", c)
	}
}

func FuzzExpand(f *testing.F) {
	for _, seed := range []string{"${VAR}", "$${VAR}", "${VAR:-x}", "${file:x}", "a${", "}${}"} {
		f.Add(seed)
	}
	d := decoder{getenv: variables("VAR", "v"), readFile: func(string) ([]byte, error) { return []byte("f"), nil }}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := d.expand(text)
		if !strings.Contains(text, "${") && (err != nil || got != text) {
			t.Errorf("expand(%q) = %q, %v, and there is nothing to expand", text, got, err)
		}
		if err != nil && got != "" {
			t.Errorf("expand(%q) = %q beside %v", text, got, err)
		}
		escaped := strings.ReplaceAll(text, "${", "$${")
		if got, err := d.expand(escaped); err != nil || got != text {
			t.Errorf("expand(%q) = %q, %v, want %q", escaped, got, err, text)
		}
	})
}
