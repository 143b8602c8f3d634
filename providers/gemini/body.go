package gemini

import (
	"math"
	"strconv"

	"github.com/aistrale/aistrale/providers"
)

// body is JSON under construction. It sets the commas.
type body struct{ b []byte }

func (w *body) next() {
	if len(w.b) == 0 {
		return
	}
	switch w.b[len(w.b)-1] {
	case '{', '[', ':':
	default:
		w.b = append(w.b, ',')
	}
}

func (w *body) key(name string) {
	w.next()
	w.b = append(providers.AppendString(w.b, name), ':')
}

func (w *body) open(c byte)  { w.next(); w.b = append(w.b, c) }
func (w *body) shut(c byte)  { w.b = append(w.b, c) }
func (w *body) raw(v []byte) { w.next(); w.b = append(w.b, v...) }

func (w *body) text(s string) { w.next(); w.b = providers.AppendString(w.b, s) }

func (w *body) field(name, value string)         { w.key(name); w.text(value) }
func (w *body) rawField(name string, raw []byte) { w.key(name); w.raw(raw) }

func number(n int64) []byte { return strconv.AppendInt(nil, n, 10) }

// decimal says a number, of which JSON has none that is not finite.
func decimal(f float64) []byte {
	return strconv.AppendFloat(nil, max(-math.MaxFloat64, min(f, math.MaxFloat64)), 'g', -1, 64)
}

func quoted(s string) []byte { return providers.AppendString(nil, s) }

func quotedList(list []string) []byte {
	var w body
	w.open('[')
	for _, s := range list {
		w.text(s)
	}
	w.shut(']')
	return w.b
}
