package mock

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

const respondBody = `{"model":"gpt","input":"hi","tools":[{"type":"function","name":"look","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}]`

// filmed gives the events of a body's stream.
func filmed(t *testing.T, body, behaviour string) (events []gjson.Result) {
	t.Helper()
	b, err := ParseBehaviour(behaviour)
	if err != nil {
		t.Fatal(err)
	}
	a, refused := readRespond(&request{body: []byte(body), doc: gjson.Parse(body)})
	if refused != nil {
		t.Fatal(refused)
	}
	ans := compose(a, &b)
	var f film
	filmRespond(&f, a, ans)
	for i := range f.marks {
		name, data, ok := strings.Cut(strings.TrimPrefix(string(f.data(i)), "event: "), "\ndata: ")
		ev := gjson.Parse(data)
		if !ok || !gjson.Valid(data) || ev.Get("type").Str != name || ev.Get("sequence_number").Int() != int64(i) {
			t.Fatalf("event %d is %s", i, f.data(i))
		}
		events = append(events, ev)
	}
	if whole := writeRespond(nil, a, ans); events[len(events)-1].Get("response").Raw != string(whole) {
		t.Errorf("the stream ends with\n%s, and whole it is\n%s", events[len(events)-1].Get("response").Raw, whole)
	}
	return events
}

// The deltas of each item are what the item says at its end.
func TestFilmRespond(t *testing.T) {
	for _, test := range []struct{ behaviour, items, last string }{
		{"", "message", "response.completed"},
		{"tool=look,look", "function_call function_call", "response.completed"},
		{"thinking=1; tool=look", "reasoning function_call", "response.completed"},
		{"refuse", "message", "response.completed"},
		{"finish=length", "message", "response.incomplete"},
		{"finish=content_filter", "message", "response.incomplete"},
	} {
		said := map[int64]string{}
		var items []string
		events := filmed(t, respondBody+`,"reasoning":{"summary":"auto","effort":"none"},"include":["reasoning.encrypted_content"]}`, test.behaviour)
		for _, ev := range events {
			at := ev.Get("output_index").Int()
			switch {
			case ev.Get("delta").Exists():
				said[at] += ev.Get("delta").Str
			case ev.Get("type").Str == "response.output_item.done":
				item := ev.Get("item")
				items = append(items, item.Get("type").Str)
				text := item.Get("content.0.text").Str + item.Get("content.0.refusal").Str + item.Get("summary.0.text").Str + item.Get("arguments").Str
				if text == "" || text != said[at] {
					t.Errorf("%s: item %d is %s, but said was %q", test.behaviour, at, item.Raw, said[at])
				}
			}
		}
		if got := strings.Join(items, " "); got != test.items {
			t.Errorf("%s: items %s, want %s", test.behaviour, got, test.items)
		}
		if got := events[len(events)-1].Get("type").Str; got != test.last {
			t.Errorf("%s: ends with %s, want %s", test.behaviour, got, test.last)
		}
	}
}

func TestRespond(t *testing.T) {
	x := storing{t, New(Options{})}
	first := gjson.Parse(x.ask("one", http.MethodPost, "/responses", respondBody+`,"tool_choice":"required"}`))
	id, call := first.Get("id").Str, first.Get("output.0")
	if call.Get("name").Str != "look" || !gjson.Get(call.Get("arguments").Str, "city").Exists() {
		t.Fatalf("no call: %s", first.Raw)
	}
	again := gjson.Parse(x.ask("one", http.MethodPost, "/responses", respondBody+`,"tool_choice":"required"}`))
	if again.Get("id").Str == id {
		t.Error("two responses that are kept have one id")
	}
	follow := `{"model":"gpt","previous_response_id":"` + id + `","input":[{"type":"function_call_output","call_id":"` + call.Get("call_id").Str + `","output":"it rains"}]}`
	second := gjson.Parse(x.ask("one", http.MethodPost, "/responses", follow))
	if !strings.Contains(second.Get("output.0.content.0.text").Str, "The tool look said: it rains") {
		t.Errorf("after the output: %s", second.Raw)
	}
	if status, said := x.do("two", http.MethodPost, "/responses", "application/json", follow); status != http.StatusBadRequest || gjson.Get(said, "error.code").Str != "previous_response_not_found" {
		t.Errorf("another account: %d %s", status, said)
	}
	if got := x.ask("one", http.MethodGet, "/responses/"+id, ""); gjson.Get(got, "output").Raw != first.Get("output").Raw {
		t.Errorf("kept is %s", got)
	}
	if got := x.ask("one", http.MethodGet, "/responses/"+id+"/input_items", ""); gjson.Get(got, "data.0.content.0.text").Str != "hi" {
		t.Errorf("input items: %s", got)
	}
	if status, _ := x.do("one", http.MethodPost, "/responses/"+id+"/cancel", "application/json", ""); status != http.StatusBadRequest {
		t.Errorf("cancelled what is over: %d", status)
	}
	if got := x.ask("one", http.MethodPost, "/responses/input_tokens", follow); gjson.Get(got, "input_tokens").Int() == 0 {
		t.Errorf("counted: %s", got)
	}
	x.ask("one", http.MethodDelete, "/responses/"+id, "")
	if status, _ := x.do("one", http.MethodPost, "/responses", "application/json", follow); status != http.StatusBadRequest {
		t.Errorf("after one that is gone: %d", status)
	}
	if bill := x.s.Bill(); len(bill) != 1 || bill[0].Calls != 3 {
		t.Errorf("bill: %+v", bill)
	}
}

