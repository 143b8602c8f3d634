package anthropic

import (
	"encoding/base64"
	"errors"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// Count serves Anthropic's clients a count of tokens where the host counts a request to its own
// API, and answers in its own words (Bedrock).
//
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html
func (h Hosted) Count() *providers.Pair {
	return &providers.Pair{Client: Language, Write: h.writeCount, Read: readCount}
}

func (h Hosted) writeCount(call *providers.Call) (providers.Plan, error) {
	plan, err := h.Splice(call)
	if err != nil {
		return plan, err
	}
	for i := range plan.Requests {
		r := &plan.Requests[i]
		var doc providers.Document
		if err := doc.Scan(r.Whole(), nil); err != nil {
			return plan, err
		}
		edits := []providers.Edit{{Name: "model"}}
		if doc.Field("max_tokens") == nil { // which the counted API wants, and which counts for nothing
			edits = append(edits, providers.Edit{Name: "max_tokens", Value: number(usualMax + gjson.GetBytes(r.Body, "thinking.budget_tokens").Int())})
		}
		body := doc.Splice(nil, edits...)
		r.Body = base64.StdEncoding.AppendEncode([]byte(`{"input":{"invokeModel":{"body":"`), body)
		r.Body = append(r.Body, `"}}}`...)
	}
	return plan, nil
}

// usualMax stands for an output that nobody bounded.
const usualMax = 8192

func number(n int64) []byte { return strconv.AppendInt(nil, n, 10) }

func readCount(_ *providers.Call, replies [][]byte) (providers.PairReply, error) {
	total := gjson.GetBytes(replies[0], "inputTokens")
	if !providers.ValidJSON(replies[0]) || total.Type != gjson.Number {
		return providers.PairReply{}, uncounted(errors.New("a count without inputTokens")).Fault
	}
	var line providers.UsageLine
	line.Set(providers.InputTotal, total.Int())
	body := append(number(total.Int()), '}')
	return providers.PairReply{
		Body: append([]byte(`{"input_tokens":`), body...), Usage: providers.Usage{Lines: []providers.UsageLine{line}},
	}, nil
}
