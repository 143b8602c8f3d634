package responses_test

import (
	"slices"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/responses"
)

// An item that any reader may take for the name of another one names an object; what a client
// sends back in full does not, whatever ids it has.
func TestGoverned_ItemReferences(t *testing.T) {
	watch := providers.NewWatch(responses.Governed())
	f := func(items string, want ...string) {
		t.Helper()
		for _, field := range []string{"input", "items"} {
			body := `{"model":"m","` + field + `":[` + items + `]}`
			var doc providers.Document
			if err := doc.Scan([]byte(body), watch); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, hit := range doc.Hits {
				got = append(got, hit.Objects()...)
			}
			if !slices.Equal(got, want) || len(doc.Fields) != 2 {
				t.Errorf("%s names %q, want %q", body, got, want)
			}
		}
	}
	// References, with a type and without.
	f(`{"type":"item_reference","id":"msg_1"}`, "msg_1")
	f(`{"id":"msg_1","type":"item_reference"}`, "msg_1")
	f(`{"id":"msg_1"}`, "msg_1")
	f(`{"id":"msg_1","type":null}`, "msg_1")
	f(`{"id":"msg_1","type":""}`, "msg_1")
	f(`{"id":"msg_1","status":"completed"},{"id":"rs_2"}`, "msg_1", "rs_2")
	f(`{"role":"user","content":"id"}, {"id":"msg_1"} ,"text"`, "msg_1")
	// Half a message is none.
	f(`{"id":"msg_1","role":"user"}`, "msg_1")
	f(`{"id":"msg_1","content":"hi"}`, "msg_1")
	f(`{"id":"msg_1","role":null,"content":null}`, "msg_1")
	// Odd spellings, each of which some reader takes for the name.
	f(`{"TYPE":"item_reference","ID":"msg_1"}`, "msg_1")
	f(`{"\u0074ype":"item\u005freference","\u0069d":"\u006dsg_1"}`, "msg_1")
	f(`{"id":"msg_1","TYPE":"message"}`, "msg_1")
	f(`{"id":"msg_1","Role":"user","content":"hi"}`, "msg_1")
	f(`{"id":"msg_1","type":"message","Type":"item_reference","role":"user","content":"hi"}`, "msg_1")
	f(`{"id":"msg_1","type":"item_reference","type":"message","role":"user","content":"hi"}`, "msg_1")
	f(`{"id":"msg_1","type":null,"type":"message"}`, "msg_1")
	f(`{"id":"msg_1","role":"user","role":null,"content":"hi"}`, "msg_1")
	f(`{"id":"msg_1","Id":"msg_2"}`, "msg_1", "msg_2")
	f(`{"id":["msg_1"],"x":[{"}":"]"}]}`, "msg_1")
	// What is sent in full.
	f(`{"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"hi"}]}`)
	f(`{"\u0074ype":"message","id":"msg_1","role":"assistant","content":[{"id":"x","type":"item_reference"}]}`)
	f(`{"role":"assistant","content":"hi","id":"msg_1"},{"type":null,"role":"user","content":"","id":"msg_2"}`)
	f(`{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"x"}`)
	f(`{"type":"function_call","id":"fc_1","call_id":"c","name":"f","arguments":"{}"}`)
	f(`{"type":"function_call_output","id":"fco_1","call_id":"c","output":"item_reference"}`)
	// No id, or none of a provider's.
	f(`{"type":"item_reference"},{"id":null},{},"id",[{"id":"msg_1"}]`)
	f(`{"type":"item_reference","id":"msg_ais0123456789abcdef0123456789abcdef_i0"}`)
}
