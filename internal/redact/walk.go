package redact

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// maxInner is how deep JSON may stand as text in strings of JSON and is still read as such.
const maxInner = 3

// walk goes through one JSON value and writes what is left of it.
type walk struct {
	rules *Rules
	in    *jsontext.Decoder
	out   bytes.Buffer
	enc   *jsontext.Encoder
	most  int
	inner int
	begun bool
	ended bool
}

func newWalk(r *Rules, src []byte, most int) *walk {
	w := &walk{rules: r, in: jsontext.NewDecoder(bytes.NewReader(src), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)), most: most}
	w.enc = jsontext.NewEncoder(&w.out, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	return w
}

// step takes one token over. It gives io.EOF at the end of the value, errCut where there is no room.
func (w *walk) step() error {
	named := w.named()
	token, err := w.in.ReadToken()
	if err != nil {
		if err == io.EOF && !w.begun { //nolint:errorlint // the decoder gives it bare
			return io.ErrUnexpectedEOF
		}
		return err
	}
	if w.ended {
		return errors.New("a second value follows")
	}
	w.begun, w.ended = true, w.in.StackDepth() == 0
	size := int(w.enc.OutputOffset())
	if size >= w.most && token.Kind() != '}' && token.Kind() != ']' {
		return errCut
	}
	switch token.Kind() {
	case '"':
		text := w.text(token.String())
		if named {
			if err := w.enc.WriteToken(jsontext.String(text)); err != nil {
				return err
			}
			return w.member(token.String())
		}
		return w.write(text, w.most-size)
	case '0':
		if text := token.String(); w.rules.Text(text) != text {
			return w.enc.WriteToken(jsontext.String(w.rules.Text(text)))
		}
	}
	return w.enc.WriteToken(token)
}

// named reports whether what comes next is the name of a member.
func (w *walk) named() bool {
	depth := w.in.StackDepth()
	kind, length := w.in.StackIndex(depth)
	return kind == '{' && length%2 == 0
}

// member takes out a member's whole value, where a rule names it.
func (w *walk) member(name string) error {
	rule, ok := w.rules.members[strings.ToLower(name)]
	if !ok {
		return nil
	}
	if err := w.in.SkipValue(); err != nil {
		return err
	}
	return w.enc.WriteToken(jsontext.String(mark(rule)))
}

// text is what is left of a string. One that is JSON itself, as the arguments of a tool are, is
// read as such first.
func (w *walk) text(said string) string {
	if trimmed := strings.TrimSpace(said); w.inner < maxInner && len(trimmed) > 1 && (trimmed[0] == '{' || trimmed[0] == '[') {
		in := newWalk(w.rules, []byte(said), math.MaxInt)
		in.inner = w.inner + 1
		if out, ok := in.whole(); ok {
			said = out
		}
	}
	return w.rules.Text(said)
}

// whole walks to the end; it reports false where that is no JSON.
func (w *walk) whole() (string, bool) {
	for {
		err := w.step()
		if err == io.EOF { //nolint:errorlint // as above
			out, _, err := w.done(false)
			return string(out), err == nil
		}
		if err != nil {
			return "", false
		}
	}
}

// write writes a string, cut where it has no room: what is left of it was redacted as a whole.
func (w *walk) write(text string, room int) error {
	if len(text) <= room {
		return w.enc.WriteToken(jsontext.String(text))
	}
	end := max(0, room)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	if err := w.enc.WriteToken(jsontext.String(text[:end])); err != nil {
		return err
	}
	return errCut
}

// done closes what is open, and gives what was written.
func (w *walk) done(cut bool) ([]byte, bool, error) {
	for depth := w.enc.StackDepth(); depth > 0; depth-- {
		kind, length := w.enc.StackIndex(depth)
		if kind == '{' && length%2 == 1 {
			if err := w.enc.WriteToken(jsontext.Null); err != nil {
				return nil, false, err
			}
		}
		end := jsontext.EndArray
		if kind == '{' {
			end = jsontext.EndObject
		}
		if err := w.enc.WriteToken(end); err != nil {
			return nil, false, err
		}
	}
	return bytes.TrimSpace(w.out.Bytes()), cut, nil
}
