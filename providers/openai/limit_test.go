package openai_test

import (
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
)

func TestClamp(t *testing.T) {
	f := func(call providers.Call, in, out, clamped string, most int64) {
		t.Helper()
		call.Doc, call.Model = scan(t, in), "m"
		if call.Op == 0 {
			call.Op = providers.OpChat
		}
		plan, err := openai.Dialect{}.Splice(&call)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(plan.Requests[0].Body); got != out || plan.Clamped != clamped || plan.MaxOutput != most {
			t.Errorf("%s\ngot  %s (%q, %d)\nwant %s (%q, %d)", in, got, plan.Clamped, plan.MaxOutput, out, clamped, most)
		}
	}
	chat := providers.Call{Clamp: 100}
	// What fits stays, and every other byte too.
	f(chat, `{ "model":"m", "max_tokens" : 100 , "x":[1, 2]}`, `{ "model":"m", "max_tokens" : 100 , "x":[1, 2]}`, "", 100)
	f(chat, `{ "model":"m", "max_tokens" : 101 , "x":[1, 2]}`, `{ "model":"m", "max_tokens" : 100 , "x":[1, 2]}`, "max_tokens=100", 100)
	f(chat, `{"max_completion_tokens":1e3,"model":"m"}`, `{"max_completion_tokens":100,"model":"m"}`, "max_completion_tokens=100", 100)
	f(chat, `{"model":"m"}`, `{"model":"m","max_completion_tokens":100}`, "max_completion_tokens=100", 100)
	f(chat, `{"model":"m","max_completion_tokens":null}`, `{"model":"m","max_completion_tokens":100}`, "max_completion_tokens=100", 100)
	f(chat, `{"model":"m","max_tokens":20,"max_completion_tokens":200}`, `{"model":"m","max_tokens":20,"max_completion_tokens":100}`, "max_completion_tokens=100", 100)
	// To some servers these are no bound, or the same bound.
	f(chat, `{"model":"m","max_tokens":0}`, `{"model":"m","max_tokens":100}`, "max_tokens=100", 100)
	f(chat, `{"model":"m","max_tokens":-1}`, `{"model":"m","max_tokens":100}`, "max_tokens=100", 100)
	f(chat, `{"model":"m","max_tokens":"9"}`, `{"model":"m","max_tokens":100}`, "max_tokens=100", 100)
	f(chat, `{"model":"m","Max_Tokens":900}`, `{"model":"m","max_tokens":100}`, "max_tokens=100", 100)
	f(chat, `{"model":"m","Max_Tokens":9}`, `{"model":"m","max_tokens":9}`, "", 9)
	f(chat, `{"model":"m","max_to\u212Aens":900}`, `{"model":"m","max_tokens":100}`, "max_tokens=100", 100)
	f(chat, `{"model":"m","max_completion_tokens":5,"MAX_TOKENS":900}`, `{"model":"m","max_completion_tokens":5,"max_tokens":100}`, "max_tokens=100", 100)
	// All choices together.
	f(chat, `{"model":"m","n":3}`, `{"model":"m","n":3,"max_completion_tokens":33}`, "max_completion_tokens=33", 99)
	f(chat, `{"model":"m","N":8,"max_tokens":13}`, `{"model":"m","N":8,"max_tokens":12}`, "max_tokens=12", 96)
	f(chat, `{"model":"m","n":1000}`, `{"model":"m","n":1000,"max_completion_tokens":1}`, "max_completion_tokens=1", 1000)
	// Beside a prediction the newer name is refused.
	f(chat, `{"model":"m","prediction":{}}`, `{"model":"m","prediction":{},"max_tokens":100}`, "max_tokens=100", 100)
	// What the client says of streams and usage is spliced as ever.
	f(providers.Call{Clamp: 7, Stream: true}, `{"model":"m","max_tokens":9}`, `{"model":"m","max_tokens":7,"stream_options":{"include_usage":true}}`, "max_tokens=7", 7)

	old := providers.Call{Clamp: 100, Op: providers.OpCompletions}
	f(old, `{"model":"m","prompt":"a"}`, `{"model":"m","prompt":"a","max_tokens":16}`, "", 16)
	f(old, `{"model":"m","prompt":["a","b"],"n":2,"best_of":5}`, `{"model":"m","prompt":["a","b"],"n":2,"best_of":5,"max_tokens":10}`, "max_tokens=10", 100)
	f(old, `{"model":"m","prompt":[1,2,3],"max_tokens":200}`, `{"model":"m","prompt":[1,2,3],"max_tokens":100}`, "max_tokens=100", 100)
	f(old, `{"model":"m","prompt":[[1],[2,3]],"max_tokens":200}`, `{"model":"m","prompt":[[1],[2,3]],"max_tokens":50}`, "max_tokens=50", 100)
	f(providers.Call{Clamp: 5, Op: providers.OpEmbeddings}, `{"model":"m","max_tokens":9}`, `{"model":"m","max_tokens":9}`, "", 0)

	renamed := providers.Call{Clamp: 100, Quirks: providers.Quirks{Rename: map[string]string{"max_completion_tokens": "max_tokens"}}}
	f(renamed, `{"model":"m"}`, `{"model":"m","max_tokens":100}`, "max_completion_tokens=100", 100)
	f(renamed, `{"model":"m","max_tokens":null,"max_completion_tokens":null}`, `{"model":"m","max_tokens":100}`, "max_completion_tokens=100", 100)
	f(renamed, `{"model":"m","max_completion_tokens":500}`, `{"model":"m","max_tokens":100}`, "max_completion_tokens=100", 100)
	f(renamed, `{"model":"m","max_completion_tokens":50}`, `{"model":"m","max_tokens":50}`, "", 50)
	f(renamed, `{"model":"m","Max_Completion_Tokens":500}`, `{"model":"m","max_tokens":100}`, "max_completion_tokens=100", 100)
	f(renamed, `{"model":"m","max_completion_tokens":500,"max_tokens":50}`, `{"model":"m","max_tokens":50}`, "", 50)
	stripped := providers.Call{Clamp: 100, Quirks: providers.Quirks{Strip: []string{"max_completion_tokens"}}}
	f(stripped, `{"model":"m","max_completion_tokens":50}`, `{"model":"m","max_tokens":100}`, "max_tokens=100", 100)
	deaf := providers.Call{Clamp: 100, Quirks: providers.Quirks{Strip: []string{"max_completion_tokens", "max_tokens"}}}
	f(deaf, `{"model":"m","max_tokens":50}`, `{"model":"m"}`, "", 0)
}

