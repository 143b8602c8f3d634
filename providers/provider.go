// Package providers is the hub between clients and upstreams: a neutral, ordered form of a
// request and of a reply, and the two interfaces (Face and Dialect) that every wire format
// implements as pure functions. It knows no HTTP client, no context, no key and no clock.
package providers

import (
	"slices"
	"strings"
	"time"
)

// Op is an operation of the data plane. An endpoint is a value, not a method.
type Op uint8

// The operations that a Route can serve.
const (
	OpChat Op = iota + 1
	OpCompletions
	OpEmbeddings
	OpModels      // the list of models, which the gateway answers itself
	OpCountTokens // how many tokens a chat would take; no answer is made
	OpModerations
	OpSpeech        // sound out of text
	OpTranscription // text out of sound
	OpTranslation   // English text out of sound
	OpImages        // images out of text
	OpImageEdits    // images out of images
	OpImageVariations

	// Of what the provider keeps. None calls a model.
	OpFiles
	OpBatches
	OpUploads
	OpVectorStores
	OpStoredResponses // those that were made by another operation
	OpConversations
	OpContainers
	OpRealtime // a conversation of events over a WebSocket
	OpSkills
	OpCachedContents

	// Of the key itself, which the gateway answers.
	OpMe
	OpMyUsage

	OpPrompts // a stored prompt with its variables filled in, which the gateway answers itself
)

// String gives the operation's name as the GenAI semantic conventions spell it.
func (o Op) String() string {
	switch o {
	case OpChat:
		return "chat"
	case OpCompletions:
		return "text_completion"
	case OpEmbeddings:
		return "embeddings"
	case OpModels:
		return "models"
	case OpCountTokens:
		return "count_tokens"
	case OpModerations:
		return "moderation"
	case OpSpeech:
		return "speech"
	case OpTranscription:
		return "transcription"
	case OpTranslation:
		return "translation"
	case OpImages:
		return "image_generation"
	case OpImageEdits:
		return "image_edit"
	case OpImageVariations:
		return "image_variation"
	case OpFiles:
		return "files"
	case OpBatches:
		return "batches"
	case OpUploads:
		return "uploads"
	case OpVectorStores:
		return "vector_stores"
	case OpStoredResponses:
		return "stored_responses"
	case OpConversations:
		return "conversations"
	case OpContainers:
		return "containers"
	case OpRealtime:
		return "realtime"
	case OpSkills:
		return "skills"
	case OpCachedContents:
		return "cached_contents"
	case OpPrompts:
		return "prompts"
	case OpMe:
		return "me"
	case OpMyUsage:
		return "my_usage"
	}
	return "unknown"
}

// Makes reports whether the operation makes tokens of output.
func (o Op) Makes() bool { return o == OpChat || o == OpCompletions || o == OpRealtime }

// Bills reports whether an upstream charges for the operation.
func (o Op) Bills() bool {
	switch o {
	case OpModels, OpCountTokens, OpMe, OpMyUsage:
		return false
	default:
		return true
	}
}

// Media reports whether the operation makes or reads sounds or images: its answer may be bytes,
// and it may be billed by other things than tokens.
func (o Op) Media() bool {
	switch o {
	case OpSpeech, OpTranscription, OpTranslation, OpImages, OpImageEdits, OpImageVariations:
		return true
	default:
		return false
	}
}

// A Provider is an account with an upstream. It is data: adding one needs no code where its
// language is known.
type Provider struct {
	Name    string
	BaseURL string // without a trailing slash, as an operator writes it: https://api.openai.com/v1
	// Routes lists for each operation how the provider serves it, in which languages.
	Routes map[Op][]Route
	Sign   Signer
	Quirks Quirks
	// Env names the environment variables that hold this provider's key, first one wins.
	Env []string
	// Forward names the client's request headers that this upstream may see ("anthropic-beta").
	Forward []string
	// ForwardExact names more of them, which stand in for the dialect's own on the exact path
	// ("anthropic-version"): a translated request is written for one version.
	ForwardExact []string
	// OwnedBy is what the models list says of a model of this provider ("anthropic").
	OwnedBy string
	// Keyless is set where the upstream takes no credential unless one is given.
	Keyless bool
	// Minted says who may mint tokens with the secret, which is then never sent itself: "google" for
	// a service account's key, "entra" for an application's secret; "" nobody.
	Minted string
	// Look is the path of a cheap GET that an account in good order is answered well; "" is the
	// language's list of models. Its answer says nothing of the credential where Blind is set.
	Look  string
	Blind bool
}

