package mock

import (
	"sort"
	"strconv"
	"sync"

	"github.com/aistrale/aistrale/providers"
)

// The mock's prices in nano-USD a token: 1 and 2 USD a million.
const (
	InputPrice  = 1000
	OutputPrice = 2000
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
}

// NanoUSD is the line's price.
func (l BillLine) NanoUSD() int64 { return l.Input*InputPrice + l.Output*OutputPrice }

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
		dst = append(number(dst, `,"nano_usd":`, l.NanoUSD()), '}')
		total += l.NanoUSD()
	}
	return append(number(dst, `],"nano_usd":`, total), "}\n"...)
}

// number appends a member's name, as it stands in JSON, and a number.
func number(dst []byte, name string, n int64) []byte {
	return strconv.AppendInt(append(dst, name...), n, 10)
}
