package policy

import (
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// parameters reads "temperature=0.2 seed=null".
func parameters(text string) (list []storage.Parameter) {
	for _, word := range strings.Fields(text) {
		name, value, _ := strings.Cut(word, "=")
		list = append(list, storage.Parameter{Name: name, Value: []byte(value)})
	}
	return list
}

func TestRewrite(t *testing.T) {
	// alias and key are "defaults | forced"; want is "" where the body stays as it is.
	f := func(alias, key, in, want string) {
		t.Helper()
		var sets [2]storage.Parameters
		for i, text := range []string{alias, key} {
			defaults, forced, _ := strings.Cut(text, "|")
			sets[i] = storage.Parameters{Defaults: parameters(defaults), Force: parameters(forced)}
			if err := sets[i].Check(); err != nil {
				t.Fatal(err)
			}
		}
		var doc, after providers.Document
		if err := doc.Scan([]byte(in), nil); err != nil {
			t.Fatal(err)
		}
		got, changed, err := Rewrite([]byte("x"), &doc, &providers.Endpoint{Op: providers.OpChat}, &sets[0], &sets[1])
		if err != nil {
			t.Fatal(err)
		}
		if changed != (want != "") || string(got) != "x"+want {
			t.Errorf("%s\ngot  %s (%v)\nwant %s", in, got[1:], changed, want)
		}
		if changed {
			if err := after.Scan(got[1:], nil); err != nil {
				t.Errorf("%s: %v", got, err)
			}
		}
	}
	f("", "", `{"model":"m"}`, "")
	f("temperature=0.2", "", `{"model":"m"}`, `{"model":"m","temperature":0.2}`)
	f("temperature=0.2", "", `{ "temperature" : 1 }`, "")
	f("temperature=0.2", "", `{ "temperature" : null , "n":1}`, `{ "temperature" : 0.2 , "n":1}`)
	f("temperature=0.2", "", `{"Temperature":1}`, "")
	f("temperature=0.2", "", `{"Temperature":null}`, `{"temperature":0.2}`)
	f("temperature=0.2", "temperature=0.9", `{}`, `{"temperature":0.9}`)
	f("temperature=0.2", "top_p=0.5", `{}`, `{"top_p":0.5,"temperature":0.2}`)

	f("|service_tier=\"default\"", "", `{"service_tier":"priority","a":[1, 2]}`, `{"service_tier":"default","a":[1, 2]}`)
	f("|service_tier=\"default\"", "", `{"service_tier":"default"}`, "")
	f("|service_tier=\"default\"", "", `{"SERVICE_tier":"priority"}`, `{"service_tier":"default"}`)
	f("|service_tier=\"default\"", "", `{"service_t\u0069er":"priority"}`, `{"service_t\u0069er":"default"}`)
	f("|service_tier=\"default\"", "|service_tier=\"flex\"", `{}`, `{"service_tier":"flex"}`)
	f("|service_tier=\"default\"", "service_tier=\"flex\"", `{}`, `{"service_tier":"default"}`)
	f("|seed=null", "", `{"seed":1,"n":2}`, `{"n":2}`)
	f("|seed=null", "", `{"SEED":1}`, `{}`)
	f("|seed=null", "", `{"n":2}`, "")
	f("|seed=null", "seed=5", `{"n":2}`, "")
	f("|metadata={\"a\":[1,{}]}", "", `{}`, `{"metadata":{"a":[1,{}]}}`)

	// One bound under two names.
	f("max_completion_tokens=100", "", `{"max_tokens":5}`, "")
	f("max_completion_tokens=100", "max_tokens=50", `{}`, `{"max_tokens":50}`)
	f("|max_tokens=100", "", `{"max_completion_tokens":5000,"n":1}`, `{"n":1,"max_tokens":100}`)
	f("|max_tokens=100", "", `{"Max_Completion_Tokens":5000,"max_tokens":5}`, `{"max_tokens":100}`)
	f("|max_tokens=100", "|max_completion_tokens=70", `{"max_tokens":5}`, `{"max_completion_tokens":70}`)
}

func TestRewrite_otherWords(t *testing.T) {
	at := &providers.Endpoint{Op: providers.OpChat, Words: map[string]providers.Word{
		"max_tokens": {Path: "config.maxTokens"}, "max_completion_tokens": {Path: "config.maxTokens"}, "stop": {Path: "config.stops", List: true},
		"temperature": {Path: "config.temperature"}, "reasoning_effort": {Path: "config.think.effort"}, "user": {Path: "user_id"}, "store": {},
	}}
	f := func(params, in, want string) {
		t.Helper()
		defaults, forced, _ := strings.Cut(params, "|")
		set := &storage.Parameters{Defaults: parameters(defaults), Force: parameters(forced)}
		var doc, after providers.Document
		if err := doc.Scan([]byte(in), nil); err != nil {
			t.Fatal(err)
		}
		got, changed, err := Rewrite(nil, &doc, at, set)
		if err != nil {
			got, changed = []byte(err.Error()), true
		}
		if changed != (want != "") || !strings.HasPrefix(string(got), want) {
			t.Errorf("%s of %s:\ngot  %s\nwant %s", params, in, got, want)
		}
		if err == nil && changed && after.Scan(got, nil) != nil {
			t.Errorf("%s is no document", got)
		}
	}
	f("temperature=1", `{}`, `{"config":{"temperature":1}}`)
	f("temperature=1 max_tokens=5 user=\"u\"", `{"a":1}`, `{"a":1,"config":{"temperature":1,"maxTokens":5},"user_id":"u"}`)
	f("temperature=1", `{"config":{"temperature":2}}`, "")
	f("temperature=1", `{"config":null}`, `{"config":{"temperature":1}}`)
	f("temperature=1", `{"config":7}`, "")
	f("|temperature=1", `{"config":7}`, `{"config":{"temperature":1}}`)
	f("|temperature=1", `{"config":{"temperature":2,"b":[1, 2]}}`, `{"config":{"temperature":1,"b":[1, 2]}}`)
	f("|max_tokens=5", `{"config":{"max_tokens":9,"maxTokens":8}}`, `{"config":{"maxTokens":5}}`)
	f("|max_tokens=5", `{"Config":{"MaxTokens":9}}`, `{"Config":{"maxTokens":5}}`)
	f("|max_completion_tokens=5", `{"config":{"x":1}}`, `{"config":{"x":1,"maxTokens":5}}`)
	f("|max_tokens=null", `{"config":{"max_tokens":9,"b":1}}`, `{"config":{"b":1}}`)
	f("stop=\"x\"", `{}`, `{"config":{"stops":["x"]}}`)
	f("stop=[\"x\"]", `{}`, `{"config":{"stops":["x"]}}`)
	f("|reasoning_effort=\"low\"", `{"config":{"think":{"effort":"high","show":true}}}`, `{"config":{"think":{"effort":"low","show":true}}}`)
	f("seed=1", `{}`, "")
	f("store=true|store=false", `{}`, "")
	f("|seed=null", `{}`, "")
	f("|seed=1", `{}`, "This key or model is bound to a value of 'seed'")
	f("|temperature=1", `{"config":{},"con_fig":{}}`, "the request body has the members")
	f("|temperature=1", `{"config":{"a":1,"a":2}}`, "the request body has the member")
}

// Each operation is offered only what it knows.
func TestRewrite_operations(t *testing.T) {
	f := func(op providers.Op, params, want string) {
		t.Helper()
		var doc providers.Document
		if err := doc.Scan([]byte(`{}`), nil); err != nil {
			t.Fatal(err)
		}
		for _, set := range []*storage.Parameters{{Defaults: parameters(params)}, {Force: parameters(params)}} {
			if got, _, err := Rewrite(nil, &doc, &providers.Endpoint{Op: op}, set); string(got) != want || err != nil {
				t.Errorf("%v: %s becomes %s, %v, want %s", op, params, got, err, want)
			}
		}
	}
	chat := `temperature=1 dimensions=256 user="u" max_tokens=5 safety_identifier="s" service_tier="flex"`
	f(providers.OpChat, chat, `{"temperature":1,"user":"u","max_tokens":5,"safety_identifier":"s","service_tier":"flex"}`)
	f(providers.OpCompletions, chat, `{"temperature":1,"user":"u","max_tokens":5,"safety_identifier":"s","service_tier":"flex"}`)
	f(providers.OpEmbeddings, chat, `{"dimensions":256,"user":"u"}`)
	f(providers.OpImages, chat, `{"user":"u"}`)
	for _, op := range []providers.Op{providers.OpSpeech, providers.OpTranscription, providers.OpTranslation, providers.OpModerations} {
		f(op, chat, ``)
	}
	media := `voice="alloy" language="en" size="1024x1024" quality="low" style="vivid" n=1 input_fidelity="low" timestamp_granularities[]=["word"]`
	f(providers.OpChat, media, `{"n":1}`)
	f(providers.OpSpeech, media, `{"voice":"alloy"}`)
	f(providers.OpTranscription, media, `{"language":"en","timestamp_granularities[]":["word"]}`)
	f(providers.OpTranslation, media, ``)
	f(providers.OpImages, media, `{"size":"1024x1024","quality":"low","style":"vivid","n":1}`)
	f(providers.OpImageEdits, media, `{"size":"1024x1024","quality":"low","n":1,"input_fidelity":"low"}`)
	f(providers.OpImageVariations, media, `{"size":"1024x1024","n":1}`)
	f(providers.OpModerations, media, ``)
	// Names that chats and others share, with another meaning.
	f(providers.OpChat, `response_format={"type":"json_object"} background=true speed="fast"`, `{"response_format":{"type":"json_object"},"background":true,"speed":"fast"}`)
	f(providers.OpChat, `response_format="mp3" background="opaque" speed=2`, ``)
	f(providers.OpSpeech, `response_format={"type":"json_object"} background=true speed="fast"`, ``)
	f(providers.OpSpeech, `response_format="mp3" background="opaque" speed=2`, `{"response_format":"mp3","speed":2}`)
	f(providers.OpImages, `response_format="url" background="opaque" speed=2`, `{"response_format":"url","background":"opaque"}`)
	f(providers.OpTranscription, `response_format="json" temperature=0.2`, `{"response_format":"json"}`)
}

func TestRewrite_costsNothingWhereNothingIsSet(t *testing.T) {
	var doc providers.Document
	if err := doc.Scan([]byte(`{"model":"m","messages":[],"temperature":1}`), nil); err != nil {
		t.Fatal(err)
	}
	chat := providers.Endpoint{Op: providers.OpChat}
	none, some := &storage.Parameters{}, &storage.Parameters{Defaults: parameters("temperature=0.2"), Force: parameters("temperature=1")}
	for _, set := range []*storage.Parameters{none, some} {
		allocated := testing.AllocsPerRun(100, func() {
			if _, changed, _ := Rewrite(nil, &doc, &chat, none, set); changed {
				t.Error("changed")
			}
		})
		if set == none && allocated > 0 {
			t.Errorf("%v allocations", allocated)
		}
	}
}

func BenchmarkRewrite_none(b *testing.B) {
	var doc providers.Document
	if err := doc.Scan([]byte(`{"model":"m","messages":[],"temperature":1}`), nil); err != nil {
		b.Fatal(err)
	}
	chat := providers.Endpoint{Op: providers.OpChat}
	none := &storage.Parameters{}
	b.ReportAllocs()
	for b.Loop() {
		_, _, _ = Rewrite(nil, &doc, &chat, none, none)
	}
}
