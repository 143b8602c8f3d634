package gemini

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// Splice implements providers.Dialect. The model stands in the path, and usage comes unasked, so
// the client's bytes go out as they are, but for a model that they name too, what a quirk strips,
// a bound of the gateway's and seals that are not this API's.
func (Dialect) Splice(call *providers.Call) (providers.Plan, error) {
	s := splicer{call: call, doc: call.Doc}
	path := call.Path
	switch call.Op {
	case providers.OpEmbeddings:
		path = s.embeddings()
	case providers.OpCountTokens:
		s.counted()
	default:
		if err := s.bound(); err != nil {
			return providers.Plan{}, err
		}
	}
	s.model("model")
	for _, name := range call.Quirks.Strip {
		if call.Doc.Field(name) != nil {
			s.edits = append(s.edits, providers.Edit{Name: name})
			s.plan.Dropped = append(s.plan.Dropped, name)
		}
	}
	sent := call.Doc.Raw
	if len(s.edits) > 0 {
		sent = call.Doc.Splice(call.NewBody(), s.edits...)
	}
	s.plan.Requests = call.One(providers.UpstreamRequest{Path: path, Body: withoutForeign(sent)})
	return s.plan, nil
}

type splicer struct {
	call  *providers.Call
	doc   *providers.Document
	edits []providers.Edit
	plan  providers.Plan
}

// resource is the API's name of the upstream's model.
func (s *splicer) resource() string { return "models/" + strings.TrimPrefix(s.call.Model, "models/") }

// model puts the upstream's model where a member names the public one.
func (s *splicer) model(name string) {
	if s.doc.Field(name) != nil {
		s.edits = append(s.edits, providers.Edit{Name: name, Value: quoted(s.resource())})
	}
}

// counted names the model in the request that is to be counted, where the client wrote one.
func (s *splicer) counted() {
	at, err := member(s.doc, "generateContentRequest")
	if err != nil || !at.found() {
		return
	}
	s.edits = append(s.edits, providers.Edit{Name: at.name, Value: s.renamed(at.value)})
}

// embeddings names the model in each of a batch's requests, and gives the path: a client's one
// text goes to a method of its own.
func (s *splicer) embeddings() string {
	at, _ := member(s.doc, "requests") // one spelling only
	if !at.found() {
		return strings.Replace(s.call.Path, ":batchEmbedContents", ":embedContent", 1)
	}
	var w body
	w.open('[')
	gjson.ParseBytes(at.value).ForEach(func(_, one gjson.Result) bool {
		w.raw(s.renamed([]byte(one.Raw)))
		return true
	})
	w.shut(']')
	s.edits = append(s.edits, providers.Edit{Name: at.name, Value: w.b})
	return s.call.Path
}

// renamed is an object with the upstream's model in it. What is no object is the API's to refuse.
func (s *splicer) renamed(raw []byte) []byte {
	var doc providers.Document
	if raw[0] != '{' || doc.Scan(raw, nil) != nil {
		return raw
	}
	return doc.Splice(nil, providers.Edit{Name: "model", Value: quoted(s.resource())})
}

// bound reads what the client lets each candidate make, and puts a bound of the gateway's in its
// place where that is lower or the only one.
func (s *splicer) bound() error {
	c, err := readConfig(s.doc)
	if err != nil {
		return err
	}
	if share := providers.Share(s.call.Clamp, c.choices); share > 0 && (c.most == 0 || c.most > share) {
		c.most = share
		s.edits = append(s.edits, c.clamp())
		s.plan.Clamped = "generationConfig.maxOutputTokens=" + strconv.FormatInt(share, 10)
	}
	s.plan.MaxOutput, s.plan.Choices = providers.MaxOutput(&c.most, &c.choices), c.choices
	return nil
}

// clamp is generationConfig with the bound in it, in the client's own spelling.
func (c *config) clamp() providers.Edit {
	if !c.at.found() {
		return providers.Edit{Name: c.at.name, Value: append(append([]byte(`{"maxOutputTokens":`), number(c.most)...), '}')}
	}
	return providers.Edit{Name: c.at.name, Value: c.doc.Splice(nil, providers.Edit{Name: c.limit.name, Value: number(c.most)})}
}

// withoutForeign puts the API's word for "no signature" in place of seals of other providers,
// which travel through clients as this API's do: it would refuse them.
func withoutForeign(raw []byte) []byte {
	mark := []byte(`"` + foreignMark)
	if !bytes.Contains(raw, mark) {
		return raw
	}
	var out []byte
	for {
		at := bytes.Index(raw, mark)
		if at < 0 {
			return append(out, raw...)
		}
		end := min(len(raw), providers.StringEnd(raw, at)+1)
		if signs(raw[:at]) {
			out = append(append(append(out, raw[:at+1]...), unsigned...), '"')
		} else {
			out = append(out, raw[:end]...)
		}
		raw = raw[end:]
	}
}

// signs reports whether the value behind these bytes is a signature.
func signs(before []byte) bool {
	before, ok := bytes.CutSuffix(bytes.TrimRight(before, " \t\r\n"), []byte(":"))
	before = bytes.TrimRight(before, " \t\r\n")
	return ok && (bytes.HasSuffix(before, []byte(`"thoughtSignature"`)) || bytes.HasSuffix(before, []byte(`"thought_signature"`)))
}
