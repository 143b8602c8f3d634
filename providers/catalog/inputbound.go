package catalog

import (
	"bytes"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// InputReach says how far an input's bound goes.
type InputReach uint8

// The reaches.
const (
	InputBounded InputReach = iota // the tokens are a true upper bound
	InputContext                   // the model's context is the bound: files, films, what is stored
	InputOpen                      // nothing is: the provider's own tools call the model again and again
)

// Input gives the most tokens of input that a request may be billed for, out of the body that
// the upstream is sent in its own language: each byte is a token, but for the bytes of images,
// and what the provider adds comes on top. It holds for tokenizers that make no more tokens
// than bytes, which is all that are known, and for sounds of more bytes than tokens, which
// leaves out those that were made to be nearly empty. What rest has follows the body, as in
// [providers.UpstreamRequest].
func (a Allowance) Input(body []byte, rest ...[]byte) (tokens int64, reach InputReach) {
	var w weighing
	w.part(body)
	for _, part := range rest {
		w.part(part)
	}
	tokens = int64(w.size-w.pictures) + a.Request + a.Message*w.messages + a.Tool*w.tools +
		muchHidden*w.clientTools + a.Image*max(w.typed, w.named, w.mimed)
	if w.tools > 0 {
		tokens += a.Tools
	}
	if w.documents > 0 {
		tokens += muchHidden // how to cite them
	}
	switch {
	case a.Open || w.open || w.native && w.foreign:
		return tokens, InputOpen
	case w.context || w.documents > 0 && w.documents > texts(slices.Concat(append([][]byte{body}, rest...)...)):
		return tokens, InputContext
	}
	return tokens, InputBounded
}

// weighing is one flat walk over a body of any language.
type weighing struct {
	body  []byte // the part that is read
	size  int    // of all that were
	depth int
	// free is the depth of the member that holds a client's own JSON, which is text to the model
	// whatever it looks like; 0 outside of any.
	free            int
	top, owner, key []byte // names: at the top level, of the object we are in, of the member
	object          object // the innermost, as far as it holds no other
	declarations    bool   // the member of a tool that we are in lists functions

	pictures                   int // bytes of images
	messages, tools, documents int64
	clientTools                int64 // of the provider's making, run by the client
	typed, named, mimed        int64 // images, by how each language says it
	native, foreign            bool  // Gemini's language, and a tool in it that is no function
	open, context              bool
}

// object is what is known of one that may be media.
type object struct {
	data          int // bytes
	image, base64 bool
}

func (w *weighing) part(body []byte) {
	w.body = body
	for i := 0; i < len(body); {
		i = w.next(i)
	}
	w.size += len(body)
}

func (w *weighing) next(i int) int {
	switch w.body[i] {
	case '"':
		end := providers.StringEnd(w.body, i)
		raw := w.body[i:min(end+1, len(w.body))]
		if at := providers.SkipSpace(w.body, min(end+1, len(w.body))); at < len(w.body) && w.body[at] == ':' {
			w.name(text(raw), providers.SkipSpace(w.body, at+1))
			return at + 1
		}
		w.value(raw)
		w.key = nil
		return end + 1
	case '{':
		w.depth++
		w.owner, w.key, w.object = w.key, nil, object{}
		if w.inTools() && (w.depth == 3 || w.depth == 5 && w.declarations) {
			w.tools++
		}
	case '[':
		w.depth++
		w.key = nil
	case '}', ']':
		w.shut()
	}
	return i + 1
}

func (w *weighing) shut() {
	if w.free == 0 {
		if w.object.image && w.object.base64 {
			w.pictures += w.object.data
		}
		if owner := string(w.owner); (owner == "fileData" || owner == "file_data") && !w.object.image {
			w.context = w.context || w.media()
		}
	}
	w.owner, w.key, w.object = nil, nil, object{}
	if w.depth--; w.depth <= w.free {
		w.free = 0
	}
}

func (w *weighing) inTools() bool { return string(w.top) == "tools" || string(w.top) == "functions" }

// text gives a string, unescaped; of a long one, which names nothing, only the beginning.
func text(raw []byte) []byte {
	const most = 80
	raw = raw[:min(len(raw), most)]
	if bytes.IndexByte(raw, '\\') >= 0 {
		return []byte(gjson.ParseBytes(append(bytes.Clone(raw), '"')).Str)
	}
	raw = bytes.TrimPrefix(raw, []byte{'"'})
	return bytes.TrimSuffix(raw, []byte{'"'})
}

// name notes a member, whose value begins at i.
func (w *weighing) name(name []byte, i int) {
	w.key = name
	said := i < len(w.body) && w.body[i] != 'n' && !bytes.HasPrefix(w.body[i:], []byte("[]"))
	if w.depth == 1 {
		w.top = name
		w.topMember(said, i)
		return
	}
	if w.inTools() && w.depth == 3 {
		w.declarations = string(name) == "functionDeclarations" || string(name) == "function_declarations"
		w.foreign = w.foreign || said && !w.declarations
	}
	switch string(name) {
	case "role", "parts":
		w.messages++
	case "input", "args", "response", "arguments":
		if w.free == 0 && i < len(w.body) && (w.body[i] == '{' || w.body[i] == '[') {
			w.free = w.depth
		}
	case "image_url":
		if w.media() {
			w.named++
		}
	case "file_id", "file_url":
		w.context = w.context || said && w.media()
	case "file_data": // OpenAI's is the file itself, Gemini's an object that names it
		w.context = w.context || i < len(w.body) && w.body[i] == '"' && w.media()
	}
}

// topMember notes a member of the request itself, whose value begins at i.
func (w *weighing) topMember(said bool, i int) {
	switch string(w.top) {
	case "contents":
		w.native = true
	case "web_search_options", "mcp_servers", "plugins", "search_parameters", "container", "compound_custom", "enable_search":
		w.open = w.open || said
	case "cachedContent", "cached_content", "previous_response_id", "conversation":
		w.context = w.context || said
	case "prompt": // Responses' is one that OpenAI keeps, Completions' the text itself
		w.context = w.context || i < len(w.body) && w.body[i] == '{'
	}
}

// media reports whether what is said here is read as media: not among tools, formats and
// arguments.
func (w *weighing) media() bool {
	top := string(w.top)
	return w.free == 0 && (top == "messages" || top == "contents" || top == "system" || top == "input")
}

func (w *weighing) value(raw []byte) {
	switch string(w.key) {
	case "type":
		w.kind(string(text(raw)))
	case "mimeType", "mime_type", "media_type":
		w.mime(string(text(raw)))
	case "data":
		w.object.data += len(raw)
	case "url":
		if string(w.owner) == "image_url" {
			w.picture(raw)
		}
	case "image_url":
		w.picture(raw)
	case "mode": // in which Responses asks the model several times
		w.open = w.open || string(w.top) == "reasoning" && string(text(raw)) == "pro"
	}
}

// picture takes the bytes of an image that stands as a data URL off the others.
func (w *weighing) picture(raw []byte) {
	if w.media() && bytes.HasPrefix(raw, []byte(`"data:image/`)) {
		w.pictures += len(raw)
	}
}

func (w *weighing) kind(kind string) {
	switch {
	case w.inTools() && w.depth == 3:
		switch {
		case kind == "function" || kind == "custom" || kind == "":
		case clientTool(kind):
			w.clientTools++
		default:
			w.open = true
		}
	case !w.media():
	case kind == "image", kind == "input_image":
		w.typed++
	case kind == "document":
		w.documents++
	case kind == "base64":
		w.object.base64 = true
	case kind == "file", kind == "video", kind == "video_url":
		w.context = true
	}
}

// clientTool reports Anthropic's tools that the client runs itself. They come with a prompt of
// their own: https://docs.claude.com/en/docs/agents-and-tools/tool-use/overview#pricing
func clientTool(kind string) bool {
	for _, prefix := range [...]string{"bash_", "computer_", "memory_", "text_editor_"} {
		if strings.HasPrefix(kind, prefix) {
			return true
		}
	}
	return false
}

func (w *weighing) mime(mime string) {
	if !w.media() {
		return
	}
	anthropics := string(w.key) == "media_type"
	kind, _, _ := strings.Cut(mime, "/")
	switch {
	case kind == "image":
		w.object.image = true
		if !anthropics { // its images stand in blocks of type image
			w.object.base64 = true
			w.mimed++
		}
	case anthropics: // and its others in documents
	case kind == "audio" && mime != "audio/flac" && mime != "audio/ogg" && mime != "audio/opus" && mime != "audio/webm", kind == "text":
	default:
		w.context = true
	}
}

// texts counts the documents that are text, each in a place where the API reads one. What only
// looks like one elsewhere is missing here.
func texts(body []byte) (n int64) {
	var blocks func(list gjson.Result)
	blocks = func(list gjson.Result) {
		list.ForEach(func(_, b gjson.Result) bool {
			switch b.Get("type").Str {
			case "document":
				if kind := b.Get("source.type").Str; kind == "text" {
					n++
				}
			case "tool_result":
				blocks(b.Get("content"))
			}
			return true
		})
	}
	gjson.GetBytes(body, "messages").ForEach(func(_, m gjson.Result) bool {
		blocks(m.Get("content"))
		return true
	})
	return n
}
