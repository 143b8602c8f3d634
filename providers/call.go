package providers

import (
	"io"
	"slices"
	"time"
)

// A Call is one request under way, as much of it as a language may know. It is built around
// the client's own bytes and never holds a key, a clock or a connection.
type Call struct {
	Op       Op
	Doc      *Document // the client's body, scanned once
	Form     bool      // it came as a form, of which Doc has the fields
	Files    []File    // of a form that is translated
	Asked    string    // the model's name as the client wrote it
	Model    string    // the upstream's name of the model
	Provider string
	Path     string // the route's path, model filled in
	Stream   bool
	// IncludeUsage says that the client itself asked for a usage event.
	IncludeUsage bool
	// ID and Created are what a translated reply carries where the upstream gives none.
	ID      string
	Created time.Time
	// EndUser is the client's end user, hashed; safe to hand to an upstream.
	EndUser string
	// Keeps is what the gateway keeps of the call.
	Keeps Keeps
	// Forwarded are the client's headers that the upstream may see.
	Forwarded []Header
	Can       Capabilities // what the upstream model can do
	Quirks    Quirks
	// Room is used again from call to call; without any each plan makes its own.
	Room Room
	// Fetched holds the URLs that an earlier Plan asked for.
	Fetched map[string]Media
	// Clamp is the most output tokens, of all choices together, that the upstream may be let
	// make; 0 is no such bound. It is not above the model's own maximum where that is known.
	Clamp int64
}

// Room is empty room for what nearly every plan has.
type Room struct {
	Body     []byte            // of a request
	Requests []UpstreamRequest // one
}

// A Plan is what a dialect makes of a call.
type Plan struct {
	Requests []UpstreamRequest // mostly one
	// Fetch names URLs whose bytes the upstream needs; the dialect is asked again with
	// Call.Fetched filled. Requests is empty then.
	Fetch []string
	// Dropped names what the upstream cannot be told, in the client's words.
	Dropped []string
	// HideUsage is set where only the gateway asked for the usage event.
	HideUsage bool
	// MaxOutput is the output tokens that the upstream was told to make at most, of all choices
	// together; 0 where it was told no bound. It is above Call.Clamp, or 0, where the upstream
	// cannot be told so few: no fewer than one for each choice.
	MaxOutput int64
	// Choices is how many answers of up to so many tokens were asked for; 0 is one.
	Choices int64
	// Clamped says, in the client's words, the bound that Call.Clamp put in place of the
	// client's own ("max_tokens=123", for each choice); "" where it changed nothing.
	Clamped string
}

// MaxOutput is the bound of a Plan where each of n choices may have limit tokens; nil and less
// than 1 are not said.
func MaxOutput(limit, n *int64) int64 {
	const most = 1 << 40 // beyond every model's, and safe to multiply and to price
	if limit == nil || *limit < 1 {
		return 0
	}
	choices := int64(1)
	if n != nil {
		choices = max(1, min(*n, most))
	}
	if *limit > most/choices {
		return most
	}
	return *limit * choices
}

// Share is what Call.Clamp leaves each of n choices, at least one token; 0 is no bound.
func Share(clamp, n int64) int64 {
	if clamp <= 0 {
		return 0
	}
	return max(1, clamp/max(1, n))
}

// An UpstreamRequest is one HTTP request in an upstream's words, still without address and
// credential.
type UpstreamRequest struct {
	Method  string // "" is POST
	Path    string // Route.Path or StreamPath with the model filled in
	Headers []Header
	Body    []byte
	// Rest follows Body: what was not copied of a large document. It is not for forms and Inline.
	Rest [][]byte
	// Form has the body sent as multipart/form-data: the members of the JSON object in Body as
	// its fields, and behind them the client's files.
	Form bool
	// File has the bytes of the client's file of that name sent, and nothing else; Type is what
	// they are called then, "" as the client does.
	File, Type string
	// Inline puts files of the client's into Body as base64, in the order of their places.
	Inline []Inlined
}

