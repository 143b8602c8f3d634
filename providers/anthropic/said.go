package anthropic

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/providers"
)

// said is one block of a reply under way.
type said struct {
	index     int // the upstream's
	kind      providers.Kind
	text      []byte // that is not on the wire yet
	arguments []byte // of a call, all of them
	call      providers.ToolCall
	media     providers.Media
	seal      *providers.Seal
	citations [][]byte
	begun     bool // some text was said
	shown     bool // its start is on the wire
	stopped   bool
	carried   bool // its seal is on the wire
}

// open takes over what is known of a block at its start.
func (b *said) open(from *providers.Block) {
	b.seal = keepSeal(from.Seal)
	b.say(from.Text)
	if c := from.Call; c != nil {
		b.call = providers.ToolCall{ID: strings.Clone(c.ID), Name: strings.Clone(c.Name), Custom: c.Custom}
		b.say(c.Arguments)
	}
	if m := from.Media; m != nil {
		b.media = providers.Media{Type: strings.Clone(m.Type), Data: strings.Clone(m.Data), URL: strings.Clone(m.URL)}
		b.kind = providers.KindImage
	}
	for i := range from.Citations {
		b.cite(&from.Citations[i])
	}
}

// cite keeps a source that the language has words for: its own, or one with an address.
func (b *said) cite(c *providers.Citation) {
	switch {
	case c == nil:
	case nativeCitation(c):
		b.citations = append(b.citations, clone(c.Native))
	case c.URL != "":
		b.citations = append(b.citations, appendCitation(nil, c))
	}
}

func nativeCitation(c *providers.Citation) bool {
	return bytes.HasSuffix(providers.Member(c.Native, "type"), []byte(`_location"`)) && providers.ValidJSON(c.Native)
}

func keepSeal(s *providers.Seal) *providers.Seal {
	if s == nil {
		return nil
	}
	return &providers.Seal{
		Minter: strings.Clone(s.Minter), Signature: strings.Clone(s.Signature), Encrypted: strings.Clone(s.Encrypted), ID: strings.Clone(s.ID),
	}
}

func (b *said) say(text string) {
	if text == "" {
		return
	}
	b.begun = true
	b.text = append(b.text, text...)
	if b.kind == providers.KindToolCall {
		b.arguments = append(b.arguments, text...)
	}
}

// complete reports a call that nothing can be added to. Only calls are left open while others
// begin.
func (b *said) complete() bool {
	return b.kind == providers.KindToolCall && jsontext.Value(b.arguments).IsValid() && jsontext.Value(b.arguments).Kind() == '{'
}

// object reports arguments that begin as an object does. Others are said at their end, as one.
func (b *said) object() bool {
	text := bytes.TrimLeft(b.arguments, " \t\r\n")
	return len(text) > 0 && text[0] == '{'
}

// silent reports a block that has nothing to show yet. The API refuses empty texts, so none is
// begun before it has some.
func (b *said) silent() bool {
	switch b.kind {
	case providers.KindToolCall, providers.KindImage:
		return false
	case providers.KindReasoning:
		return !b.begun && (!b.stopped || b.seal == nil) // what is redacted shows at its end
	default:
		return !b.begun
	}
}

// redacted reports reasoning that has no visible text, but bytes that only its minter can read.
func (b *said) redacted() bool { return !b.begun && b.seal != nil && b.seal.Encrypted != "" }

// signature attests reasoning: Anthropic's own, or what carries another minter's seal.
func (b *said) signature() string {
	if b.seal != nil && b.seal.Minter == Language {
		return b.seal.Signature
	}
	return carry(b.seal, "")
}

// carries says what the block's seal is of, where it needs a block of its own; "" where not.
func (b *said) carries() string {
	switch {
	case b.seal == nil || b.carried || b.kind == providers.KindReasoning:
		return ""
	case b.kind == providers.KindToolCall:
		return ofCall + b.call.ID
	case b.shown || b.begun || b.kind == providers.KindImage:
		return ofBefore
	}
	return ofEmpty
}

