package providers

// Request is what a client asks, in no provider's words: turns of ordered blocks. Pointers
// tell "not said" from a zero.
type Request struct {
	Turns      []Turn // instructions are turns of RoleSystem or RoleDeveloper, where they were said
	Tools      []Tool
	ToolChoice ToolChoice
	// Parallel is parallel_tool_calls: whether several calls may come in one turn.
	Parallel  *bool
	Format    Format
	Sampling  Sampling
	Reasoning ReasoningAsk
	// MaxTokens bounds the output, reasoning included.
	MaxTokens *int64
	// LegacyMaxTokens is set where the client used the older name (max_tokens).
	LegacyMaxTokens bool
	N               *int64
	Stop            []string
	// User is the client's end user (user or safety_identifier), verbatim.
	User        string
	ServiceTier string
	Metadata    []Label
	// Extras are fields that only one language knows, with their owner's name, in the order
	// they were said. A dialect that does not own one names it as dropped.
	Extras []Extra
	// Unread names members inside messages and tools that the face has no word for, in the
	// client's words ("messages.prefix"). No dialect can say them: all name them as dropped.
	Unread []string
}

// Label is one entry of metadata.
type Label struct{ Name, Value string }

// Extra is a request field in its owner's words.
type Extra struct {
	Owner string // "openai", "anthropic", "gemini"; "" where the client did not say
	Name  string // as the client spelled its path: "logit_bias", "extra_body.google.safety_settings"
	Value []byte // raw JSON
}

// Role is who speaks in a turn.
type Role uint8

// The roles. Tool results stand in turns of their own.
const (
	RoleSystem Role = iota + 1
	RoleDeveloper
	RoleUser
	RoleAssistant
	RoleTool
)

// String names the role as OpenAI's APIs do.
func (r Role) String() string {
	names := [...]string{RoleSystem: "system", RoleDeveloper: "developer", RoleUser: "user", RoleAssistant: "assistant", RoleTool: "tool"}
	if int(r) < len(names) {
		return names[r]
	}
	return ""
}

// Turn is one message: a role and its blocks in order.
type Turn struct {
	Role   Role
	Name   string // the speaker's name where the client gave one
	Blocks []Block
}

// Kind is what a block is.
type Kind uint8

// The kinds of blocks.
const (
	KindText Kind = iota + 1
	KindReasoning
	KindRefusal
	KindImage
	KindFile
	KindAudio
	KindToolCall
	KindToolResult
)

// Block is one piece of a turn. Kind says which of the fields count.
type Block struct {
	Kind      Kind
	Text      string // text, visible reasoning, refusal
	Citations []Citation
	Media     *Media      // image, file, audio
	Call      *ToolCall   // tool call
	Result    *ToolResult // tool result
	// Seal is what the upstream attached to the block and wants back unchanged: a signature on
	// reasoning, on a call or on text, or reasoning that only it can read.
	Seal  *Seal
	Cache *CacheMark
}

// Seal is opaque: bytes that only their minter understands.
type Seal struct {
	Minter    string // the language that made it: "anthropic", "gemini", "openai"
	Signature string // attests the block's visible content
	Encrypted string // reasoning without visible text (redacted or encrypted)
	ID        string // the minter's id of the block, "" where it has none
}

// CacheMark asks the upstream to cache the prompt up to this block.
type CacheMark struct{ TTL string } // "", "5m", "1h"

// Citation says where a text comes from. Start and End count characters (Unicode code points)
// of the block's text; both 0 where the source says nothing of place.
type Citation struct {
	URL, Title string
	Text       string // the cited passage
	Start, End int
	Native     []byte // the upstream's own JSON, nil where it says nothing more
}

// Media is an image, a file or a sound: by bytes, by address or by a stored object's id.
type Media struct {
	Type   string // MIME type, "" unknown
	Data   string // base64 (standard alphabet), "" where by address
	URL    string
	FileID string
	Name   string // file name
	Detail string // image detail: low, high, auto, …
}

// ToolCall is a call that the model makes.
type ToolCall struct {
	ID, Name  string
	Arguments string // JSON text as the model wrote it, perhaps cut off
	Custom    bool   // a free-form tool: Arguments is plain text
}

// ToolResult answers a call.
type ToolResult struct {
	CallID  string
	Name    string // the called function's name; filled by the reader from the call where it can
	Blocks  []Block
	IsError bool
}

// Tool is a function the model may call. A hosted tool of one provider stands in Raw.
type Tool struct {
	Name        string
	Description string
	Schema      []byte // JSON Schema of the arguments, nil where none was given
	Strict      *bool
	Custom      bool // free-form (OpenAI's type "custom"); Schema is its format
	Cache       *CacheMark
	Type        string // "" for a function or custom tool, else the hosted tool's type
	Raw         []byte // the tool as the client wrote it, for hosted tools
}

// ChoiceMode says how free the model is to call tools.
type ChoiceMode uint8

// The modes of a tool choice.
const (
	ChoiceUnset ChoiceMode = iota
	ChoiceAuto
	ChoiceNone
	ChoiceAny
	ChoiceTool // the one named
)

// ToolChoice is tool_choice. Allowed narrows auto and any to some of the tools.
type ToolChoice struct {
	Mode    ChoiceMode
	Name    string
	Allowed []string
}

// FormatKind is the kind of output asked for.
type FormatKind uint8

// The output formats.
const (
	FormatUnset FormatKind = iota
	FormatText
	FormatJSON
	FormatSchema
)

// Format is response_format.
type Format struct {
	Kind        FormatKind
	Name        string
	Description string
	Schema      []byte
	Strict      *bool
}

// Sampling holds the sampling parameters; nil is not said.
type Sampling struct {
	Temperature, TopP                 *float64
	TopK                              *int64
	FrequencyPenalty, PresencePenalty *float64
	Seed                              *int64
	Logprobs                          *bool
	TopLogprobs                       *int64
}

// ReasoningAsk is how much the model shall think.
type ReasoningAsk struct {
	// Effort is none, minimal, low, medium, high, xhigh or max; "" where not said.
	Effort string
	// Budget is a thinking budget in tokens, where the client gave one.
	Budget *int64
	// Show says whether the client wants to see the reasoning; nil where not said.
	Show *bool
}
