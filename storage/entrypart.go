package storage

import "github.com/aistrale/aistrale/providers"

// A part is a field of an encoded entry that is made of fields: a line, a hold, a candidate.

// Fields of a candidate, all texts, and of a hold: two texts, then numbers.
const (
	planProvider = iota
	planModel
	planCredential
	planFate
	planFault

	holdCounter = 0
	holdUnit    = 1
	holdLimit   = 2
	holdHeld    = 3
	holdSpent   = 4
)

// Fields of a line: two texts, then numbers, and a text that came later.
const (
	lineModel = iota
	lineTier
	lineTexts

	lineVariant = 63
)

// appendPlan adds where the call might have gone, and what it held.
func (e *Entry) appendPlan(dst []byte) []byte {
	for i := range e.Holds[:min(len(e.Holds), maxHolds)] {
		h, start := &e.Holds[i], 0
		dst, start = openPart(dst, bytesHold)
		dst = appendForeign(dst, holdCounter, h.Counter, maxCounter)
		dst = appendForeign(dst, holdUnit, string(h.Unit), maxVariant)
		dst = appendNumber(dst, holdLimit, h.Limit)
		dst = appendNumber(dst, holdHeld, h.Held)
		dst = closePart(appendNumber(dst, holdSpent, h.Spent), start)
	}
	for i := range e.Plan[:min(len(e.Plan), maxPlan)] {
		c, start := &e.Plan[i], 0
		dst, start = openPart(dst, bytesPlan)
		dst = appendForeign(dst, planProvider, c.Provider, maxTag)
		dst = appendForeign(dst, planModel, c.Model, maxLineText)
		dst = appendForeign(dst, planCredential, c.Credential, maxTag)
		dst = appendForeign(dst, planFate, string(c.Fate), maxVariant)
		dst = closePart(appendForeign(dst, planFault, c.Fault, maxTag), start)
	}
	return dst
}

// openPart begins a field that is made of fields, of less than 16 KiB. It leaves two bytes for the
// length, which is known only at the end.
func openPart(dst []byte, field int) (_ []byte, start int) {
	dst = append(dst, byte(field<<1|kindBytes), 0, 0)
	return dst, len(dst)
}

func closePart(dst []byte, start int) []byte {
	size := len(dst) - start
	dst[start-2], dst[start-1] = byte(size)|0x80, byte(size>>7)
	return dst
}

func parseHold(rest string, h *Hold) error {
	return parsePart(rest, func(f field) {
		switch f.number<<1 | f.kind {
		case holdCounter<<1 | kindBytes:
			h.Counter = f.text
		case holdUnit<<1 | kindBytes:
			h.Unit = Unit(f.text)
		case holdLimit<<1 | kindNumber:
			h.Limit = f.n
		case holdHeld<<1 | kindNumber:
			h.Held = f.n
		case holdSpent<<1 | kindNumber:
			h.Spent = f.n
		}
	})
}

func parseCandidate(rest string, c *Candidate) error {
	texts := [...]*string{&c.Provider, &c.Model, &c.Credential, (*string)(&c.Fate), &c.Fault}
	return parsePart(rest, func(f field) {
		if f.kind == kindBytes && f.number < len(texts) {
			*texts[f.number] = f.text
		}
	})
}

// parsePart reads the fields of a part.
func parsePart(rest string, take func(field)) error {
	var f field
	var err error
	for rest != "" {
		if rest, err = f.next(rest); err != nil {
			return err
		}
		take(f)
	}
	return nil
}

// counts are a line's numbers in the order of their fields.
type counts [15]*int64

func lineCounts(l *providers.Normal) counts {
	return counts{
		&l.InputUncached, &l.CacheRead, &l.CacheWrite5m, &l.CacheWrite1h, &l.Output,
		&l.Reasoning, &l.AudioIn, &l.AudioOut, &l.Images, &l.Searches,
		&l.ImageIn, &l.ImageOut, &l.Characters, &l.AudioInMs, &l.AudioOutMs,
	}
}

func appendLine(dst []byte, l *providers.Normal) []byte {
	dst, start := openPart(dst, bytesLine)
	dst = appendForeign(dst, lineModel, l.Model, maxLineText)
	dst = appendForeign(dst, lineTier, l.Tier, maxLineText)
	for i, n := range lineCounts(l) {
		dst = appendNumber(dst, lineTexts+i, *n)
	}
	return closePart(appendForeign(dst, lineVariant, l.Variant, maxVariant), start)
}

func parseLine(rest string, l *providers.Normal) error {
	all := lineCounts(l)
	return parsePart(rest, func(f field) {
		switch {
		case f.kind == kindBytes && f.number == lineModel:
			l.Model = f.text
		case f.kind == kindBytes && f.number == lineTier:
			l.Tier = f.text
		case f.kind == kindBytes && f.number == lineVariant:
			l.Variant = f.text
		case f.kind == kindNumber && lineTexts <= f.number && f.number < lineTexts+len(all):
			*all[f.number-lineTexts] = f.n
		}
	})
}