// appendStart is the block as it begins, without its text.
func (b *said) appendStart(dst []byte) []byte {
	switch b.kind {
	case providers.KindToolCall:
		return append(b.appendCall(dst), `,"input":{}}`...)
	case providers.KindImage:
		return b.appendImage(dst)
	case providers.KindReasoning:
		if b.redacted() {
			return appendRedacted(dst, b.data())
		}
		return append(dst, `{"type":"thinking","thinking":"","signature":""}`...)
	default:
		return append(dst, `{"type":"text","text":""}`...)
	}
}

// appendWhole is the block as a whole.
func (b *said) appendWhole(dst []byte) []byte {
	switch b.kind {
	case providers.KindToolCall:
		dst = append(b.appendCall(dst), `,"input":`...)
		return append(append(dst, arguments(string(b.arguments))...), '}')
	case providers.KindImage:
		return b.appendImage(dst)
	case providers.KindReasoning:
		if b.redacted() {
			return appendRedacted(dst, b.data())
		}
		dst = providers.AppendString(append(dst, `{"type":"thinking","thinking":`...), b.text)
		dst = append(dst, `,"signature":`...)
		return append(providers.AppendString(dst, b.signature()), '}')
	default:
		dst = providers.AppendString(append(dst, `{"type":"text","text":`...), b.text)
		if len(b.citations) > 0 {
			dst = append(append(append(dst, `,"citations":[`...), bytes.Join(b.citations, []byte(","))...), ']')
		}
		return append(dst, '}')
	}
}

func (b *said) data() string {
	if b.seal.Minter == Language {
		return b.seal.Encrypted
	}
	return carry(b.seal, "")
}

func (b *said) appendCall(dst []byte) []byte {
	dst = providers.AppendString(append(dst, `{"type":"tool_use","id":`...), b.call.ID)
	return providers.AppendString(append(dst, `,"name":`...), b.call.Name)
}

// appendImage is what a model made, in the form that the language has for a user's image.
func (b *said) appendImage(dst []byte) []byte {
	if b.media.Data == "" {
		dst = append(dst, `{"type":"image","source":{"type":"url","url":`...)
		return append(providers.AppendString(dst, b.media.URL), "}}"...)
	}
	dst = providers.AppendString(append(dst, `{"type":"image","source":{"type":"base64","media_type":`...), b.media.Type)
	dst = append(dst, `,"data":`...)
	return append(providers.AppendString(dst, b.media.Data), "}}"...)
}

// delta leads to a piece of the block.
func (b *said) delta() string {
	switch b.kind {
	case providers.KindToolCall:
		return `,"delta":{"type":"input_json_delta","partial_json":`
	case providers.KindReasoning:
		return `,"delta":{"type":"thinking_delta","thinking":`
	default:
		return `,"delta":{"type":"text_delta","text":`
	}
}

func appendRedacted(dst []byte, data string) []byte {
	dst = providers.AppendString(append(dst, `{"type":"redacted_thinking","data":`...), data)
	return append(dst, '}')
}

// appendCitation is a source on the web.
func appendCitation(dst []byte, c *providers.Citation) []byte {
	dst = providers.AppendString(append(dst, `{"type":"web_search_result_location","url":`...), c.URL)
	dst = providers.AppendString(append(dst, `,"title":`...), c.Title)
	dst = providers.AppendString(append(dst, `,"cited_text":`...), c.Text)
	return append(dst, `,"encrypted_index":""}`...)
}

// madeID makes the id of a call whose upstream gave none. It derives from the reply, so that
// the same reply always reads the same, and begins as those that other faces make.
func madeID(reply string, number int) string {
	sum := sha256.Sum256([]byte(reply + "/" + strconv.Itoa(number)))
	return "call_" + hex.EncodeToString(sum[:12])
}
