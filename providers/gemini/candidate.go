package gemini

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/providers"
)

// candidate is one answer on its way to a client.
type candidate struct {
	index   int
	reply   string  // the call's id, which ids of calls are made from
	blocks  []*said // in the order they began
	calls   int
	reason  string
	message string
	over    bool   // its end has been passed on already
	chosen  []byte // elements of logprobsResult.chosenCandidates
	top     []byte // and of topCandidates
}

// said is one block of an answer.
type said struct {
	index  int
	kind   providers.Kind
	text   []byte // also of arguments
	closed bool
	sent   bool // of what goes out whole
	first  bool // of the answer's calls
	call   providers.ToolCall
	media  *providers.Media
	seal   *providers.Seal
	cites  []providers.Citation
}

func (b *said) spoken() bool {
	return b.kind == providers.KindText || b.kind == providers.KindReasoning || b.kind == providers.KindRefusal
}

func (c *candidate) block(index int) *said {
	for i := len(c.blocks) - 1; i >= 0; i-- {
		if c.blocks[i].index == index {
			return c.blocks[i]
		}
	}
	return nil
}

// begin notes a block. What it keeps is copied, since events point into the upstream's frame.
func (c *candidate) begin(index int, from *providers.Block) *said {
	b := &said{index: index, kind: from.Kind, seal: keepSeal(from.Seal)}
	if from.Call != nil {
		b.call = providers.ToolCall{ID: strings.Clone(from.Call.ID), Name: strings.Clone(from.Call.Name), Custom: from.Call.Custom}
		b.first = c.calls == 0
		c.calls++
		if b.call.ID == "" {
			sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d/%d", c.reply, c.index, index))
			b.call.ID = "call_" + hex.EncodeToString(sum[:12])
		}
	}
	if from.Media != nil {
		m := *from.Media
		m.Type, m.Data, m.URL = strings.Clone(m.Type), strings.Clone(m.Data), strings.Clone(m.URL)
		b.media = &m
	}
	for i := range from.Citations {
		b.cite(&from.Citations[i])
	}
	c.blocks = append(c.blocks, b)
	return b
}

func keepSeal(s *providers.Seal) *providers.Seal {
	if s == nil {
		return nil
	}
	return &providers.Seal{
		Minter: strings.Clone(s.Minter), Signature: strings.Clone(s.Signature), Encrypted: strings.Clone(s.Encrypted), ID: strings.Clone(s.ID),
	}
}

// signature is the block's seal as a client carries it. A first call without one carries the
// API's word for that: its newest models refuse a call without any, should they go on from here.
func (b *said) signature() string {
	length := len(b.text)
	if !b.spoken() {
		length = 0
	}
	switch {
	case b.seal != nil && (b.seal.Signature != "" || b.seal.Encrypted != ""):
		return carried(b.seal, length)
	case b.first:
		return unsigned
	}
	return ""
}

func (c *candidate) finish(ev *providers.Event) {
	c.message = strings.Clone(ev.Refusal)
	c.addLogprobs(ev.Logprobs)
	switch ev.Finish {
	case providers.FinishLength:
		c.reason = "MAX_TOKENS"
	case providers.FinishContentFilter:
		c.reason = "SAFETY"
	default: // calls have no reason of their own here
		c.reason = "STOP"
	}
}

// write is the candidate in the last response. A stream has said its parts already, but clients
// keep no content without any: Google's own streams end with an empty text too.
func (c *candidate) write(out *body, stream bool) {
	out.b = append(out.b, `{"content":{`...)
	if parts := c.parts(stream); len(parts) > 0 {
		out.b = append(append(append(out.b, `"parts":[`...), parts...), ']')
	}
	out.field("role", "model")
	out.shut('}')
	out.field("finishReason", c.reason)
	if c.message != "" {
		out.field("finishMessage", c.message)
	}
	out.rawField("index", number(int64(c.index)))
	c.ground(out)
	if len(c.chosen) > 0 {
		out.b = append(append(out.b, `,"logprobsResult":{"topCandidates":[`...), c.top...)
		out.b = append(append(append(out.b, `],"chosenCandidates":[`...), c.chosen...), "]}"...)
	}
	out.shut('}')
}

func (c *candidate) parts(stream bool) []byte {
	if stream {
		return []byte(`{"text":""}`)
	}
	var w body
	for _, b := range c.blocks {
		if b.spoken() {
			if signature := b.signature(); len(b.text) > 0 || signature != "" {
				w.next()
				w.textOf(b, string(b.text), signature)
			}
			continue
		}
		one := body{}
		if one.part(b) {
			w.raw(one.b)
		}
	}
	return w.b
}

// textOf is a part of text or of thought.
func (w *body) textOf(b *said, text, signature string) {
	w.b = append(w.b, '{')
	w.field("text", text)
	if b.kind == providers.KindReasoning {
		w.rawField("thought", []byte("true"))
	}
	if signature != "" {
		w.field("thoughtSignature", signature)
	}
	w.shut('}')
}

// part is a block that goes out whole; false where it has nothing to say.
func (w *body) part(b *said) bool {
	switch {
	case b.kind == providers.KindToolCall:
		w.b = append(w.b, `{"functionCall":{`...)
		w.field("id", b.call.ID)
		w.field("name", b.call.Name)
		w.rawField("args", b.args())
		w.shut('}')
	case b.media != nil && b.media.Data != "":
		w.b = append(w.b, `{"inlineData":{`...)
		if kind := mediaType(b.kind, b.media); kind != "" {
			w.field("mimeType", kind)
		}
		w.field("data", b.media.Data)
		w.shut('}')
	case b.media != nil && b.media.URL != "":
		if kind, data, ok := inlined(b.media.URL); ok {
			b.media.Type, b.media.Data = kind, data
			return w.part(b)
		}
		w.b = append(w.b, `{"fileData":{`...)
		if b.media.Type != "" {
			w.field("mimeType", b.media.Type)
		}
		w.field("fileUri", b.media.URL)
		w.shut('}')
	default:
		return false
	}
	if signature := b.signature(); signature != "" {
		w.field("thoughtSignature", signature)
	}
	w.shut('}')
	return true
}

// inlined takes a data URL apart.
func inlined(url string) (kind, data string, ok bool) {
	rest, ok := strings.CutPrefix(url, "data:")
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, ";base64,")
}

// args gives a call's arguments as the object that clients read. What is none, such as what was
// cut off, stands whole in one member, as the dialect says it to the API.
func (b *said) args() []byte {
	text := bytes.TrimSpace(b.text)
	if len(text) > 0 && text[0] == '{' && jsontext.Value(text).IsValid() && !b.call.Custom {
		if bytes.ContainsAny(text, "\r\n") {
			return []byte(compact(string(text))) // a line end would end the event
		}
		return text
	}
	call := b.call
	call.Arguments = string(b.text)
	return arguments(&call)
}
