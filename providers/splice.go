package providers

import (
	"bytes"
	"slices"
)

// Edit changes one top-level member of a document. A nil Value removes it; a name that is
// absent is added at the end. As, where set, is the member's new name; it must not be the name
// of another member that stays. A name may be edited once.
type Edit struct {
	Name  string
	As    string
	Value []byte
}

// Splice appends the document with the edits put in. All bytes that no edit names stay as they
// are: order, white space, escapes and unknown members, and so the provider's prompt cache.
func (d *Document) Splice(dst []byte, edits ...Edit) []byte {
	out := spliced{dst: dst}
	d.splice(&out, edits)
	return out.dst
}

// SpliceParts is Splice in parts that follow one another: what no edit names is not copied, where a
// piece of it is large. No string is divided, and no new value from its name. The parts share room
// and d.Raw.
func (d *Document) SpliceParts(room []byte, edits ...Edit) [][]byte {
	out := spliced{dst: room, from: len(room), large: largePiece}
	d.splice(&out, edits)
	out.cut()
	return out.parts
}

func (d *Document) splice(out *spliced, edits []Edit) {
	var few [8]placed // on the stack, for the usual two or three edits
	at := few[:0]
	for i := range edits {
		if f := d.Field(edits[i].Name); f != nil {
			at = append(at, placed{f, &edits[i]})
		}
	}
	slices.SortFunc(at, func(a, b placed) int { return a.field.KeyStart - b.field.KeyStart })
	pos := bytes.IndexByte(d.Raw, '{') + 1
	out.dst = append(out.dst, d.Raw[:pos]...)
	left := len(d.Fields)
	for _, p := range at {
		if p.edit.Value == nil {
			left--
		}
	}
	pos = d.splicePlaced(out, pos, at)
	for i := range edits {
		if edits[i].Value == nil || d.Field(edits[i].Name) != nil {
			continue
		}
		if end := bytes.LastIndexByte(d.Raw, '}'); pos < end {
			out.keep(d.Raw[pos:end])
			pos = end
		}
		if left > 0 {
			out.dst = append(out.dst, ',')
		}
		left++
		out.dst = appendMember(out.dst, &edits[i])
	}
	out.keep(d.Raw[pos:])
}

type placed struct {
	field *Field
	edit  *Edit
}

func (d *Document) splicePlaced(out *spliced, pos int, at []placed) int {
	for _, p := range at {
		if p.edit.Value != nil {
			out.keep(d.Raw[pos:p.field.KeyStart])
			if p.edit.As == "" {
				out.dst = append(append(out.dst, d.Raw[p.field.KeyStart:p.field.Start]...), p.edit.Value...)
			} else {
				out.dst = appendMember(out.dst, p.edit)
			}
			pos = p.field.End
			continue
		}
		from, to := d.cut(p.field)
		if from >= pos {
			out.keep(d.Raw[pos:from])
		} else {
			out.trimComma() // the comma before it was left behind a removed neighbour
		}
		pos = to
	}
	return pos
}

// cut gives the bytes of a member with one of its commas: the one behind it, for the first
// member that is left, else the one before it.
func (d *Document) cut(f *Field) (from, to int) {
	after := SkipSpace(d.Raw, f.End)
	if d.Raw[after] == ',' {
		return f.KeyStart, SkipSpace(d.Raw, after+1)
	}
	before := f.KeyStart - 1
	for before > 0 && d.Raw[before] != ',' && d.Raw[before] != '{' {
		before--
	}
	if d.Raw[before] == ',' {
		return before, f.End
	}
	return f.KeyStart, f.End
}

// spliced is what a document becomes.
type spliced struct {
	dst   []byte // what was copied
	large int    // from what size on a piece is a part of its own; 0: none is
	from  int    // where in dst the part begins that is being made
	parts [][]byte
}

// largePiece is the size from which a piece is worth a part of its own.
const largePiece = 16 << 10

// keep takes over a piece of the document as it is.
func (s *spliced) keep(raw []byte) {
	if s.large == 0 || len(raw) < s.large {
		s.dst = append(s.dst, raw...)
		return
	}
	s.cut()
	s.parts = append(s.parts, raw)
}

// cut ends a part.
func (s *spliced) cut() {
	if len(s.dst) > s.from {
		s.parts = append(s.parts, s.dst[s.from:len(s.dst):len(s.dst)])
		s.from = len(s.dst)
	}
}

// trimComma takes away the comma that was taken over last, with the white space behind it.
func (s *spliced) trimComma() {
	last := &s.dst
	if len(s.dst) == s.from && len(s.parts) > 0 {
		last = &s.parts[len(s.parts)-1]
	}
	if trimmed := bytes.TrimRight(*last, " \t\r\n"); trimmed[len(trimmed)-1] == ',' {
		*last = trimmed[:len(trimmed)-1]
	}
}

func appendMember(dst []byte, e *Edit) []byte {
	name := e.Name
	if e.As != "" {
		name = e.As
	}
	dst = append(AppendString(dst, name), ':')
	return append(dst, e.Value...)
}
