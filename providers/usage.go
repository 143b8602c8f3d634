package providers

import (
	"bytes"
	"slices"
)

// Usage is what a reply cost in units, read off the provider's own bytes: mostly one line, more
// where other models worked on it too.
type Usage struct {
	Lines []UsageLine
	// Raw is the provider's own usage JSON, verbatim: of the last event that said any, or, where
	// an earlier one named what no later one repeats (Anthropic's first event has the input, its
	// last the output), an array of them in their order. The lines can be counted again from it:
	// of each field the last value counts.
	Raw []byte
	// Estimated is set where the provider said nothing and the gateway counted itself.
	Estimated bool

	last told   // the event of Raw
	told []told // where Raw is an array: its events
}

// told is one event's usage JSON, and what it names.
type told struct {
	raw    []byte
	meters uint32 // of all its lines, and tierBit
	lines  int
}

// tierBit stands for the tier among the meters: it makes the price too.
const tierBit = 1 << meters

// Meter is one thing that is counted.
type Meter uint8

// The meters of a usage line. Providers count input in two ways: with cached tokens in the
// total (OpenAI, Gemini) or beside it (Anthropic). A line keeps what was said, and Normal
// derives the rest, so that events which repeat only some fields can be merged by field.
const (
	InputTotal    Meter = iota // with cache reads and writes
	InputUncached              // without them
	CacheRead
	CacheWrite   // all lifetimes
	CacheWrite5m // of CacheWrite
	CacheWrite1h // of CacheWrite
	OutputTotal  // with reasoning
	OutputPlain  // without reasoning (Gemini counts thoughts apart)
	Reasoning
	AudioIn   // of the input
	AudioOut  // of the output
	ImagesIn  // tokens of the input
	Images    // made, count
	Searches  // web searches made, count
	InputTool // input that the provider's own tools added (Gemini), beside InputTotal
	ImagesOut // tokens of the output
	// What is billed by other units than tokens:
	Characters // of text to be spoken, count
	AudioInMs  // sound that was read, milliseconds
	AudioOutMs // sound that was made, milliseconds
	meters
)

// UsageLine counts the units of one model. A field that the provider did not name is absent,
// which is not zero.
type UsageLine struct {
	Model string // "" for the model that was called
	Tier  string // service tier that was served, "" where not said
	// Variant is what the price of each image goes by beside the model: "1024x1792/hd", or
	// "1024x1024" where there is no quality; "" where it goes by nothing else.
	Variant string
	has     uint32
	n       [meters]int64
}

// mostCounted bounds a count, so that the sum of a ledger's rows is one whatever an upstream says.
const mostCounted = 1 << 40

// Set notes an explicit value. One below zero says nothing, and none is above a trillion.
func (l *UsageLine) Set(m Meter, n int64) {
	if n >= 0 {
		l.has |= 1 << m
		l.n[m] = min(n, mostCounted)
	}
}

// Get gives a value and whether the provider named it.
func (l *UsageLine) Get(m Meter) (int64, bool) { return l.n[m], l.has&(1<<m) != 0 }

// Has reports whether any meter was named.
func (l *UsageLine) Has() bool { return l.has != 0 }

// Normal is a line in the one form that is priced and recorded: every token stands in one of
// InputUncached, CacheRead, CacheWrite5m, CacheWrite1h and Output. Reasoning is within Output,
// the tokens of audio and images within their side.
type Normal struct {
	Model         string `json:"model,omitempty"`
	Tier          string `json:"tier,omitempty"`
	Variant       string `json:"variant,omitempty"`
	InputUncached int64  `json:"input_uncached"`
	CacheRead     int64  `json:"cache_read,omitempty"`
	CacheWrite5m  int64  `json:"cache_write_5m,omitempty"`
	CacheWrite1h  int64  `json:"cache_write_1h,omitempty"`
	Output        int64  `json:"output"`
	Reasoning     int64  `json:"reasoning,omitempty"`
	AudioIn       int64  `json:"audio_in,omitempty"`
	AudioOut      int64  `json:"audio_out,omitempty"`
	ImageIn       int64  `json:"image_in,omitzero"`
	ImageOut      int64  `json:"image_out,omitzero"`
	Images        int64  `json:"images,omitempty"`
	Searches      int64  `json:"searches,omitempty"`
	Characters    int64  `json:"characters,omitzero"`
	AudioInMs     int64  `json:"audio_in_ms,omitzero"`
	AudioOutMs    int64  `json:"audio_out_ms,omitzero"`
}

// Input is all input tokens, cached ones included.
func (n Normal) Input() int64 { return n.InputUncached + n.CacheRead + n.CacheWrite5m + n.CacheWrite1h }

// Add adds what other counts. Model, Tier and Variant stay.
func (n *Normal) Add(other *Normal) {
	n.InputUncached += other.InputUncached
	n.CacheRead += other.CacheRead
	n.CacheWrite5m += other.CacheWrite5m
	n.CacheWrite1h += other.CacheWrite1h
	n.Output += other.Output
	n.Reasoning += other.Reasoning
	n.AudioIn += other.AudioIn
	n.AudioOut += other.AudioOut
	n.ImageIn += other.ImageIn
	n.ImageOut += other.ImageOut
	n.Images += other.Images
	n.Searches += other.Searches
	n.Characters += other.Characters
	n.AudioInMs += other.AudioInMs
	n.AudioOutMs += other.AudioOutMs
}

