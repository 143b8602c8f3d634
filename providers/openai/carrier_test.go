package openai_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
)

// reply writes blocks as a reply's events, whole, and gives the message.
func reply(t *testing.T, blocks []providers.Block) string {
	t.Helper()
	w := openai.Face{}.Writer(&providers.Call{ID: "r", Asked: "m", Created: time.Unix(1, 0)})
	var out []byte
	put := func(ev providers.Event) { out = w.Write(out, &ev) }
	put(providers.Event{Kind: providers.EventStart})
	for i, b := range blocks {
		open := providers.Block{Kind: b.Kind, Media: b.Media}
		text := b.Text
		if b.Call != nil {
			open.Call = &providers.ToolCall{ID: b.Call.ID, Name: b.Call.Name}
			text = b.Call.Arguments
		}
		put(providers.Event{Kind: providers.EventBlockStart, Index: i, Block: &open})
		put(providers.Event{Kind: providers.EventDelta, Index: i, Text: text})
		put(providers.Event{Kind: providers.EventBlockStop, Index: i, Block: &providers.Block{Seal: b.Seal}})
	}
	put(providers.Event{Kind: providers.EventFinish, Finish: providers.FinishStop})
	put(providers.Event{Kind: providers.EventEnd})
	if !gjson.ValidBytes(out) {
		t.Fatalf("not JSON: %s", out)
	}
	return gjson.GetBytes(out, "choices.0.message").Raw
}

// What a reply carries through the client comes back as the blocks that the upstream made.
func TestCarrierRoundTrip(t *testing.T) {
	f := func(name string, blocks ...providers.Block) {
		t.Helper()
		message := reply(t, blocks)
		req, err := openai.Face{}.ReadRequest(scan(t, fmt.Sprintf(`{"messages":[%s]}`, message)))
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, message)
		}
		if !reflect.DeepEqual(req.Turns[0].Blocks, blocks) {
			t.Errorf("%s: got %+v\n%s", name, req.Turns[0].Blocks, message)
		}
	}
	text := func(s string) providers.Block { return providers.Block{Kind: providers.KindText, Text: s} }
	call := func(id string) providers.Block {
		return providers.Block{Kind: providers.KindToolCall, Call: &providers.ToolCall{ID: id, Name: "f", Arguments: `{"a":1}`}}
	}
	think := func(s string, seal *providers.Seal) providers.Block {
		return providers.Block{Kind: providers.KindReasoning, Text: s, Seal: seal}
	}
	signed := func(b providers.Block, minter, signature string) providers.Block {
		b.Seal = &providers.Seal{Minter: minter, Signature: signature}
		return b
	}
	sealA := &providers.Seal{Minter: "anthropic", Signature: "s1"}
	redacted := &providers.Seal{Minter: "anthropic", Encrypted: "zz"}
	f("text", text("hi"))
	f("plain reasoning", think("hm", nil), text("hi"))
	f("signed, plain order", think("hm", sealA), text("hi"), call("a"), call("b"))
	f("redacted", think("", redacted), think("hm", sealA), text("hi"))
	f("interleaved", think("hm", sealA), text("ünï 🙂"), call("a"), think("more", sealA), text("two"), call("b"))
	f("two texts", text("one "), text("two"))
	f("call before text", call("a"), text("then"))
	f("gemini call", text("x"), signed(call("a"), "gemini", "c2ln"), call("b"))
	f("gemini text", signed(text("x"), "gemini", "c2ln"))
	f("gemini empty signed text", text("x"), signed(text(""), "gemini", "c2ln"))
	f("gemini reasoning", signed(think("hm", nil), "gemini", "c2ln"), text("x"))
	image := func(data string) providers.Block {
		return providers.Block{Kind: providers.KindImage, Media: &providers.Media{Type: "image/png", Data: data}}
	}
	f("image", image("AAAA"))
	f("plain order with images", think("hm", nil), text("x"), image("AAAA"), image("BBBB"), call("a"))
	f("image before text", image("AAAA"), text("x"))
	f("images among texts", text("a"), image("AAAA"), text("b"), image("BBBB"), call("a"))
	f("signed images", text("x"), signed(image("AAAA"), "gemini", "c2ln"), image("BBBB"), signed(image("CCCC"), "gemini", "Yw=="))
	f("openai reasoning", think("", &providers.Seal{Minter: "openai", Encrypted: "gA", ID: "rs_1"}), text("x"), call("a"))
}

// A client that edits the message loses the order, never the content.
func TestCarrierThatNoLongerFits(t *testing.T) {
	f := func(blocks string) {
		t.Helper()
		req, err := openai.Face{}.ReadRequest(scan(t, `{"messages":[{"role":"assistant","content":"new","thinking_blocks":[{"type":"thinking","thinking":"t","signature":"s"}],
			"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}],"extra_content":{"aistrale":{"minter":"anthropic","blocks":`+blocks+`}}}]}`))
		if err != nil {
			t.Fatal(err)
		}
		got := req.Turns[0].Blocks
		if len(got) != 3 || got[0].Kind != providers.KindReasoning || got[1].Text != "new" || got[2].Call == nil {
			t.Errorf("%s: %+v", blocks, got)
		}
	}
	f(`[{"type":"text","length":4},{"type":"reasoning","index":0},{"type":"tool_call","index":0}]`)
	f(`[{"type":"text","length":2},{"type":"reasoning","index":0},{"type":"tool_call","index":0}]`)
	f(`[{"type":"text","length":3},{"type":"reasoning","index":0}]`)
	f(`[{"type":"text","length":3},{"type":"reasoning","index":0},{"type":"tool_call","index":0},{"type":"tool_call","index":0}]`)
	f(`[{"type":"text","length":3},{"type":"reasoning","index":-1},{"type":"tool_call","index":0}]`)
	f(`[{"type":"text","length":-1},{"type":"reasoning","index":0},{"type":"tool_call","index":7}]`)
	f(`[{"type":"text","length":3},{"type":"image","index":0},{"type":"reasoning","index":0},{"type":"tool_call","index":0}]`)
	f(`[{"type":"text","length":3},{"type":"image"},{"type":"reasoning","index":0},{"type":"tool_call","index":0}]`)
	f(`[{"type":"song"}]`)
	f(`[]`)
}

func TestSignatureCarriers(t *testing.T) {
	f := func(call string) {
		t.Helper()
		req, err := openai.Face{}.ReadRequest(scan(t, `{"messages":[{"role":"assistant","tool_calls":[`+call+`]},{"role":"tool","tool_call_id":"a__thought__c2ln","content":"ok"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		b := req.Turns[0].Blocks[0]
		if b.Call.ID != "a" || b.Seal == nil || *b.Seal != (providers.Seal{Minter: "gemini", Signature: "c2ln"}) {
			t.Errorf("%s: %+v %+v", call, b.Call, b.Seal)
		}
		if r := req.Turns[1].Blocks[0].Result; r.CallID != "a" || r.Name != "f" {
			t.Errorf("%s: %+v", call, r)
		}
	}
	f(`{"id":"a","function":{"name":"f","arguments":""},"extra_content":{"google":{"thought_signature":"c2ln"}}}`)
	f(`{"id":"a","function":{"name":"f","arguments":""},"provider_specific_fields":{"thought_signature":"c2ln"}}`)
	f(`{"id":"a","function":{"name":"f","arguments":"","provider_specific_fields":{"thought_signature":"c2ln"}}}`)
	f(`{"id":"a__thought__c2ln","function":{"name":"f","arguments":""}}`)
}
