package providers

// EventKind is what an Event tells.
type EventKind uint8

// The events of a reply, in the order they come: one start; per block a start, deltas and a
// stop; usage and finish where they are known; end, fault or cut, last. A whole reply is the same
// events at once.
const (
	EventStart EventKind = iota + 1
	EventBlockStart
	EventDelta
	EventBlockStop
	EventCitation
	EventUsage
	EventFinish
	EventPing
	EventFault
	EventEnd
	// EventCut is the gateway's own: it ends a stream before the upstream does. Every choice
	// that is open has reached its length.
	EventCut
)

// Finish is why a choice ended.
type Finish uint8

// The reasons, as far as clients tell them apart.
const (
	FinishUnknown Finish = iota
	FinishStop
	FinishLength
	FinishToolCalls
	FinishContentFilter
)

// Event is one step of a reply. Kind says which of the fields count:
//
//	start        ID, Model
//	block start  Choice, Index, Block (kind, call id and name; Seal where known at the start)
//	delta        Choice, Index, Text (text, reasoning or refusal text, or a piece of arguments)
//	block stop   Choice, Index, Block (what became known since the start: Seal; nil if nothing)
//	citation     Choice, Index, Citation
//	usage        Usage
//	finish       Choice, Finish, Native, Refusal
//	fault        Fault
//	cut          Usage (nil where nobody knows)
//
// Media that a model makes (an image) is a block start with Block.Media and a stop.
type Event struct {
	Kind     EventKind
	Choice   int // 0-based
	Index    int // of the block within its choice, as the upstream counts; blocks may interleave
	ID       string
	Model    string
	Block    *Block
	Text     string
	Citation *Citation
	Usage    *Usage
	Finish   Finish
	Native   string // the upstream's own word for the finish reason
	Refusal  string // why the upstream refused, for a refusal without text
	Logprobs []byte // raw JSON in OpenAI's form, with a delta or a finish; nil where none
	Fault    *Fault
}