// Normal derives the one form from what the provider said.
func (l *UsageLine) Normal() Normal {
	out := Normal{
		Model: l.Model, Tier: l.Tier, Variant: l.Variant,
		CacheRead: l.n[CacheRead], CacheWrite1h: l.n[CacheWrite1h], CacheWrite5m: l.n[CacheWrite5m],
		Reasoning: l.n[Reasoning], AudioIn: l.n[AudioIn], AudioOut: l.n[AudioOut],
		ImageIn: l.n[ImagesIn], ImageOut: l.n[ImagesOut],
		Images: l.n[Images], Searches: l.n[Searches],
		Characters: l.n[Characters], AudioInMs: l.n[AudioInMs], AudioOutMs: l.n[AudioOutMs],
	}
	// A write whose lifetime is not named is of the default one, 5 minutes.
	out.CacheWrite5m += max(0, l.n[CacheWrite]-l.n[CacheWrite5m]-l.n[CacheWrite1h])
	if total, ok := l.Get(InputTotal); ok {
		out.InputUncached = max(0, total+l.n[InputTool]-out.CacheRead-out.CacheWrite5m-out.CacheWrite1h)
	} else {
		out.InputUncached = l.n[InputUncached] + l.n[InputTool]
	}
	if total, ok := l.Get(OutputTotal); ok {
		out.Output = total
	} else {
		out.Output = l.n[OutputPlain] + l.n[Reasoning]
	}
	return out
}

// Merge folds what a later event says: per line and field the last explicit value wins, and
// events are never summed. Within one event, lines of one model are that model's several calls
// (Groq's compound systems), and do add up. It copies what it keeps of later.
func (u *Usage) Merge(later Usage) {
	named := told{raw: later.Raw, lines: len(later.Lines)}
	for i := range later.Lines {
		named.meters |= later.Lines[i].has
		if later.Lines[i].Tier != "" {
			named.meters |= tierBit
		}
		if line, first := later.callsOf(i); first {
			u.line(line.Model).merge(&line)
		}
	}
	if len(later.Raw) > 0 {
		u.tell(named)
	}
	u.Estimated = u.Estimated || later.Estimated
}

// tell keeps an event's JSON, and of the earlier ones those that name what no later one does.
func (u *Usage) tell(named told) {
	if len(u.told) == 0 && (len(u.Raw) == 0 || u.last.within(&named)) { // nearly every event
		u.Raw = append(u.Raw[:0], named.raw...)
		u.last = told{meters: named.meters, lines: named.lines}
		return
	}
	if len(u.told) == 0 {
		u.last.raw = bytes.Clone(u.Raw)
		u.told = append(u.told, u.last)
	}
	named.raw = bytes.Clone(named.raw)
	kept, since := []told{named}, named
	for _, t := range slices.Backward(u.told) {
		if !t.within(&since) {
			kept = append(kept, t)
			since.meters, since.lines = since.meters|t.meters, max(since.lines, t.lines)
		}
	}
	slices.Reverse(kept)
	u.keep(kept)
}

func (u *Usage) keep(events []told) {
	u.told, u.Raw = events, u.Raw[:0]
	if len(events) == 1 {
		u.told, u.last = nil, events[0]
		u.Raw = append(u.Raw, events[0].raw...)
		return
	}
	for i := range events {
		u.Raw = append(append(u.Raw, "[,"[min(i, 1)]), events[i].raw...)
	}
	u.Raw = append(u.Raw, ']')
}

// within reports whether later names all that t does.
func (t *told) within(later *told) bool {
	return t.meters&^later.meters == 0 && t.lines <= later.lines
}

// callsOf adds up the lines of line i's model; first is false where an earlier line was asked.
func (u *Usage) callsOf(i int) (sum UsageLine, first bool) {
	sum = u.Lines[i]
	for j := range u.Lines {
		other := &u.Lines[j]
		if j == i || other.Model != sum.Model {
			continue
		}
		if j < i {
			return sum, false
		}
		for m := range meters {
			sum.n[m] += other.n[m]
		}
		sum.has |= other.has
	}
	return sum, true
}

func (u *Usage) line(model string) *UsageLine {
	for i := range u.Lines {
		if u.Lines[i].Model == model {
			return &u.Lines[i]
		}
	}
	u.Lines = append(u.Lines, UsageLine{Model: model})
	return &u.Lines[len(u.Lines)-1]
}

func (l *UsageLine) merge(later *UsageLine) {
	for m := range meters {
		if n, ok := later.Get(m); ok {
			l.Set(m, n)
		}
	}
	if later.Tier != "" {
		l.Tier = later.Tier
	}
	if later.Variant != "" {
		l.Variant = later.Variant
	}
}

// Called is the line of the model that was called, in normal form, where the provider tells it
// apart from other models that worked on the reply; else the sum. It is what a client reads.
func (u *Usage) Called() Normal {
	for i := range u.Lines {
		if u.Lines[i].Model == "" {
			return u.Lines[i].Normal()
		}
	}
	return u.Total()
}

// Total sums the lines in normal form; Model, Tier and Variant are those of the first.
func (u *Usage) Total() Normal {
	var sum Normal
	for i := range u.Lines {
		n := u.Lines[i].Normal()
		if i == 0 {
			sum = n
			continue
		}
		sum.Add(&n)
	}
	return sum
}