// Route gives how the provider serves an operation of a model: in the language given where it
// speaks that, so that both sides have the same words, else in the first of its own.
func (p *Provider) Route(op Op, language, model string) (Route, bool) {
	return p.RouteIn(op, language, model, nil)
}

// RouteIn is Route for a model that is served in the languages given only, its
// Capabilities.Languages; none are all.
func (p *Provider) RouteIn(op Op, language, model string, spoken []string) (Route, bool) {
	routes := p.Routes[op]
	found := -1
	for i := range routes {
		switch r := &routes[i]; {
		case !strings.Contains(model, r.Models), len(spoken) > 0 && !slices.Contains(spoken, r.Language):
		case r.Language == language && r.Pair == nil:
			return *r, true
		case found < 0, !routes[found].answers(language) && r.answers(language):
			found = i
		}
	}
	if found < 0 {
		return Route{}, false
	}
	return routes[found], true
}

// answers reports whether clients of a language can be served at all: a pair has one.
func (r *Route) answers(language string) bool { return r.Pair == nil || r.Pair.Client == language }

// A Route says how a provider serves one operation in one language.
type Route struct {
	Language string  // the wire format's name: "openai", "anthropic", "gemini", …
	Dialect  Dialect // how to speak it
	// Path follows the base URL ("/chat/completions"). "{model}" stands for the escaped model
	// name. A path that begins with "//" replaces the base URL's own path (HuggingFace serves
	// embeddings beside /v1): "//hf-inference/models/{model}/pipeline/feature-extraction".
	// "{id}" stands for the same with its slashes and colons escaped too (Bedrock's ARNs).
	Path string
	// StreamPath replaces Path where the upstream streams from another address (Gemini).
	StreamPath string
	// Models is a piece of the name of every model that the route serves ("claude"); "" all. It
	// tells apart the languages of a provider that has several, one for each family of models.
	Models string
	// Quirks, where they are set, stand in for the provider's own: it refuses other fields in this
	// language than in its first.
	Quirks *Quirks
	// Framed is set where streams come in the frames of AWS's event stream, not as server-sent
	// events.
	Framed   bool
	Governed []Governed
	// Headers are those without which the upstream answers no call about what it keeps. A client's
	// own of the same name stand in their place.
	Headers []Header
	// Pair, where it is set, serves the operation by two functions of its own in place of the
	// dialect's hub methods (embeddings of a language that is not OpenAI's).
	Pair *Pair
}

// A Pair says an operation in a provider's words: the client's body to upstream requests, and all
// their replies to the client's.
type Pair struct {
	Client string // whose language Write reads and Read writes
	Write  func(*Call) (Plan, error)
	// Read says whole replies. Usage counts where it fails, too.
	Read func(call *Call, replies [][]byte) (PairReply, error)
	// Stream says the hub's events in place of the face's writer, where the call is a stream and
	// the route's dialect can read one; nil where only whole replies are read.
	Stream func(*Call) Writer
}

// A PairReply is a whole reply in the client's words.
type PairReply struct {
	Body  []byte
	Type  string // content type, "" for JSON
	Usage Usage
}

// Quirks names what a provider of a known language does otherwise than the language's owner.
type Quirks struct {
	// Strip lists top-level request fields that this provider refuses; they are left out and
	// named in x-aistrale-dropped.
	Strip []string
	// Rename maps a top-level request field to the name this provider knows it by.
	Rename map[string]string
	// NoStreamUsage is set where stream_options is refused.
	NoStreamUsage bool
	// CallID is how many letters and digits the id of a call must be; 0 is any id.
	CallID int
}

// A Signer puts a credential on an upstream request, whose other headers and body are there
// already. It is pure: the clock is handed in.
type Signer func(r *UpstreamRequest, with Signing)

// Signing is what a request is signed with.
type Signing struct {
	Secret  string
	BaseURL string // the account's, which the request's path follows as Under says
	Time    time.Time
}

// Under gives the path and query of a request at a base URL whose own path is base, escaped and
// without a trailing slash.
func Under(base, path string) string {
	if absolute, ok := strings.CutPrefix(path, "//"); ok {
		return "/" + absolute
	}
	return base + path
}

// Header is one header line of an upstream request.
type Header struct{ Name, Value string }

// Bearer signs with "authorization: Bearer".
func Bearer(r *UpstreamRequest, with Signing) {
	r.Headers = append(r.Headers, Header{"authorization", "Bearer " + with.Secret})
}

// HeaderKey signs with the bare secret in a header of the given name.
func HeaderKey(name string) Signer {
	return func(r *UpstreamRequest, with Signing) {
		r.Headers = append(r.Headers, Header{name, with.Secret})
	}
}
