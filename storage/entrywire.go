package storage

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/aistrale/aistrale/providers"
)

// What an encoded entry may hold at most. Whoever fills an entry bounds what a client or an
// upstream made up; this is the last defence, so that no entry is too long to be kept.
const (
	maxUsageRaw = 16 << 10
	maxMetadata = 4 << 10
	maxEndUser  = 256
	maxText     = 512
	maxTags     = 16
	maxTag      = 64
	maxLines    = 64
	maxLineText = 128
	maxVariant  = 32
	maxPlan     = 16
	maxHolds    = 16
	maxCounter  = 192
)

// usualHolds is how many an entry has room for: two limits, a place, a budget.
const usualHolds = 4

// MaxEntry is longer than any encoded entry, in bytes.
const MaxEntry = 80 << 10

// errEntry is wrapped in nothing: where the bytes came from is for the reader to say.
var errEntry = errors.New("the entry is damaged")

// An encoded entry is the request id, 16 bytes, then fields in any order: a byte
// (number << 1 | kind), and for kind 0 a zigzag varint, for kind 1 a length and so many bytes.
// What is empty is left out, and a number that is not known is skipped, so that an older and a
// newer release read each other's. A number is never given a second meaning.
const (
	kindNumber = 0
	kindBytes  = 1
)

// Fields of kind 0.
const (
	numState = iota
	numAttempt
	numRevision
	numFlags
	numTime // Unix microseconds
	numRetry
	numStatus
	numUpstreamStatus
	numContentBytes
	numBoundInput
	numBoundOutput
	numCostNano
	numBytesIn
	numBytesOut
	numFirstByte // nanoseconds, as the others
	numOverhead
	numDuration
	numFields
)

const (
	flagFinal = 1 << iota
	flagStream
	flagExact
	flagEstimated
	flagUsageCut
)

// Fields of kind 1 that are one text each. From textModel on they come from a client or an
// upstream, and are made clean of what a database does not take.
const (
	textNode = iota
	textWorkspace
	textProject
	textKey
	textKeyName
	textUser
	textProvider
	textPrompt
	textTag
	textCredential
	textOp
	textOutcome
	textFault
	textUnpriced
	textPriceID
	textModel // from here on foreign
	textAsked
	textServed
	textTier
	textEndUser
	textMetadata
	textClientID
	textUpstreamID
	textFinish
	textFields
)

// The other fields of kind 1.
const (
	bytesTag      = 56
	bytesLine     = 57
	bytesUsageRaw = 58
	bytesPlan     = 59
	bytesHold     = 61
)

type (
	numbers [numFields]int64
	texts   [textFields]*string
)

// Append encodes the entry at the end of dst, the same bytes each time. It does not allocate
// where dst has room. What is too long is cut: a text at its bound, Metadata and UsageRaw
// whole, as half a JSON value is none (UsageCut then says so).
func (e *Entry) Append(dst []byte) []byte {
	dst = append(dst, e.RequestID[:]...)
	for field, n := range e.numbers() {
		dst = appendNumber(dst, field, n)
	}
	for field, s := range e.texts() {
		switch {
		case *s == "" || field == textMetadata && len(*s) > maxMetadata:
		case field >= textModel:
			dst = appendForeign(dst, field, *s, textBound(field))
		default:
			dst = appendText(dst, field, clip(*s, maxText))
		}
	}
	for _, tag := range e.Tags[:min(len(e.Tags), maxTags)] {
		dst = appendForeign(dst, bytesTag, tag, maxTag)
	}
	for i := range e.Lines[:min(len(e.Lines), maxLines)] {
		dst = appendLine(dst, &e.Lines[i])
	}
	if 0 < len(e.UsageRaw) && len(e.UsageRaw) <= maxUsageRaw {
		dst = append(dst, bytesUsageRaw<<1|kindBytes)
		dst = append(binary.AppendUvarint(dst, uint64(len(e.UsageRaw))), e.UsageRaw...)
	}
	return e.appendPlan(dst)
}

// Parse decodes what Append made into e, whatever e held, and copies what it keeps of b. It
// gives an error where b is not an entry.
func (e *Entry) Parse(b []byte) error {
	*e = Entry{}
	if len(b) < len(e.RequestID) {
		return errEntry
	}
	copy(e.RequestID[:], b)
	rest := string(b[len(e.RequestID):]) // the texts are parts of this one copy
	var n numbers
	var f field
	var err error
	all := e.texts()
	for rest != "" {
		if rest, err = f.next(rest); err != nil {
			return err
		}
		switch {
		case f.kind == kindNumber && f.number < numFields:
			n[f.number] = f.n
		case f.kind == kindNumber:
		case f.number < textFields:
			*all[f.number] = f.text
		default:
			if err := e.parseMore(&f); err != nil {
				return err
			}
		}
	}
	e.setNumbers(&n)
	return nil
}

