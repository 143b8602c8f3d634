package providers

import (
	"strings"
	"time"
)

// The gateway keeps turns itself for models whose providers keep nothing: responses with their
// input, and conversations with their items. What is kept, and how it is named, is said in the
// language that it was said in, by pure functions; where it lies, and whose it is, is not for a
// language to know.

// ownMark stands behind the prefix of the ids that the gateway gives ("resp_ais…"); 32
// hexadecimal digits follow.
const ownMark = "_ais"

// OwnID gives an id of the gateway's own: a prefix, and the id of the request that made it.
func OwnID(prefix, request string) string {
	return prefix + ownMark + strings.ReplaceAll(strings.TrimPrefix(request, "req_"), "-", "")
}

// Owned gives the digits of an id that the gateway itself made, and what follows them; false for
// every other one.
func Owned(id string) (digits, rest string, ok bool) {
	const n = 32
	prefix, rest, ok := strings.Cut(id, ownMark)
	if !ok || strings.Contains(prefix, "_") || len(rest) < n || strings.Trim(rest[:n], "0123456789abcdef") != "" {
		return "", "", false
	}
	return rest[:n], rest[n:], true
}

// Keeps is what the gateway keeps of a call, as far as its reply tells of it.
type Keeps struct {
	Reply bool // it can be asked for later
	// Previous and Conversation are what the call goes on with, "" nothing.
	Previous, Conversation string
}

// Turns says how the calls of an endpoint name, and make, turns that the gateway keeps.
type Turns struct {
	// Fields are the governed fields that name turns.
	Fields []string
	// Makes is set where a good reply can be kept.
	Makes bool
	// Ask reads what a call says of turns.
	Ask func(doc *Document) (TurnsAsked, error)
	// Own gives the items that the call itself says, with those that it names in their place.
	Own func(doc *Document, find func(item string) []byte) ([][]byte, error)
	// Unfold appends the call as one that says all of its items and names no turn.
	Unfold func(dst []byte, doc *Document, items [][]byte) []byte
	// Said gives the items of a kept response, input and output, in their order.
	Said func(content []byte) [][]byte
	// Keep says a reply, and what its call said itself, as they are kept.
	Keep func(reply []byte, own [][]byte) TurnKept
}

// TurnsAsked is what a call says of turns.
type TurnsAsked struct {
	Store, StoreSaid       bool
	Previous, Conversation string
	Items                  []TurnItem // named; each with the response that it would be of
}

// Names lists the ids that the call says.
func (a *TurnsAsked) Names() []string {
	var ids []string
	for _, id := range []string{a.Previous, a.Conversation} {
		if id != "" {
			ids = append(ids, id)
		}
	}
	for i := range a.Items {
		ids = append(ids, a.Items[i].ID)
	}
	return ids
}

// TurnItem is one item. Within is the id of the response that has it.
type TurnItem struct {
	ID, Within string
	Content    []byte
}

// TurnKept is what is to be kept.
type TurnKept struct {
	ID      string
	Content []byte
	Items   []TurnItem // of a conversation, to be added to it
}

// TurnAct is what a call about stored objects does with a turn that the gateway keeps.
type TurnAct uint8

// The acts.
const (
	TurnShow   TurnAct = iota + 1
	TurnRemove         // and what is within it
	TurnMake           // a conversation
	TurnChange
	TurnList // its items
	TurnAdd  // items to it
	TurnItemShow
	TurnItemRemove
)

// Held says how a call about stored objects is answered where the gateway keeps the object.
type Held struct {
	Act  TurnAct
	Kind ObjectKind // of the object
	// Answer says the reply, and what is to be kept.
	Answer func(*TurnCall) (TurnReply, error)
}

// TurnCall is a call about a turn.
type TurnCall struct {
	ID      string // of the turn; of one that is to be made, the new one's
	Item    string // the one that the path names
	Batch   string // names items that are to be added
	Doc     *Document
	Created time.Time
	Content []byte   // of the turn, or of the item that is to be shown
	Items   [][]byte // a page of them
	Page    Page
	More    bool
	Stream  bool
	After   int // the number of the last event that the client has of the stream, -1 none
}

// TurnReply is the answer to it.
type TurnReply struct {
	Body    []byte
	Content []byte     // of the turn, where it is new or changed
	Items   []TurnItem // to be added
}

// Page is the part of a list that a client asks for.
type Page struct {
	Limit         int
	Oldest        bool // the oldest first
	After, Before string
}

// A Keeper is a Writer whose reply the gateway can keep.
type Keeper interface {
	Writer
	// Whole appends all that comes before the event that ends the reply, and gives the reply as
	// that event, EventEnd or EventCut, will tell it.
	Whole(dst []byte, ev *Event) (out, reply []byte)
	// Forgo has the reply tell that it is not kept.
	Forgo()
}
