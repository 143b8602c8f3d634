package openai_test

import (
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
)

func TestSplice(t *testing.T) {
	f := func(call providers.Call, in, out string, hide bool, dropped ...string) {
		t.Helper()
		call.Doc, call.Model, call.Path = scan(t, in), "up/m", "/p"
		if call.Op == 0 {
			call.Op = providers.OpChat
		}
		plan, err := openai.Dialect{}.Splice(&call)
		if err != nil {
			t.Fatal(err)
		}
		if got := plan.Requests[0]; string(got.Body) != out || got.Path != "/p" || plan.HideUsage != hide {
			t.Errorf("%s\ngot  %s (hide %v)\nwant %s", in, got.Body, plan.HideUsage, out)
		}
		if len(plan.Dropped) != len(dropped) {
			t.Errorf("%s: dropped %q, want %q", in, plan.Dropped, dropped)
		}
		for i := range plan.Dropped {
			if plan.Dropped[i] != dropped[i] {
				t.Errorf("%s: dropped %q, want %q", in, plan.Dropped, dropped)
			}
		}
	}
	whole, stream := providers.Call{Op: providers.OpChat}, providers.Call{Op: providers.OpChat, Stream: true}
	f(whole, `{ "model" : "a", "n":1 }`, `{ "model" : "up/m", "n":1 }`, false)
	f(whole, `{"model":"a","stream_options":null}`, `{"model":"up/m","stream_options":null}`, false)
	f(stream, `{"model":"a"}`, `{"model":"up/m","stream_options":{"include_usage":true}}`, true)
	f(stream, `{"model":"a","stream_options":null}`, `{"model":"up/m","stream_options":{"include_usage":true}}`, true)
	f(stream, `{"model":"a","stream_options":{}}`, `{"model":"up/m","stream_options":{"include_usage":true}}`, true)
	f(stream, `{"model":"a","stream_options":{"include_usage":false,"include_obfuscation":false}}`, `{"model":"up/m","stream_options":{"include_usage":true,"include_obfuscation":false}}`, true)
	f(stream, `{"model":"a","stream_options":{"include_usage":null}}`, `{"model":"up/m","stream_options":{"include_usage":true}}`, true)
	f(stream, `{"model":"a","stream_options":{"include_usage":true}}`, `{"model":"up/m","stream_options":{"include_usage":true}}`, false)
	f(stream, `{"model":"a","stream_options":"x"}`, `{"model":"up/m","stream_options":"x"}`, false)
	f(stream, `{"model":"a","stream_options":{"include_usage":"x"}}`, `{"model":"up/m","stream_options":{"include_usage":"x"}}`, false)
	f(providers.Call{Stream: true, Op: providers.OpEmbeddings}, `{"model":"a"}`, `{"model":"up/m"}`, false)
	f(providers.Call{Stream: true, Op: providers.OpCompletions}, `{"model":"a"}`, `{"model":"up/m","stream_options":{"include_usage":true}}`, true)

	quirks := providers.Call{Quirks: providers.Quirks{Strip: []string{"store", "seed"}, Rename: map[string]string{"max_completion_tokens": "max_tokens"}}}
	f(quirks, `{"model":"a","store":null,"seed":1}`, `{"model":"up/m"}`, false, "seed")
	f(quirks, `{"store":true,"model":"a"}`, `{"model":"up/m"}`, false, "store")
	f(quirks, `{"model":"a","max_completion_tokens":5}`, `{"model":"up/m","max_tokens":5}`, false)
	f(quirks, `{"model":"a","max_completion_tokens":5,"max_tokens":null}`, `{"model":"up/m","max_tokens":5}`, false)
	f(quirks, `{"model":"a","max_completion_tokens":5,"max_tokens":6}`, `{"model":"up/m","max_tokens":6}`, false, "max_completion_tokens")
	quiet := providers.Call{Op: providers.OpChat, Stream: true, Quirks: providers.Quirks{NoStreamUsage: true}}
	f(quiet, `{"model":"a","stream_options":{"include_usage":true}}`, `{"model":"up/m"}`, false, "stream_options")
	f(quiet, `{"model":"a"}`, `{"model":"up/m"}`, false)

	call := stream
	call.Doc = scan(t, `{"model":"a","stream_options":{"include_usage":false,"include_usage":true}}`)
	if _, err := (openai.Dialect{}).Splice(&call); err == nil {
		t.Error("a member that is given twice was let through")
	}
}

func TestSpliceMaxOutput(t *testing.T) {
	f := func(op providers.Op, in string, want int64) {
		t.Helper()
		plan, err := openai.Dialect{}.Splice(&providers.Call{Op: op, Doc: scan(t, in), Model: "m"})
		if err != nil {
			t.Fatal(err)
		}
		if plan.MaxOutput != want {
			t.Errorf("%s: at most %d tokens, want %d", in, plan.MaxOutput, want)
		}
	}
	f(providers.OpChat, `{"model":"a"}`, 0)
	f(providers.OpChat, `{"model":"a","max_tokens":null}`, 0)
	f(providers.OpChat, `{"model":"a","max_tokens":10}`, 10)
	f(providers.OpChat, `{"model":"a","max_completion_tokens":10,"n":3}`, 30)
	f(providers.OpChat, `{"model":"a","max_completion_tokens":10,"max_tokens":20}`, 20)
	f(providers.OpCompletions, `{"model":"a"}`, 16)
	f(providers.OpCompletions, `{"model":"a","max_tokens":5,"n":2,"best_of":4}`, 20)
	f(providers.OpEmbeddings, `{"model":"a","max_tokens":5}`, 0)
}
