package providers

// A Surface is what clients of one language see of the gateway: its paths, and who speaks there.
type Surface struct {
	// Prefix is where its paths stand ("/anthropic"). What is nobody's path is refused in the
	// words of the surface with the longest prefix that fits; "" fits all.
	Prefix    string
	Face      Face
	Endpoints []Endpoint
	// Awake is what keeps a quiet stream alive; "" is a comment, as most clients take one.
	Awake string
}

// An Endpoint is one path of the data plane. It is a value.
type Endpoint struct {
	Method string // "" is POST
	// Path is the whole path. "{model}" in it stands for a model's name, slashes included; any
	// other "{name}" for one piece without a slash: "/v1beta/models/{model}:generateContent".
	Path string
	Op   Op
	Face Face // nil: the surface's
	// Ask reads from the client's body what the road needs to know; nil where there is no body.
	// A model in the path goes before one in the body.
	Ask func(*Document) (Asked, error)
	// Words says where parameters of OpenAI's chat, which operators set in its words, stand in a
	// body of this language. One that is not there cannot be said. nil: the words are the same.
	Words map[string]Word
	// Stored says what the path has to do with objects that a provider keeps; nil nothing.
	Stored *Stored
	// Turns says how the path's calls name turns that the gateway keeps; nil where they name none.
	Turns *Turns
	// Preface says a stored prompt before what a call says itself; nil where calls can't use any.
	Preface Preface
	// Session is set where the path opens a conversation of events over a WebSocket.
	Session *Session
	// Closed says why a path that clients know is not served; "" where it is.
	Closed string
	// Form says how a body of multipart/form-data is read; nil where the path takes none.
	Form *Form
	// Stream is set where the path itself asks for a stream.
	Stream bool
	// Pairs serve an operation that has no hub by routes of other languages, which they are named by.
	Pairs map[string]*Pair
	// Query is a parameter that the request's URL must have ("alt=sse"); "" is none.
	Query string
	Awake string // "": the surface's
	// List says models that the key may use in the client's words (OpModels). A path with a
	// "{model}" is shown one of them: one is set then.
	List func(dst []byte, models []ListedModel, query func(name string) string) []byte
	Show func(dst []byte, m *ListedModel) []byte
}

// Word is where a language has a parameter.
type Word struct {
	// Path is names joined by dots: "generationConfig.maxOutputTokens". "" says that there is
	// nothing that the parameter could mean.
	Path string
	List bool // a single value stands in an array ("stop")
}

// A Form is a body of multipart/form-data. To a language it is a Document like any other: an
// object of its fields, of which one that says a number or a boolean is one, and one that is
// said several times is an array. Its files are no part of that, and are not read whole.
type Form struct {
	// Files are the names that files stand under ("image[]"). Whatever else the form holds is a
	// field, and small.
	Files []string
	// Needs names the fields that must be known before a file is sent on. What then comes behind
	// the file can only be let through or refused, so it may change neither target nor price.
	// Empty: the whole form must be known.
	Needs []string
}

// Asked is what the road needs to know of a client's request, whatever its words.
type Asked struct {
	Model  string
	Stream bool
	// IncludeUsage says that the client itself asked for a usage event.
	IncludeUsage bool
	// MaxOutput is the bound that the client itself sets to each answer, in tokens; 0 none.
	MaxOutput int64
	// Tier is the service tier that the client names, "" where it leaves that to the account.
	Tier string
	// Characters are the length of a text to be spoken, in Unicode code points.
	Characters int64
	// Images is how many are to be made, and Variant of which size and quality: UsageLine.Variant.
	Images  int64
	Variant string
	// EndUser is the client's word for the person behind the call.
	EndUser string
	// Metadata is the JSON object of labels that the client hangs on its call, nil none.
	Metadata []byte
}

// ListedModel is one entry of the models list.
type ListedModel struct {
	ID      string // public name: an alias, or provider/model
	OwnedBy string
	Created int64 // Unix seconds, 0 where nobody says
	Can     Capabilities
	Ops     []Op // that it serves; nil where nobody says
}
