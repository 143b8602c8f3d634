package mock

import "testing"

func TestCount(t *testing.T) {
	r := newRig(t)
	path := GeminiPath + "/models/gemini:countTokens"
	f := func(body string) {
		t.Helper()
		if n := r.ok(path, "", body).Get("totalTokens").Int(); n != int64(len(body)+3)/4 {
			t.Errorf("%s: %d tokens", body, n)
		}
	}
	f(genBody)
	f(`{"generateContentRequest":{"model":"models/gemini","contents":[` + userTurn + `],` + geminiTools + `}}`)
	if got := r.ok(path, "input=19", genBody).Get("totalTokens").Int(); got != 19 {
		t.Errorf("%d tokens, told to say 19", got)
	}
	for _, bad := range []string{
		`{}`, contentsOf(userTurn, geminiTools), `{"generateContentRequest":{"model":"models/x","contents":[` + userTurn + `]}}`,
	} {
		if got := r.post(path, "", bad); got.status != 400 {
			t.Errorf("%s: %d %s", bad, got.status, got.body)
		}
	}
	if bill := r.server.Bill(); len(bill) != 0 {
		t.Errorf("counting is billed: %+v", bill)
	}
}
