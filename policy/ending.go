package policy

import (
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// Ending is what is known of an attempt when it has ended.
type Ending struct {
	Usage   *providers.Usage // what the provider said of its use; nil or without lines: nothing
	Sent    bool             // the request, or a part of it, has left for the upstream
	Status  int              // the upstream's, 0 where none came
	Stream  bool             // the upstream was asked for a stream
	Whole   bool             // the reply came to its end
	Finish  bool             // it said why it finished, so that its usage is the last word
	Content int64            // bytes of visible content that were seen
	Bound   storage.Bound    // its Output is the most that the attempt might make, 0 where nobody knows
	Body    []byte           // the client's, to count the input where nobody said
}

// Settle gives the lines that an attempt is charged for, appended to dst, and whether they hold
// an estimate. What was never sent, and what the upstream refused, has none. A reply that came
// to its end is charged as its provider says, and by estimate where it says nothing. A stream
// that broke off is charged for what was seen of it, and a whole call that nobody waited for
// its bound's output: the upstream works on, so that leaving is never free.
func Settle(dst []providers.Normal, e Ending) (lines []providers.Normal, estimated bool) {
	if !e.Sent || e.Status != 0 && (e.Status < 200 || e.Status > 299) {
		return dst, false
	}
	var said told
	at := len(dst)
	if e.Usage != nil {
		for i := range e.Usage.Lines {
			said.note(&e.Usage.Lines[i])
			dst = append(dst, e.Usage.Lines[i].Normal())
		}
		estimated = e.Usage.Estimated
	}
	output, short := e.output(said.output)
	if said.input && !short {
		return dst, estimated
	}
	if len(dst) == at {
		dst = append(dst, providers.Normal{})
	}
	own := called(dst[at:])
	if !said.input {
		own.InputUncached = EstimateInput(e.Body)
	}
	var others int64
	for i := range dst[at:] {
		others += dst[at+i].Output
	}
	if short && output > others {
		own.Output += output - others
	}
	return dst, true
}

// output estimates all output; short is false where what was said is to be believed.
func (e *Ending) output(said bool) (n int64, short bool) {
	seen := most(EstimateOutput(e.Content), e.Bound.Output)
	switch {
	case e.Whole || e.Finish && said:
		return seen, !said && e.Content > 0
	case e.Stream || said:
		return seen, true
	}
	return max(seen, e.Bound.Output), true
}

// told is which sides of the use were named.
type told struct{ input, output bool }

func (t *told) note(l *providers.UsageLine) {
	for _, m := range [...]providers.Meter{providers.InputTotal, providers.InputUncached} {
		_, ok := l.Get(m)
		t.input = t.input || ok
	}
	for _, m := range [...]providers.Meter{providers.OutputTotal, providers.OutputPlain} {
		_, ok := l.Get(m)
		t.output = t.output || ok
	}
}

// called is the line of the model that was called, or the first.
func called(lines []providers.Normal) *providers.Normal {
	for i := range lines {
		if lines[i].Model == "" {
			return &lines[i]
		}
	}
	return &lines[0]
}

// most holds an estimate to a bound, where there is one.
func most(n, bound int64) int64 {
	if bound > 0 {
		return min(n, bound)
	}
	return n
}
