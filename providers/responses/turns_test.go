package responses

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/providertest"
)

const keptID = "resp_ais0123456789abcdef0123456789abcdef"

// keptResponse has items of every kind that the gateway makes.
const keptResponse = `{"id":"` + keptID + `","object":"response","created_at":1,"status":"incomplete","error":null,
"incomplete_details":{"reason":"max_output_tokens"},"model":"m","output":[
{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"aistrale:{}"},
{"id":"msg_2","type":"message","status":"completed","role":"assistant","content":[
{"type":"output_text","text":"a \"b\"\n","annotations":[{"type":"url_citation","start_index":0,"end_index":1,"url":"https://h","title":"t"}],"logprobs":[]},
{"type":"refusal","refusal":"no"}]},
{"id":"fc_3","type":"function_call","status":"completed","call_id":"c","name":"f","arguments":"{\"x\":1}"},
{"id":"ctc_4","type":"custom_tool_call","status":"completed","call_id":"d","name":"g","input":"text"},
{"id":"ig_5","type":"image_generation_call","status":"incomplete","result":"AAAA"}],
"store":true,"usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3}}`

// A kept response that is played again is a whole stream, which assembled is the response.
func TestReplay(t *testing.T) {
	response := oneLine(nil, []byte(keptResponse))
	got, wrong := providertest.ResponseStream(replay(response, -1))
	if len(wrong) > 0 {
		t.Errorf("the stream is wrong: %q", wrong)
	}
	var want map[string]any
	if err := json.Unmarshal(response, &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(map[string]any(got), want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	all := strings.SplitAfter(string(replay(response, -1)), "\n\n")
	for after := range all {
		if rest := string(replay(response, after)); rest != strings.Join(all[min(after+1, len(all)):], "") {
			t.Fatalf("behind event %d: %s", after, rest)
		}
	}
}

// What is kept is said again in its order, under ids of the gateway's, and nothing else names a
// turn in the call.
func TestTurns(t *testing.T) {
	scan := func(body string) *providers.Document {
		t.Helper()
		var doc providers.Document
		if err := doc.Scan([]byte(body), nil); err != nil {
			t.Fatal(err)
		}
		return &doc
	}
	turns := turns(true)
	own, err := turns.Own(scan(`{"input":[{"role":"user","content":"hi"},{"id":"msg_x"},{"type":"function_call_output","call_id":"c","output":"o"}]}`),
		func(id string) []byte { return []byte(`{"type":"message","role":"assistant","content":"` + id + `"}`) })
	if err != nil || len(own) != 3 {
		t.Fatalf("%v: %s", err, own)
	}
	kept := turns.Keep([]byte(keptResponse), own)
	if kept.ID != keptID || len(kept.Items) != 3+5 {
		t.Fatalf("kept %+v", kept)
	}
	const digits = "_ais0123456789abcdef0123456789abcdef_i"
	for i, want := range []string{
		`{"role":"user","content":[{"type":"input_text","text":"hi"}],"id":"msg` + digits + `0","type":"message","status":"completed"}`,
		`{"type":"message","role":"assistant","content":[{"type":"output_text","text":"msg_x","annotations":[]}],"id":"msg` + digits + `1","status":"completed"}`,
		`{"type":"function_call_output","call_id":"c","output":"o","id":"fco` + digits + `2"}`,
	} {
		if got := string(kept.Items[i].Content); got != want {
			t.Errorf("item %d: %s\nwant %s", i, got, want)
		}
	}
	said := turns.Said(kept.Content)
	if len(said) != len(kept.Items) {
		t.Fatalf("said %s", said)
	}
	for i := range said {
		if gjson.GetBytes(said[i], "id").Str != kept.Items[i].ID {
			t.Errorf("item %d is %s, want %s", i, said[i], kept.Items[i].ID)
		}
	}
	call := scan(`{"model":"m","previous_response_id":"` + keptID + `","input":"more","conversation":null,"store":false}`)
	if got := string(turns.Unfold(nil, call, said[:1])); got != `{"model":"m","input":[`+string(said[0])+`],"store":false}` {
		t.Errorf("unfolded: %s", got)
	}
	asked, err := turns.Ask(call)
	if err != nil || asked.Previous != keptID || asked.Store || !asked.StoreSaid {
		t.Errorf("%v: %+v", err, asked)
	}
	for id, want := range map[string]bool{keptID: true, "msg" + digits + "0": true, "resp_ais0": false, "resp_0123": false, "a_b" + digits: false, "": false} {
		if _, _, ok := providers.Owned(id); ok != want {
			t.Errorf("%q is the gateway's: %t", id, ok)
		}
	}
}
