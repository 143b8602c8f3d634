package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPromptCommands(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	first := write("first.yaml", `
messages:
  - role: system
    content: |
      Greet {{name}}.
      Cost: ${HOME} stays.
model: fast
parameters: {temperature: 0.2}
variables:
  name: {type: string}
`)
	d.must("prompt", "create", "greeting", "--description", "says hello", "--file", first, "--label", "production")
	d.refuses(1, "already exists", "prompt", "create", "greeting")
	d.refuses(1, "not declared", "prompt", "version", "greeting", "--file", write("x.json", `{"messages":[{"role":"user","content":"{{x}}"}]}`))
	d.refuses(2, "--file", "prompt", "version", "greeting")
	shown := d.must("prompt", "show", "greeting@production")
	if !strings.Contains(shown, `Greet {{name}}.\nCost: ${HOME} stays.\n`) {
		t.Errorf("production says\n%s", shown)
	}
	// What is shown can be changed and given back.
	d.must("prompt", "version", "greeting", "--note", "kinder", "--file", write("second.json", strings.Replace(shown, "Greet {{name}}.", "Greet {{name}} kindly.", 1)))
	if got := d.must("prompt", "diff", "greeting", "1", "2"); !strings.Contains(got, "messages[0] changed (system)\n- Greet {{name}}.\n+ Greet {{name}} kindly.\n  Cost") {
		t.Errorf("the difference is\n%s", got)
	}
	d.must("prompt", "label", "greeting", "staging", "1=90,2=10")
	d.must("prompt", "label", "greeting", "production", "2")
	d.refuses(1, "no version 3", "prompt", "label", "greeting", "production", "3")
	d.refuses(2, "no version", "prompt", "label", "greeting", "production", "x")
	if list := d.must("prompt", "list"); !strings.Contains(list, "production=2 staging=1:90,2:10") {
		t.Errorf("the list says\n%s", list)
	}
	if got := d.must("prompt", "render", "greeting", "--var", "name=Ada=x"); !strings.Contains(got, `"prompt": "greeting@2"`) || !strings.Contains(got, "Greet Ada=x kindly.") {
		t.Errorf("rendered is\n%s", got)
	}
	d.refuses(1, "'name'", "prompt", "render", "greeting@1", "--variables", `{"name":3}`)
	rows := flat(t, d.must("prompt", "show", "greeting", "--json"))
	if len(rows) != 2 || rows[1]["note"] != "kinder" {
		t.Errorf("versions are %v", rows)
	}
	flat(t, d.must("prompt", "list", "--json"))
	d.must("prompt", "label", "greeting", "staging", "none")
	d.must("prompt", "remove", "greeting")
	d.refuses(1, "not found", "prompt", "show", "greeting")
}
