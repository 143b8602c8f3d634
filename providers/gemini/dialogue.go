package gemini

import (
	"fmt"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// asking is a call of the model's that waits for its result.
type asking struct{ id, name string }

func (r *reader) instruction(v gjson.Result, path string) error {
	turn := providers.Turn{Role: providers.RoleSystem}
	if v.Type == gjson.String {
		turn.Blocks = []providers.Block{{Kind: providers.KindText, Text: v.Str}}
		r.system = append(r.system, turn)
		return nil
	}
	_, parts, err := r.content(v, path)
	if err != nil {
		return err
	}
	for i := range parts {
		if parts[i].Kind != providers.KindText {
			return wrong(path+".parts", "text")
		}
		turn.Blocks = append(turn.Blocks, parts[i].Block)
	}
	if len(turn.Blocks) > 0 {
		r.system = append(r.system, turn)
	}
	return nil
}

// turn reads one content. Results of calls are a turn of their own in the hub, before what else
// the user says with them.
func (r *reader) turn(path string, v gjson.Result) error {
	role, parts, err := r.content(v, path)
	if err != nil {
		return err
	}
	switch role {
	case "model":
		r.model(parts)
		return nil
	case "", "user", "function", "tool":
	default:
		return providers.Invalid(path+".role", "Please use a valid role: user, model.")
	}
	var results, said []providers.Block
	for i := range parts {
		switch p := &parts[i]; p.Kind {
		case providers.KindToolResult:
			r.answer(p.Result)
			results = append(results, p.Block)
		case providers.KindToolCall:
			return providers.Invalid(path, "Invalid value at '"+path+"': a functionCall stands in a turn of the user's.")
		case providers.KindReasoning:
			r.unread(path + ".parts.thought")
		default:
			said = append(said, p.Block)
		}
	}
	if len(results) > 0 {
		r.add(providers.RoleTool, results)
	}
	if len(said) > 0 {
		r.req.Turns = append(r.req.Turns, providers.Turn{Role: providers.RoleUser, Blocks: said})
	}
	return nil
}

// add appends blocks to the turn under way, where it has the role, else to a new one.
func (r *reader) add(role providers.Role, blocks []providers.Block) {
	turns := r.req.Turns
	if n := len(turns); n > 0 && turns[n-1].Role == role {
		turns[n-1].Blocks = append(turns[n-1].Blocks, blocks...)
		return
	}
	r.req.Turns = append(turns, providers.Turn{Role: role, Blocks: blocks})
}

// model reads what the model said. Clients keep a stream as many contents with a piece each.
func (r *reader) model(parts []piece) {
	if n := len(r.req.Turns); n == 0 || r.req.Turns[n-1].Role != providers.RoleAssistant {
		r.req.Turns = append(r.req.Turns, providers.Turn{Role: providers.RoleAssistant})
		r.asked = nil
	}
	turn := &r.req.Turns[len(r.req.Turns)-1]
	for i := range parts {
		p := &parts[i]
		if p.Kind == providers.KindToolCall {
			if p.Call.ID == "" {
				p.Call.ID = r.makeID()
			}
			r.asked = append(r.asked, asking{p.Call.ID, p.Call.Name})
		}
		turn.Blocks = weave(turn.Blocks, p)
	}
}

// weave appends a piece, or adds it to the text that it goes on with.
func weave(blocks []providers.Block, p *piece) []providers.Block {
	var last *providers.Block
	if n := len(blocks); n > 0 && blocks[n-1].Kind == p.Kind && blocks[n-1].Seal == nil {
		last = &blocks[n-1]
	}
	switch p.Kind {
	case providers.KindText:
		if p.Text == "" {
			return blocks // it only carried a signature
		}
		if last != nil {
			last.Text += p.Text
			return blocks
		}
	case providers.KindReasoning:
		if p.Seal == nil || p.length < 0 {
			break
		}
		switch {
		case p.length == len(p.Text): // whole, or without text
		case last != nil && p.Text == "" && p.length == len(last.Text):
			last.Seal = p.Seal
			return blocks
		default:
			p.Seal = nil // the client changed what it seals
		}
	default:
		return append(blocks, p.Block)
	}
	switch {
	case p.Kind == providers.KindReasoning && p.Text == "" && p.Seal == nil:
		return blocks
	case p.Kind == providers.KindReasoning && last != nil && p.Seal == nil:
		last.Text += p.Text
		return blocks
	}
	return append(blocks, p.Block)
}

// makeID names a call whose maker did not. Equal requests give equal ids.
func (r *reader) makeID() string {
	r.made++
	return "call_" + strconv.Itoa(r.made)
}

// answer finds the call that a result is for: by its id, else the first of its name, else the
// first that waits.
func (r *reader) answer(result *providers.ToolResult) {
	at := -1
	for i, a := range r.asked {
		if result.CallID != "" && a.id == result.CallID {
			at = i
			break
		}
		if at < 0 && a.name == result.Name {
			at = i
		}
	}
	if at < 0 {
		if result.CallID == "" {
			result.CallID = fmt.Sprintf("call_unknown_%d", r.made)
		}
		return
	}
	result.CallID, result.Name = r.asked[at].id, r.asked[at].name
	r.asked = append(r.asked[:at], r.asked[at+1:]...)
}

// content reads a role and parts.
func (r *reader) content(v gjson.Result, path string) (role string, parts []piece, err error) {
	err = object(v, path, func(name, path string, v gjson.Result) error {
		switch name {
		case "role":
			return text(v, path, &role)
		case "parts":
			add := func(path string, v gjson.Result) error {
				p, ok, err := r.piece(path, v)
				if ok && err == nil {
					parts = append(parts, p)
				}
				return err
			}
			return list(v, path, add)
		}
		r.unread(path)
		return nil
	})
	return role, parts, err
}
