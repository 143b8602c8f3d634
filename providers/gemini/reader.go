package gemini

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// reader is one request on its way into the hub.
type reader struct {
	req    *providers.Request
	system []providers.Turn
	asked  []asking // calls that no result has answered yet, of the model's last turn
	made   int      // ids that were made up
	tools  choosing
}

// ReadRequest implements providers.Face for generateContent, and for the request that countTokens
// may hold. A name may be spelt as in JSON or as in the protobuf, as the API takes both.
func (Face) ReadRequest(doc *providers.Document) (*providers.Request, error) {
	r := &reader{req: &providers.Request{}}
	root := gjson.ParseBytes(doc.Raw)
	at, err := member(doc, "generateContentRequest")
	if err != nil {
		return nil, err
	}
	if at.found() {
		root = gjson.ParseBytes(at.value)
	}
	if err := object(root, "", r.field); err != nil {
		return nil, err
	}
	if len(r.req.Turns) == 0 {
		return nil, providers.Invalid("contents", "GenerateContentRequest.contents: contents is not specified")
	}
	r.req.Turns = slices.Concat(r.system, r.req.Turns)
	r.choose()
	return r.req, nil
}

// object hands on the members of an object that are not null, by their names in JSON. A member
// that stands in both spellings is refused.
func object(v gjson.Result, path string, do func(name, path string, v gjson.Result) error) error {
	if !v.IsObject() {
		return wrong(path, "an object")
	}
	var seen []string
	var err error
	v.ForEach(func(key, value gjson.Result) bool {
		name := camel(key.Str)
		at := name
		if path != "" {
			at = path + "." + name
		}
		if slices.Contains(seen, name) {
			err = providers.Invalid(at, fmt.Sprintf("Invalid value at '%s': the field is given twice.", at))
			return false
		}
		seen = append(seen, name)
		if value.Type != gjson.Null {
			err = do(name, at, value)
		}
		return err == nil
	})
	return err
}

// list hands on the items of an array. The API takes a single object for one of its kind.
func list(v gjson.Result, path string, do func(path string, v gjson.Result) error) error {
	if v.IsObject() {
		return do(path, v)
	}
	if !v.IsArray() {
		return wrong(path, "an array")
	}
	var err error
	i := 0
	v.ForEach(func(_, item gjson.Result) bool {
		err = do(path+"["+strconv.Itoa(i)+"]", item)
		i++
		return err == nil
	})
	return err
}

// text reads a string.
func text(v gjson.Result, path string, to *string) error {
	if v.Type != gjson.String {
		return wrong(path, "a string")
	}
	*to = v.Str
	return nil
}

func truth(v gjson.Result, path string, to **bool) error {
	if !v.IsBool() {
		return wrong(path, "a boolean")
	}
	said := v.Bool()
	*to = &said
	return nil
}

func whole(v gjson.Result, path string, to **int64) error {
	n, err := integer(v, path)
	*to = &n
	return err
}

func fraction(v gjson.Result, path string, to **float64) error {
	f := v.Num
	if v.Type == gjson.String {
		var err error
		if f, err = strconv.ParseFloat(v.Str, 64); err != nil {
			return wrong(path, "a number")
		}
	} else if v.Type != gjson.Number {
		return wrong(path, "a number")
	}
	if math.IsInf(f, 0) || math.IsNaN(f) { // no language of an upstream's has a word for it
		return wrong(path, "a finite number")
	}
	*to = &f
	return nil
}

// camel gives a field's name in JSON for its name in the protobuf.
func camel(name string) string {
	out := make([]byte, 0, len(name))
	for i := 0; i < len(name); i++ {
		if c := name[i]; c == '_' && len(out) > 0 && i+1 < len(name) && name[i+1] >= 'a' && name[i+1] <= 'z' {
			i++
			out = append(out, name[i]-'a'+'A')
		} else {
			out = append(out, c)
		}
	}
	return string(out)
}

func (r *reader) field(name, path string, v gjson.Result) error {
	switch name {
	case "model":
		return nil // the call holds it
	case "contents":
		return list(v, path, r.turn)
	case "systemInstruction":
		return r.instruction(v, path)
	case "tools":
		return list(v, path, r.tool)
	case "toolConfig":
		return object(v, path, r.toolConfig)
	case "generationConfig":
		return object(v, path, r.wish)
	case "serviceTier":
		return r.tier(v, path)
	case "cachedContent":
		return providers.Invalid(path, "cachedContent names a part of the prompt that only Gemini holds; send that part itself to this model.")
	}
	r.keep(path, v)
	return nil
}

// keep notes a field of this language that the hub has no word for.
func (r *reader) keep(path string, v gjson.Result) {
	r.req.Extras = append(r.req.Extras, providers.Extra{Owner: Language, Name: path, Value: []byte(v.Raw)})
}

// unread names a member below the top that no other language has a word for.
func (r *reader) unread(path string) {
	r.req.Unread = providers.AddDropped(r.req.Unread, unnumbered(path))
}

// unnumbered takes the places of items out of a path: contents[0].parts[2].text.
func unnumbered(path string) string {
	out := make([]byte, 0, len(path))
	inside := false
	for i := range len(path) {
		switch c := path[i]; {
		case c == '[':
			inside = true
		case c == ']':
			inside = false
		case !inside:
			out = append(out, c)
		}
	}
	return string(out)
}

// tier says the API's tiers in OpenAI's words.
func (r *reader) tier(v gjson.Result, path string) error {
	var said string
	if err := text(v, path, &said); err != nil {
		return err
	}
	switch lower := lowered(said); lower {
	case "standard":
		r.req.ServiceTier = "default"
	case "", "unspecified", "service_tier_unspecified":
	default:
		r.req.ServiceTier = lower
	}
	return nil
}

// lowered is a word of the protobuf's in lower case.
func lowered(word string) string {
	out := []byte(word)
	for i, c := range out {
		if c >= 'A' && c <= 'Z' {
			out[i] = c - 'A' + 'a'
		}
	}
	return string(out)
}
