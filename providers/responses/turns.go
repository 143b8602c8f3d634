package responses

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
)

// turns says how a call names responses, conversations and items, and how its reply is kept. A
// kept response is {"response":…,"input":[…]}, an item of a conversation the item itself.
func turns(makes bool) *providers.Turns {
	return &providers.Turns{
		Fields: []string{"previous_response_id", "conversation", itemField}, Makes: makes,
		Ask: askTurns, Own: ownItems, Unfold: unfold, Said: saidItems, Keep: keep,
	}
}

func askTurns(doc *providers.Document) (a providers.TurnsAsked, err error) {
	if a.Store, a.StoreSaid, err = doc.Bool("store"); err != nil {
		return a, err
	}
	if a.Previous, _, err = doc.String("previous_response_id"); err != nil {
		return a, err
	}
	if raw := doc.Value("conversation"); !isNull(raw) {
		said := gjson.ParseBytes(raw)
		if said.IsObject() {
			said = said.Get("id")
		}
		if said.Type != gjson.String {
			return a, wrongType("conversation", "a string, or an object with an id", gjson.ParseBytes(raw))
		}
		a.Conversation = said.Str
	}
	if a.Previous != "" && a.Conversation != "" {
		return a, openai.Refuse("previous_response_id", "mutually_exclusive_parameters",
			"Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Provide one of the two.")
	}
	if raw := doc.Value("input"); len(raw) > 0 && raw[0] == '[' {
		gjson.ParseBytes(raw).ForEach(func(_, item gjson.Result) bool {
			if id := referred(item); id != "" {
				digits, _, _ := providers.Owned(id)
				a.Items = append(a.Items, providers.TurnItem{ID: id, Within: providers.OwnID("resp", digits)})
			}
			return true
		})
	}
	return a, nil
}

// ownItems gives the input as items; a text is a message of the user's.
func ownItems(doc *providers.Document, find func(item string) []byte) (items [][]byte, err error) {
	raw := doc.Value("input")
	switch {
	case isNull(raw):
		return nil, nil // what is kept may be all there is to say
	case raw[0] == '"':
		item := append([]byte(`{"type":"message","role":"user","content":[{"type":"input_text","text":`), raw...)
		return [][]byte{append(item, "}]}"...)}, nil
	case raw[0] != '[':
		return nil, wrongType("input", "a string or an array", gjson.ParseBytes(raw))
	}
	gjson.ParseBytes(raw).ForEach(func(_, item gjson.Result) bool {
		own := []byte(item.Raw)
		if id := referred(item); id != "" {
			if own = find(id); own == nil {
				err = noItem(fmt.Sprintf("input[%d].id", len(items)), id)
				return false
			}
		}
		items = append(items, own)
		return true
	})
	return items, err
}

// noItem says that an item is not there. Where none is kept for the key, it says how that comes.
func noItem(path, id string) *providers.Fault {
	return &providers.Fault{Kind: providers.FaultInvalid, Status: http.StatusNotFound, Code: "item_not_found", Param: path, NoRetry: true,
		Message: fmt.Sprintf("Item with id '%s' not found: it is not one that the gateway keeps for this key, which it does by the key's setting `store`.", id)}
}

// unfold says a call with all of its items. Instructions of earlier calls are none of them.
func unfold(dst []byte, doc *providers.Document, items [][]byte) []byte {
	return doc.Splice(dst, providers.Edit{Name: "input", Value: array(nil, items)},
		providers.Edit{Name: "previous_response_id"}, providers.Edit{Name: "conversation"})
}

func array(dst []byte, items [][]byte) []byte {
	dst = append(dst, '[')
	for i, item := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, item...)
	}
	return append(dst, ']')
}

// saidItems gives what a kept response was asked, and what it answered.
func saidItems(content []byte) [][]byte {
	return append(elements(content, "input"), elements(content, "response.output")...)
}

func elements(content []byte, path string) (items [][]byte) {
	gjson.GetBytes(content, path).ForEach(func(_, item gjson.Result) bool {
		items = append(items, []byte(item.Raw))
		return true
	})
	return items
}

// keep says a reply as it is kept, and each of its items by itself, for a conversation.
func keep(reply []byte, own [][]byte) providers.TurnKept {
	k := providers.TurnKept{ID: gjson.GetBytes(reply, "id").Str}
	digits, _, _ := providers.Owned(k.ID)
	k.Items = named(own, digits)
	k.Content = append(append(append(k.Content, `{"response":`...), reply...), `,"input":[`...)
	for i := range k.Items {
		if i > 0 {
			k.Content = append(k.Content, ',')
		}
		k.Content = append(k.Content, k.Items[i].Content...)
	}
	k.Content = append(k.Content, "]}"...)
	for _, item := range elements(reply, "output") {
		k.Items = append(k.Items, providers.TurnItem{ID: gjson.GetBytes(item, "id").Str, Content: item})
	}
	return k
}

// named gives items as the API shows them: each with an id of the gateway's, a message with its
// type and with its content as a list.
func named(items [][]byte, batch string) []providers.TurnItem {
	out := make([]providers.TurnItem, 0, len(items))
	for i, item := range items {
		it := gjson.ParseBytes(item)
		id := itemPrefix(it) + providers.OwnID("", batch) + "_i" + strconv.Itoa(i)
		edits := []providers.Edit{{Name: "id", Value: providers.AppendString(nil, id)}}
		if isMessage(it) {
			edits = append(edits, providers.Edit{Name: "type", Value: []byte(`"message"`)}, providers.Edit{Name: "status", Value: []byte(`"completed"`)})
			if content := it.Get("content"); content.Type == gjson.String {
				edits = append(edits, providers.Edit{Name: "content", Value: asParts(it.Get("role").Str, content.Raw)})
			}
		}
		out = append(out, providers.TurnItem{ID: id, Content: edited(item, edits)})
	}
	return out
}

func isMessage(item gjson.Result) bool {
	kind := item.Get("type").Str
	return kind == "message" || kind == "" && item.Get("role").Exists()
}

func asParts(role, text string) []byte {
	if role == "assistant" {
		return []byte(`[{"type":"output_text","text":` + text + `,"annotations":[]}]`)
	}
	return []byte(`[{"type":"input_text","text":` + text + `}]`)
}

func itemPrefix(item gjson.Result) string {
	if isMessage(item) {
		return "msg"
	}
	prefix, ok := map[string]string{
		"reasoning": "rs", "function_call": "fc", "function_call_output": "fco", "custom_tool_call": "ctc",
		"custom_tool_call_output": "ctco", "image_generation_call": "ig",
	}[item.Get("type").Str]
	if !ok {
		return "item"
	}
	return prefix
}