func TestRespond_Unkept(t *testing.T) {
	x := storing{t, New(Options{})}
	body := respondBody + `,"store":false}`
	one := x.ask("one", http.MethodPost, "/responses", body)
	if x.ask("one", http.MethodPost, "/responses", body) != one {
		t.Error("equal requests have unequal answers")
	}
	if status, _ := x.do("one", http.MethodGet, "/responses/"+gjson.Get(one, "id").Str, "", ""); status != http.StatusNotFound {
		t.Errorf("it was kept: %d", status)
	}
}

func TestReadRespond_Refuses(t *testing.T) {
	const call = `{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}`
	for _, test := range []struct{ body, says string }{
		{`{"input":"hi"}`, "'model'"},
		{`{"model":"m"}`, "'input'"},
		{`{"model":"missing","input":"hi"}`, "does not exist"},
		{`{"model":"m","messages":[]}`, "'messages'"},
		{`{"model":"m","input":"hi","max_output_tokens":15}`, ">= 16"},
		{`{"model":"m","input":"hi","previous_response_id":"resp_1"}`, "not found"},
		{`{"model":"m","input":"hi","tools":[{"type":"function"}]}`, "tools[0].name"},
		{`{"model":"m","input":"hi","tool_choice":"required"}`, "'tools'"},
		{`{"model":"m","input":"hi","text":{"format":{"type":"json_schema","schema":{}}}}`, "text.format.name"},
		{`{"model":"m","input":"hi","text":{"format":{"type":"json_object"}}}`, "'json'"},
		{`{"model":"m","input":[` + call + `]}`, "No tool output found"},
		{`{"model":"m","input":[{"type":"function_call_output","call_id":"c","output":"x"}]}`, "No tool call found"},
		{`{"model":"m","input":[{"role":"assistant","content":[{"type":"input_text","text":"x"}]}]}`, "'output_text'"},
		{`{"model":"m","input":[{"role":"user","content":[{"type":"output_text","text":"x"}]}]}`, "'input_text'"},
		{`{"model":"m","input":[{"role":"tool","content":"x"}]}`, "input[0].role"},
		{`{"model":"m","input":[{"type":"reasoning","summary":[],"encrypted_content":"forged"}]}`, "could not be verified"},
		{`{"model":"m","input":[{"type":"item_reference","id":"msg_1"}]}`, "not found"},
		{`{"model":"m","input":[{"id":"msg_1"}]}`, "not found"},
	} {
		_, refused := readRespond(&request{body: []byte(test.body), doc: gjson.Parse(test.body)})
		if refused == nil || !strings.Contains(refused.message+refused.param, test.says) {
			t.Errorf("%s: %v, want %q", test.body, refused, test.says)
		}
	}
}

// What the mock seals it takes back, and counts the rounds of calls.
func TestReadRespond_Loop(t *testing.T) {
	b := Behaviour{Thinking: 1, Tools: []string{"look"}, Steps: 2}
	items, texts := `{"role":"user","content":"go"}`, 0
	for round := range 3 {
		body := `{"model":"m","store":false,"include":["reasoning.encrypted_content"],"input":[` + items + `]}`
		a, refused := readRespond(&request{body: []byte(body), doc: gjson.Parse(body)})
		if refused != nil {
			t.Fatalf("round %d: %v", round, refused)
		}
		for _, item := range gjson.GetBytes(writeRespond(nil, a, compose(a, &b)), "output").Array() {
			items += "," + item.Raw
			switch item.Get("type").Str {
			case "function_call":
				items += `,{"type":"function_call_output","call_id":"` + item.Get("call_id").Str + `","output":"x"}`
			case "message":
				texts++
			}
		}
	}
	if got := strings.Count(items, `"function_call"`); got != 2 || texts != 1 {
		t.Errorf("%d calls and %d texts: %s", got, texts, items)
	}
}

func TestRespond_Broken(t *testing.T) {
	r := newRig(t)
	events := r.events(respondPath, "events=9; error=3; input=5", respondStreamBody)
	last := gjson.Parse(events[len(events)-1])
	if last.Get("type").Str != "error" || last.Get("sequence_number").Int() != int64(len(events)-1) || last.Get("code").Str != "server_error" {
		t.Errorf("the last of %d events is %s", len(events), last.Raw)
	}
	if got, want := r.bill("gpt"), (BillLine{Model: "gpt", Calls: 1, Aborted: 1, Input: 5, Output: 3}); got != want {
		t.Errorf("billed %+v, want %+v", got, want)
	}
	if got := r.post(respondPath, "events=9; cut=3", respondStreamBody); got.err == nil || strings.Contains(got.body, "response.completed") {
		t.Errorf("a cut stream: %v %s", got.err, got.body)
	}
	if got := r.post(respondPath, "status=429; retry-after=2", respondStreamBody); got.status != 429 || gjson.Get(got.body, "error.code").Str != "rate_limit_exceeded" {
		t.Errorf("refused: %d %s", got.status, got.body)
	}
}
