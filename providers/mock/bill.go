package mock

import (
	"sort"
	"strconv"
	"sync"

	"github.com/aistrale/aistrale/providers"
)

// The mock's prices in nano-USD: a token of input and output, a character that is spoken (15 USD a
// million), a second of sound that is written down (0.006 USD a minute), and an image.
const (
	InputPrice     = 1000
	OutputPrice    = 2000
	CharacterPrice = 15_000
	SecondPrice    = 100_000
	ImagePrice     = 20_000_000
)

// maxBilled bounds how many models have lines of their own; the rest is "other".
const maxBilled = 1000

// BillLine is what one model served.
type BillLine struct {
	Model   string
	Calls   int64 // served, whole or in part; refusals are free
	Aborted int64 // of them, ended before the answer was all written
	Input   int64 // tokens
	Output  int64 // tokens; of an aborted stream those that were written
	// Of models that are billed by other things than tokens.
	Characters, Seconds, Images int64
}

// NanoUSD is the line's price.
func (l BillLine) NanoUSD() int64 {
	return l.Input*InputPrice + l.Output*OutputPrice +
		l.Characters*CharacterPrice + l.Seconds*SecondPrice + l.Images*ImagePrice
}

type bill struct {
	mu    sync.Mutex
	lines map[string]*BillLine
}

// add sums a line; negative numbers take back.
func (b *bill) add(l BillLine) {
	b.mu.Lock()
	defer b.mu.Unlock()
	line := b.lines[l.Model]
	if line == nil {
		if len(b.lines) >= maxBilled {
			l.Model = "other"
		}
		if line = b.lines[l.Model]; line == nil {
			if b.lines == nil {
				b.lines = make(map[string]*BillLine)
			}
			line = &BillLine{Model: l.Model}
			b.lines[l.Model] = line
		}
	}
	line.Calls += l.Calls
	line.Aborted += l.Aborted
	line.Input += l.Input
	line.Output += l.Output
	line.Characters += l.Characters
	line.Seconds += l.Seconds
	line.Images += l.Images
}

// list gives the lines by model.
func (b *bill) list() []BillLine {
	b.mu.Lock()
	defer b.mu.Unlock()
	lines := make([]BillLine, 0, len(b.lines))
	for _, l := range b.lines {
		lines = append(lines, *l)
	}
	sort.Slice(lines, func(i, j int) bool { return lines[i].Model < lines[j].Model })
	return lines
}

func (b *bill) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = nil
}

func appendBill(dst []byte, lines []BillLine) []byte {
	var total int64
	dst = append(dst, `{"models":[`...)
	for i, l := range lines {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = providers.AppendString(append(dst, `{"model":`...), l.Model)
		dst = number(dst, `,"calls":`, l.Calls)
		dst = number(dst, `,"aborted":`, l.Aborted)
		dst = number(dst, `,"input_tokens":`, l.Input)
		dst = number(dst, `,"output_tokens":`, l.Output)
		dst = number(dst, `,"characters":`, l.Characters)
		dst = number(dst, `,"seconds":`, l.Seconds)
		dst = number(dst, `,"images":`, l.Images)
		dst = append(number(dst, `,"nano_usd":`, l.NanoUSD()), '}')
		total += l.NanoUSD()
	}
	return append(number(dst, `],"nano_usd":`, total), "}\n"...)
}

// number appends a member's name, as it stands in JSON, and a number.
func number(dst []byte, name string, n int64) []byte {
	return strconv.AppendInt(append(dst, name...), n, 10)
}
