package responses

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
)

// How calls about responses are answered that the gateway keeps.

// showResponse is the response as it was, or its stream once more.
func showResponse(c *providers.TurnCall) (r providers.TurnReply, err error) {
	response := []byte(gjson.GetBytes(c.Content, "response").Raw)
	if r.Body = response; c.Stream {
		r.Body = replay(response, c.After)
	}
	return r, nil
}

func removeResponse(c *providers.TurnCall) (providers.TurnReply, error) {
	return providers.TurnReply{Body: removed(c.ID, "response")}, nil
}

func removed(id, object string) []byte {
	body := providers.AppendString([]byte(`{"id":`), id)
	return append(providers.AppendString(append(body, `,"object":`...), object), `,"deleted":true}`...)
}

// cancelResponse refuses: none of them was made in the background.
func cancelResponse(*providers.TurnCall) (providers.TurnReply, error) {
	return providers.TurnReply{}, &providers.Fault{Kind: providers.FaultInvalid, NoRetry: true, Message: "Cannot cancel a synchronous response."}
}

// listInput is a page of the response's input.
func listInput(c *providers.TurnCall) (providers.TurnReply, error) {
	items := elements(c.Content, "input")
	if !c.Page.Oldest {
		slices.Reverse(items)
	}
	place := func(id, param string, none int) (int, error) {
		if id == "" {
			return none, nil
		}
		if i := slices.IndexFunc(items, func(item []byte) bool { return gjson.GetBytes(item, "id").Str == id }); i >= 0 {
			return i, nil
		}
		return 0, &providers.Fault{Kind: providers.FaultNoModel, Code: "not_found", Param: param, NoRetry: true, Message: "No such item of the response's input."}
	}
	from, err := place(c.Page.After, "after", -1)
	if err != nil {
		return providers.TurnReply{}, err
	}
	to, err := place(c.Page.Before, "before", len(items))
	if err != nil {
		return providers.TurnReply{}, err
	}
	items = items[min(from+1, to):to]
	more := len(items) > c.Page.Limit
	return providers.TurnReply{Body: listed(items[:min(len(items), c.Page.Limit)], more)}, nil
}

// paging is how lists of items are asked for.
func paging(refused ...string) *providers.Paging {
	return &providers.Paging{Limit: "limit", Order: "order", After: []string{"after"}, Refused: refused, Usual: 20, Most: 100, Write: openai.AppendPage}
}

func listed(items [][]byte, more bool) []byte {
	page := providers.ObjectPage{Objects: items, More: more}
	if n := len(items); n > 0 {
		page.First, page.Last = gjson.GetBytes(items[0], "id").Str, gjson.GetBytes(items[n-1], "id").Str
	}
	return openai.AppendPage(nil, &page)
}

// maxAdded is how many items a call may add to a conversation.
const maxAdded = 20

// makeConversation makes one, perhaps with items. It is kept as it is shown.
func makeConversation(c *providers.TurnCall) (r providers.TurnReply, err error) {
	body := providers.AppendString([]byte(`{"id":`), c.ID)
	body = strconv.AppendInt(append(body, `,"object":"conversation","created_at":`...), c.Created.Unix(), 10)
	labels, err := labelsOf(c.Doc)
	if err != nil {
		return r, err
	}
	r.Body = append(append(append(body, `,"metadata":`...), labels...), '}')
	r.Content = r.Body
	r.Items, err = addedItems(c)
	return r, err
}

func showConversation(c *providers.TurnCall) (providers.TurnReply, error) {
	return providers.TurnReply{Body: c.Content}, nil
}

func changeConversation(c *providers.TurnCall) (r providers.TurnReply, err error) {
	labels, err := labelsOf(c.Doc)
	if err != nil {
		return r, err
	}
	r.Body = edited(c.Content, []providers.Edit{{Name: "metadata", Value: labels}})
	r.Content = r.Body
	return r, nil
}

func removeConversation(c *providers.TurnCall) (providers.TurnReply, error) {
	return providers.TurnReply{Body: removed(c.ID, "conversation.deleted")}, nil
}

func listItems(c *providers.TurnCall) (providers.TurnReply, error) {
	return providers.TurnReply{Body: listed(c.Items, c.More)}, nil
}

func addItems(c *providers.TurnCall) (r providers.TurnReply, err error) {
	if isNull(c.Doc.Value("items")) {
		return r, openai.Missing("items")
	}
	if r.Items, err = addedItems(c); err != nil {
		return r, err
	}
	shown := make([][]byte, len(r.Items))
	for i := range r.Items {
		shown[i] = r.Items[i].Content
	}
	r.Body = listed(shown, false)
	return r, nil
}

// addedItems reads the items of a call about a conversation.
func addedItems(c *providers.TurnCall) ([]providers.TurnItem, error) {
	raw := c.Doc.Value("items")
	if isNull(raw) {
		return nil, nil
	}
	list := gjson.ParseBytes(raw)
	if !list.IsArray() {
		return nil, wrongType("items", "an array", list)
	}
	var items [][]byte
	for i, item := range list.Array() {
		path := "items[" + strconv.Itoa(i) + "]"
		switch {
		case i == maxAdded:
			return nil, openai.Refuse("items", "array_above_max_length", "Invalid 'items': a call adds at most "+strconv.Itoa(maxAdded)+" items.")
		case !item.IsObject():
			return nil, wrongType(path, "an object", item)
		case refers(item):
			return nil, openai.Refuse(path, "invalid_value", "Invalid '"+path+"': a conversation that the gateway keeps takes items themselves, not references.")
		}
		items = append(items, []byte(item.Raw))
	}
	return named(items, c.Batch), nil
}

// labelsOf reads metadata: an object of strings.
func labelsOf(doc *providers.Document) ([]byte, error) {
	raw := doc.Value("metadata")
	if isNull(raw) {
		return []byte("{}"), nil
	}
	labels := gjson.ParseBytes(raw)
	if !labels.IsObject() {
		return nil, wrongType("metadata", "an object", labels)
	}
	var err error
	labels.ForEach(func(name, value gjson.Result) bool {
		if value.Type != gjson.String {
			err = wrongType("metadata."+name.Str, "a string", value)
		}
		return err == nil
	})
	return bytes.Clone(raw), err
}

func showItem(c *providers.TurnCall) (providers.TurnReply, error) {
	return providers.TurnReply{Body: c.Content}, nil
}