// Size is the bytes of Body and Rest.
func (r *UpstreamRequest) Size() int {
	size := len(r.Body)
	for _, part := range r.Rest {
		size += len(part)
	}
	return size
}

// WriteBody gives Body and Rest to w.
func (r *UpstreamRequest) WriteBody(w io.Writer) error {
	_, err := w.Write(r.Body)
	for i := 0; i < len(r.Rest) && err == nil; i++ {
		_, err = w.Write(r.Rest[i])
	}
	return err
}

// Whole makes one piece of Body and Rest, and gives it.
func (r *UpstreamRequest) Whole() []byte {
	if len(r.Rest) > 0 {
		r.Body, r.Rest = slices.Concat(append([][]byte{r.Body}, r.Rest...)...), nil
	}
	return r.Body
}

// largeDocument is the size from which a document is not copied to be spliced.
const largeDocument = 64 << 10

// NewBody is an empty body with room for the client's and some more.
func (c *Call) NewBody() []byte {
	if c.Doc == nil {
		return c.Room.Body
	}
	return slices.Grow(c.Room.Body, len(c.Doc.Raw)+256)
}

// One gives a plan's requests where there is one.
func (c *Call) One(r UpstreamRequest) []UpstreamRequest { return append(c.Room.Requests, r) }

// Spliced is the request that sends the client's own document with the edits put in.
func (c *Call) Spliced(edits ...Edit) UpstreamRequest {
	r := UpstreamRequest{Path: c.Path, Form: c.Form}
	if len(c.Doc.Raw) < largeDocument || c.Form {
		r.Body = c.Doc.Splice(c.NewBody(), edits...)
		return r
	}
	parts := c.Doc.SpliceParts(c.Room.Body, edits...)
	r.Body, r.Rest = parts[0], parts[1:]
	return r
}

// A File is one file of a client's form, of which a language never sees the bytes.
type File struct {
	Field string // that it stands under
	Name  string // as the client calls it
	Type  string // content type, "" where the client says none
}

// Inlined says where a file stands in a body.
type Inlined struct {
	At   int // offset in the body, between two quotes
	File int // index in Call.Files
}

// Capabilities are what the catalogue knows of a model. The zero value is a model that nobody
// described: a dialect then assumes a current model of its provider.
type Capabilities struct {
	Known     bool  `json:"-"`
	Context   int64 `json:"context,omitzero"`    // tokens, 0 unknown
	MaxOutput int64 `json:"max_output,omitzero"` // tokens, 0 unknown
	// NoSampling is set where the model refuses temperature, top_p and top_k.
	NoSampling bool `json:"no_sampling,omitzero"`
	// Efforts lists the reasoning efforts the model takes by name, lowest first.
	Efforts []string `json:"efforts,omitempty"`
	// AdaptiveThinking is set where the model thinks by effort. It refuses a token budget,
	// unless BudgetMax says otherwise.
	AdaptiveThinking bool `json:"adaptive_thinking,omitzero"`
	// BudgetMin and BudgetMax bound a thinking budget in tokens; both 0 where there is none.
	BudgetMin int64 `json:"budget_min,omitzero"`
	BudgetMax int64 `json:"budget_max,omitzero"`
	// ThinkingAlways is set where thinking cannot be switched off.
	ThinkingAlways bool `json:"thinking_always,omitzero"`
	// NoThinking is set where the model cannot think at all.
	NoThinking bool `json:"no_thinking,omitzero"`
	// NoStructuredOutput is set where the model takes no JSON schema.
	NoStructuredOutput bool `json:"no_structured_output,omitzero"`
	// LegacySchema is set where tools and formats take only the provider's old schema subset.
	LegacySchema bool `json:"legacy_schema,omitzero"`
	// Languages lists the wire formats that serve the model, where that is not all of its
	// provider's ("responses").
	Languages []string `json:"languages,omitempty"`
	NoImages  bool     `json:"no_images,omitzero"`
	NoPDF     bool     `json:"no_pdf,omitzero"`
}