// A bound under a name that only some parsers read is no bound, and a larger one is.
func TestMaxOutput_spellings(t *testing.T) {
	f := func(in string, want int64) {
		t.Helper()
		plan, err := openai.Dialect{}.Splice(&providers.Call{Op: providers.OpChat, Doc: scan(t, in), Model: "m"})
		if err != nil || plan.MaxOutput != want || plan.Clamped != "" {
			t.Errorf("%s: at most %d tokens (%v, %q), want %d", in, plan.MaxOutput, err, plan.Clamped, want)
		}
	}
	f(`{"model":"a","Max_Tokens":10}`, 0)
	f(`{"model":"a","Max_Tokens":10,"max_completion_tokens":5}`, 10)
	f(`{"model":"a","N":4,"max_completion_tokens":5}`, 20)
}

// A clamped body is the client's but for the one number, whatever stands around it.
func FuzzClamp(f *testing.F) {
	for _, seed := range []string{
		`{"model":"m"}`, `{"max_tokens":5,"model":"m"}`, `{"model":"m","n":3,"MAX_COMPLETION_TOKENS":9e9}`, `{"model":"m","max_tokens":null,"max_completion_tokens":-1}`,
	} {
		f.Add(seed, int64(7))
	}
	f.Fuzz(func(t *testing.T, in string, clamp int64) {
		var doc, out providers.Document
		if clamp <= 0 || doc.Scan([]byte(in), nil) != nil || doc.Field("model") == nil {
			return
		}
		plan, err := openai.Dialect{}.Splice(&providers.Call{Op: providers.OpChat, Doc: &doc, Model: "m", Clamp: clamp})
		if err != nil {
			t.Fatal(err)
		}
		body := plan.Requests[0].Body
		if err := out.Scan(body, nil); err != nil {
			t.Fatalf("%s\n%s: %v", in, body, err)
		}
		if plan.MaxOutput == 0 {
			t.Fatalf("%s: no bound was told", body)
		}
		for i := range out.Fields {
			name := out.Fields[i].Name
			if strings.EqualFold(name, "max_tokens") || strings.EqualFold(name, "max_completion_tokens") {
				if n, said, err := out.Int(name); said && (err != nil || n < 1 || n > clamp && n > 1) {
					t.Fatalf("%s: %s is more than %d", body, name, clamp)
				}
				continue
			}
			if was := doc.Value(name); name != "model" && string(was) != string(out.Value(name)) {
				t.Fatalf("%s\n%s: %s was changed", in, body, name)
			}
		}
	})
}
