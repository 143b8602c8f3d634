package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const litellmFiles = "testdata/litellm"

// Configurations of LiteLLM proxies become ours, and what was left is listed.
func TestImportLiteLLM(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"simple", "cloud"} {
		d := newDesk(t)
		args := []string{"import", "litellm", filepath.Join(litellmFiles, name+".yaml")}
		if keys := filepath.Join(litellmFiles, name+".keys.json"); exists(keys) {
			args = append(args, "--keys", keys)
		}
		text := d.must(args...)
		golden(t, name+".golden.yaml", text)
		golden(t, name+".report.txt", d.err.String())
		for _, secret := range []string{"in-clear", "sk-1234", "hunter2", "88dc28d0f030"} {
			if strings.Contains(text+d.err.String(), secret) {
				t.Errorf("%s: %q was written", name, secret)
			}
		}
		// check says so too, with a file and an environment.
		file := filepath.Join(t.TempDir(), "aistrale.yaml")
		d.must(append(args, "--out", file)...)
		d.refuses(1, "exists", append(args, "--out", file)...)
		for _, variable := range strings.Fields("OPENAI_API_KEY ANTHROPIC_API_KEY ANTHROPIC_2_API_KEY GROQ_API_KEY GEMINI_API_KEY AZURE_EU_KEY AZURE_US_KEY " +
			"AWS_ID AWS_SECRET AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION_NAME GOOGLE_JSON LLM_EXAMPLE_COM_API_KEY HF_TOKEN") {
			d.vars[variable] = "x"
		}
		d.vars["AZURE_US_BASE"] = "https://my-us.openai.azure.com"
		if said := d.must("check", "--config", file); said != "OK\n" {
			t.Errorf("%s: %s", name, said)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// golden holds a text against a file of the testdata; AISTRALE_UPDATE=1 writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join(litellmFiles, name)
	if os.Getenv("AISTRALE_UPDATE") != "" {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is another one:\n%s", name, got)
	}
}

func TestImportLiteLLM_Wrong(t *testing.T) {
	d := newDesk(t)
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "x.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	d.refuses(1, "no model_list", "import", "litellm", write("listen: :8080\n"))
	d.refuses(1, "no model_list", "import", "litellm", write(""))
	d.refuses(2, "words where 1", "import", "litellm")
	d.refuses(1, "neither a list of keys", "import", "litellm", write("model_list: []\n"), "--keys", write("x"))
	clear := write("model_list: [{model_name: a, litellm_params: {model: openai/gpt-4o, api_key: sk-in-clear}}]\n")
	if text := d.must("import", "litellm", clear, "--secrets"); !strings.Contains(text, "api_key: sk-in-clear") {
		t.Errorf("got %s", text)
	}
}
