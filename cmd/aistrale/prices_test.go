package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPricesList(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	text := d.must("prices", "list", "--provider", "anthropic")
	if !strings.Contains(text, "anthropic/claude-sonnet-4-5 ") || !strings.Contains(text, ">200k") || strings.Contains(text, "openai/") {
		t.Errorf("the list says\n%s", text)
	}
	rows := flat(t, d.must("prices", "list", "--json", "--provider=mock"))
	if len(rows) != 8 {
		t.Fatalf("%d prices of the emulator, want 8", len(rows))
	}
	byModel := map[any]map[string]any{}
	for _, row := range rows {
		byModel[row["model"]] = row
	}
	if byModel["tts-1*"]["character"] != 0.000015 || byModel["whisper*"]["hour_in"] != 0.36 || byModel["dall-e*"]["image"] != 0.02 {
		t.Errorf("of sounds and images: %v", byModel)
	}
	for _, name := range []string{"gpt", "claude", "gemini"} {
		row := byModel[name]
		if row["input"] != 1.0 || row["output"] != 2.0 || row["reasoning"] != nil || row["list"] != "catalogue" || row["from"] != "" {
			t.Errorf("got %v", row)
		}
	}
	// A price holds from its date on.
	released := flat(t, d.must("prices", "list", "--json", "--at", "2026-07-01", "--provider", "anthropic"))
	before := flat(t, d.must("prices", "list", "--json", "--provider", "anthropic")) // the desk's today: January
	if len(released) <= len(before) {
		t.Errorf("%d prices in July, %d in January", len(released), len(before))
	}
	d.refuses(2, "no date", "prices", "list", "--at", "July")
	d.refuses(2, "usage: ", "prices", "list", "more")
	d.refuses(2, "usage: ", "prices", "lsit")
}

func TestPricesShow(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	text := d.must("prices", "show", "claude-sonnet-4-5-20250929")
	for _, want := range []string{"anthropic/claude-sonnet-4-5@2025-09-29#", "standard over 200000", "cache_write_1h, a million", "search, each", "22.5", "list     catalogue", "litellm"} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	rows := flat(t, d.must("prices", "show", "openai/gpt-5", "--json"))
	tiers := map[any]any{}
	for _, row := range rows {
		tiers[row["tier"]] = row["input"]
	}
	if len(rows) != 4 || tiers[""] != 1.25 || tiers["flex"] != 0.625 || tiers["priority"] != 2.5 {
		t.Errorf("got %v", rows)
	}
	d.refuses(1, "is not known", "prices", "show", "openai/gpt-9-pro")
	d.refuses(1, "is not known", "prices", "show", "openai/gpt-5", "--at", "2020-01-01")
	d.refuses(2, "which provider's", "prices", "show", "openai-oss")
}

// The configuration goes before the store, and the store before the catalogue.
func TestPrices_superseded(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	list := filepath.Join(t.TempDir(), "list.json")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	show := func(args ...string) map[string]any {
		t.Helper()
		return flat(t, d.must(append([]string{"prices", "show", "mistral/mistral-nemo", "--json"}, args...)...))[0]
	}
	write(`{"date":"2026-01-01","models":[{"provider":"mistral","model":"mistral-nemo","cost":{"input":0.2,"output":0.3}}]}`)
	if said := d.must("prices", "import", list, "--model", "mistral-nemo", "--dry-run"); !strings.Contains(said, "input 0.15 -> 0.2") {
		t.Errorf("a dry run says\n%s", said)
	}
	if row := show(); row["list"] != "catalogue" || row["input"] != 0.15 {
		t.Fatalf("a dry run has changed the price to %v", row)
	}
	rows := flat(t, d.must("prices", "import", list, "--model", "mistral-nemo", "--from", "2026-01-02", "--json"))
	if len(rows) != 1 || rows[0]["action"] != "changed" || rows[0]["model"] != "mistral-nemo" {
		t.Fatalf("imported %v", rows)
	}
	if row := show(); row["list"] != "store" || row["input"] != 0.2 || row["id"] != rows[0]["id"] || row["checked"] != "2026-01-01" {
		t.Errorf("after the import the price is %v", row)
	}
	if row := show("--at", "2026-01-01"); row["list"] != "catalogue" {
		t.Errorf("before its date the price is %v", row)
	}
	if again := d.must("prices", "import", list, "--model", "mistral-nemo"); !strings.Contains(again, "0 prices imported, 1 unchanged") {
		t.Errorf("a second import says %s", again)
	}

	config := filepath.Join(t.TempDir(), "aistrale.yaml")
	if err := os.WriteFile(config, []byte("data_dir: "+d.dir+"\nproviders: [{name: mock}]\nprices:\n  - {model: mistral/mistral-nemo, input: 0.4, output: 0.5}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if row := show("--config", config); row["list"] != "config" || row["input"] != 0.4 {
		t.Errorf("with a configured price it is %v", row)
	}
}

func TestPricesImport_refused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	list := filepath.Join(t.TempDir(), "list.json")
	const models = `{"gpt-4o":{"litellm_provider":"openai","input_cost_per_token":2.5e-05,"output_cost_per_token":1e-05},
		"groq/llama-9":{"litellm_provider":"groq","input_cost_per_token":1e-06,"output_cost_per_token":1e-06}}`
	if err := os.WriteFile(list, []byte(models), 0o600); err != nil {
		t.Fatal(err)
	}
	d.refuses(1, "openai/gpt-4o: changes tenfold: input 2.5 -> 25", "prices", "import", list)
	d.refuses(1, "known models are missing", "prices", "import", list)
	d.refuses(1, "nothing is imported", "prices", "import", list, "--json")
	if prices, err := d.store().Prices(t.Context()); err != nil || len(prices) != 0 {
		t.Fatalf("refused, and %d prices are stored, error %v", len(prices), err)
	}
	d.must("prices", "import", list, "--force")
	prices, err := d.store().Prices(t.Context())
	if err != nil || len(prices) != 2 || !prices[0].From.Equal(d.now.Truncate(24*time.Hour)) {
		t.Fatalf("forced: %+v, error %v", prices, err)
	}
	d.refuses(1, "no such file", "prices", "import", list+"x")
	d.refuses(1, "no price that could be imported", "prices", "import", list, "--provider", "xai")
	d.refuses(2, "usage: ", "prices", "import")
}
