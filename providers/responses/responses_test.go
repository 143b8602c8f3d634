package responses

import (
	"testing"

	"github.com/aistrale/aistrale/providers"
)

func TestSeals(t *testing.T) {
	for _, c := range []struct {
		seal providers.Seal
		on   string
	}{
		{providers.Seal{Minter: "openai", Encrypted: "gAAA", ID: "rs_1"}, ""},
		{providers.Seal{Minter: "anthropic", Signature: "a+/=\"\n"}, ""},
		{providers.Seal{Minter: "gemini", Signature: "s"}, "call_1"},
		{providers.Seal{Minter: "openai", Encrypted: "gAAA", ID: "rs_other"}, ""},
	} {
		packed := packSeal(&c.seal, "rs_1", c.on)
		seal, on := unpackSeal(packed, "rs_1")
		if seal == nil || *seal != c.seal || on != c.on {
			t.Errorf("%+v on %q became %q, then %+v on %q", c.seal, c.on, packed, seal, on)
		}
	}
	for _, broken := range []string{"", "aistrale:", "aistrale:{}", `aistrale:{"minter":1}`} {
		if seal, _ := unpackSeal(broken, ""); seal != nil {
			t.Errorf("%q became %+v", broken, seal)
		}
	}
}

func TestObserve_allocations(t *testing.T) {
	frame := []byte(`{"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"content_index":0,"delta":"Hello","logprobs":[],"sequence_number":4}`)
	if n := testing.AllocsPerRun(100, func() {
		if seen := (Dialect{}).Observe(frame); seen.Content != 5 {
			t.Fatal(seen)
		}
	}); n > 0 {
		t.Errorf("%v allocations for an event of content", n)
	}
}

func TestSplice_allocations(t *testing.T) {
	var doc providers.Document
	if err := doc.Scan([]byte(`{"model":"openai/gpt","input":"Hi","stream":true}`), nil); err != nil {
		t.Fatal(err)
	}
	call := providers.Call{Doc: &doc, Model: "gpt", Room: providers.Room{Body: make([]byte, 0, 1024)}}
	if n := testing.AllocsPerRun(100, func() { _, _ = Dialect{}.Splice(&call) }); n > 6 {
		t.Errorf("%v allocations", n)
	}
}
