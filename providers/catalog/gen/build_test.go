package main

import (
	"os"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/providers/catalog"
)

const facts = `{"source":"s","commit":"c","date":"2026-07-02","licence":"MIT","unit":"x","models":[
 {"provider":"openai","model":"b","reasoning":true,"temperature":false,"reasoning_options":[{"type":"effort","values":["high","low"]}],
  "limit":{"context":10,"output":5},"modalities":{"input":["text","image"],"output":["text"]},"structured_output":false},
 {"provider":"openai","model":"a","status":"deprecated","modalities":{"input":["text"],"output":["text"]},"limit":{"context":1}},
 {"provider":"anthropic","model":"c","reasoning":true,"temperature":true,"reasoning_options":[{"type":"budget_tokens","min":7}],
  "limit":{"output":9},"modalities":{"input":["text","pdf"],"output":["text"]}},
 {"provider":"openai","model":"speaks","modalities":{"input":["text"],"output":["audio"]}},
 {"provider":"openai","model":"gpt-image-1-mini","modalities":{"input":["text"],"output":["text","image"]}},
 {"provider":"openrouter","model":"d","modalities":{"input":["text"],"output":["text"]}}
]}`

func TestBuild(t *testing.T) {
	f := func(overlay, want string) {
		t.Helper()
		got, err := build([]byte(facts), []byte(overlay))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
	f(`{"sources":[],"rules":[{"why":"w","provider":"openai","match":["b"],"can":{"legacy_schema":true,"no_sampling":false}}],"models":[]}`, `{
  "sources": [
    {"name":"models.dev","from":"s","commit":"c","date":"2026-07-02","licence":"MIT"}
  ],
  "models": [
    {"provider":"anthropic","id":"c","input":["text","pdf"],"output":["text"],"can":{"max_output":9,"budget_min":7,"budget_max":9,"no_images":true},"source":"models.dev","checked":"2026-07-02"},
    {"provider":"openai","id":"a","deprecated":true,"input":["text"],"output":["text"],"can":{"context":1,"no_thinking":true,"no_images":true,"no_pdf":true},"source":"models.dev","checked":"2026-07-02"},
    {"provider":"openai","id":"b","input":["text","image"],"output":["text"],"can":{"context":10,"max_output":5,"efforts":["low","high"],"thinking_always":true,"no_structured_output":true,"legacy_schema":true,"no_pdf":true},"source":"models.dev","checked":"2026-07-02"}
  ]
}
`)
}

func TestBuild_errors(t *testing.T) {
	f := func(facts, overlay, want string) {
		t.Helper()
		if _, err := build([]byte(facts), []byte(overlay)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	f(`{`, `{}`, "models.dev's data: ")
	f(facts, `{"rulez":[]}`, "overlay.json: ")
	f(facts, `{"rules":[{"why":"w","provider":"openai","match":["zz"],"can":{}}]}`, `rule "w": no model of openai is named zz`)
	f(facts, `{"rules":[{"why":"w","provider":"openai","match":["a"],"can":{"no_samplink":true}}]}`, `rule "w": `)
}

// The embedded file must be what the overlay beside it says: a rule that was written without a
// new run of the generator would be believed and not be there.
func TestOverlay_applied(t *testing.T) {
	text, err := os.ReadFile("../overlay.json")
	if err != nil {
		t.Fatal(err)
	}
	var over overlay
	if err := json.Unmarshal(text, &over, json.RejectUnknownMembers(true)); err != nil {
		t.Fatal(err)
	}
	embedded, err := os.ReadFile("../models.json")
	if err != nil {
		t.Fatal(err)
	}
	var file catalog.ModelFile
	if err := json.Unmarshal(embedded, &file, json.RejectUnknownMembers(true)); err != nil {
		t.Fatal(err)
	}
	for _, m := range over.Models {
		if !strings.Contains(string(embedded), `"id":"`+m.ID+`"`) {
			t.Errorf("models.json lacks %s/%s of the overlay: run the generator again", m.Provider, m.ID)
		}
	}
	if err := correct(file.Models, over.Rules); err != nil {
		t.Fatal(err)
	}
	again, err := render(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(again) != string(embedded) {
		t.Error("models.json is not what the overlay makes of it: run the generator again")
	}
}

func TestGenerate(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("facts.json", facts)
	if err := generate(dir+"/facts.json", dir+"/facts.json", dir); err == nil || !strings.Contains(err.Error(), "-dir: ") {
		t.Errorf("without an overlay: %v", err)
	}
	write("overlay.json", `{}`)
	write("priceoverlay.json", `{}`)
	if err := generate(dir+"/facts.json", dir+"/facts.json", dir); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(dir + "/models.json"); err != nil || !strings.Contains(string(text), `"id":"a"`) {
		t.Errorf("%s, %v", text, err)
	}
	if err := generate(dir+"/nothing.json", dir+"/facts.json", dir); err == nil || !strings.Contains(err.Error(), "-from: ") {
		t.Errorf("without facts: %v", err)
	}
}
