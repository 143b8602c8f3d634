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
	var few [8]placed // on the stack, for the usual two or three edits
	at := few[:0]
	for i := range edits {
		if f := d.Field(edits[i].Name); f != nil {
			at = append(at, placed{f, &edits[i]})
		}
	}
	slices.SortFunc(at, func(a, b placed) int { return a.field.KeyStart - b.field.KeyStart })
	pos := bytes.IndexByte(d.Raw, '{') + 1
	dst = append(dst, d.Raw[:pos]...)
	left := len(d.Fields)
	for _, p := range at {
		if p.edit.Value == nil {
			left--
		}
	}
	dst, pos = d.splicePlaced(dst, pos, at)
	end := bytes.LastIndexByte(d.Raw, '}')
	dst = append(dst, d.Raw[pos:end]...)
	for i := range edits {
		if edits[i].Value == nil || d.Field(edits[i].Name) != nil {
			continue
		}
		if left > 0 {
			dst = append(dst, ',')
		}
		left++
		dst = appendMember(dst, &edits[i])
	}
	return append(dst, d.Raw[end:]...)
}

type placed struct {
	field *Field
	edit  *Edit
}

func (d *Document) splicePlaced(dst []byte, pos int, at []placed) ([]byte, int) {
	for _, p := range at {
		if p.edit.Value != nil {
			if p.edit.As == "" {
				dst = append(dst, d.Raw[pos:p.field.Start]...)
				dst = append(dst, p.edit.Value...)
			} else {
				dst = append(dst, d.Raw[pos:p.field.KeyStart]...)
				dst = appendMember(dst, p.edit)
			}
			pos = p.field.End
			continue
		}
		from, to := d.cut(p.field)
		if from >= pos {
			dst = append(dst, d.Raw[pos:from]...)
		} else {
			dst = trimComma(dst) // the comma before it was left behind a removed neighbour
		}
		pos = to
	}
	return dst, pos
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

func trimComma(dst []byte) []byte {
	if trimmed := bytes.TrimRight(dst, " \t\r\n"); trimmed[len(trimmed)-1] == ',' {
		return trimmed[:len(trimmed)-1]
	}
	return dst
}

func appendMember(dst []byte, e *Edit) []byte {
	name := e.Name
	if e.As != "" {
		name = e.As
	}
	dst = append(AppendString(dst, name), ':')
	return append(dst, e.Value...)
}