func (e *Entry) parseMore(f *field) error {
	switch f.number {
	case bytesTag:
		e.Tags = append(e.Tags, f.text)
	case bytesUsageRaw:
		e.UsageRaw = []byte(f.text)
	case bytesLine:
		e.Lines = append(e.Lines, providers.Normal{})
		return parseLine(f.text, &e.Lines[len(e.Lines)-1])
	case bytesHold:
		if e.Holds == nil {
			e.Holds = make([]Hold, 0, usualHolds)
		}
		e.Holds = append(e.Holds, Hold{})
		return parseHold(f.text, &e.Holds[len(e.Holds)-1])
	case bytesPlan:
		e.Plan = append(e.Plan, Candidate{})
		return parseCandidate(f.text, &e.Plan[len(e.Plan)-1])
	}
	return nil
}

func (e *Entry) numbers() numbers {
	n := numbers{
		numState: int64(e.State), numAttempt: int64(e.Attempt), numRevision: int64(e.Revision),
		numRetry: int64(e.Retry), numStatus: int64(e.Status), numUpstreamStatus: int64(e.UpstreamStatus),
		numContentBytes: e.ContentBytes, numBoundInput: e.Bound.Input, numBoundOutput: e.Bound.Output,
		numCostNano: e.CostNano, numBytesIn: e.BytesIn, numBytesOut: e.BytesOut,
		numFirstByte: int64(e.FirstByte), numOverhead: int64(e.Overhead), numDuration: int64(e.Duration),
	}
	if !e.Time.IsZero() {
		n[numTime] = e.Time.UnixMicro()
	}
	cut := e.UsageCut || len(e.UsageRaw) > maxUsageRaw || len(e.Lines) > maxLines
	for i, set := range [...]bool{e.Final, e.Stream, e.Exact, e.Estimated, cut} {
		if set {
			n[numFlags] |= 1 << i
		}
	}
	return n
}

func (e *Entry) setNumbers(n *numbers) {
	e.State, e.Attempt, e.Revision = EntryState(n[numState]), int(n[numAttempt]), int(n[numRevision])
	e.Retry, e.Status, e.UpstreamStatus = int(n[numRetry]), int(n[numStatus]), int(n[numUpstreamStatus])
	e.ContentBytes, e.Bound = n[numContentBytes], Bound{Input: n[numBoundInput], Output: n[numBoundOutput]}
	e.CostNano, e.BytesIn, e.BytesOut = n[numCostNano], n[numBytesIn], n[numBytesOut]
	e.FirstByte, e.Overhead = time.Duration(n[numFirstByte]), time.Duration(n[numOverhead])
	e.Duration = time.Duration(n[numDuration])
	if n[numTime] != 0 {
		e.Time = time.UnixMicro(n[numTime]).UTC()
	}
	f := n[numFlags]
	e.Final, e.Stream, e.Exact = f&flagFinal != 0, f&flagStream != 0, f&flagExact != 0
	e.Estimated, e.UsageCut = f&flagEstimated != 0, f&flagUsageCut != 0
}

func (e *Entry) texts() texts {
	return texts{
		textNode: &e.Node, textWorkspace: &e.Workspace, textProject: &e.Project, textKey: &e.Key,
		textKeyName: &e.KeyName, textUser: &e.User, textProvider: &e.Provider, textModel: &e.Model,
		textPrompt: &e.Prompt, textTag: &e.Tag, textCredential: &e.Credential, textOp: &e.Op,
		textOutcome: (*string)(&e.Outcome), textFault: &e.Fault, textUnpriced: &e.Unpriced,
		textPriceID: &e.PriceID, textAsked: &e.Asked, textServed: &e.Served, textTier: &e.Tier,
		textEndUser: &e.EndUser, textMetadata: &e.Metadata, textClientID: &e.ClientID,
		textUpstreamID: &e.UpstreamID, textFinish: &e.Finish,
	}
}

func textBound(field int) int {
	switch field {
	case textEndUser:
		return maxEndUser
	case textMetadata:
		return maxMetadata
	}
	return maxText
}
