package policy

import (
	"cmp"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/catalog"
)

// Sold is what a model is sold by, as its price says.
type Sold struct{ Input, Output, Character, Image, HourIn, HourOut bool }

// Sold says what a call is charged by: by the standard rate of its model's price.
func (b *PriceBook) Sold(c Called) Sold {
	price := b.Find(c.Provider, c.Model).At(c.Time)
	if price == nil {
		return Sold{}
	}
	r := &price.Rates[0]
	return Sold{
		Input: r.Input != nil, Output: r.Output != nil || r.AudioOut != nil || r.ImageOut != nil, Character: r.Character != nil,
		Image: r.Image != nil || len(r.Variants) > 0, HourIn: r.HourIn != nil, HourOut: r.HourOut != nil,
	}
}

// Told reports whether lines count, of either side, what the model is sold by.
func (by Sold) Told(lines []providers.Normal) bool {
	var n providers.Normal
	for i := range lines {
		n.Add(&lines[i])
	}
	either := by.Character && n.Characters > 0 || by.Image && n.Images > 0
	read := either || n.Input() > 0 || by.HourIn && n.AudioInMs > 0 || !by.Input && !by.Character && !by.HourIn
	made := either || n.Output > 0 || by.HourOut && n.AudioOutMs > 0 || !by.Output && !by.HourOut && !by.Image
	return read && made
}

// Units are what is known of a call beside what its provider said.
type Units struct {
	Op         providers.Op
	Characters int64  // to be spoken
	Images     int64  // asked for
	Variant    string // of the images
	Files      int64  // images that were sent
	// AudioInMs is how long the sound that was read is, by what it says itself; AudioOutMs that of
	// the sound that was made. 0 is not known.
	AudioInMs, AudioOutMs int64
	// Counted is set where that is more than the word of a file: samples that were counted.
	Counted bool
}

// Settled is what an attempt is charged for.
type Settled struct {
	Lines     []providers.Normal
	Estimated bool
	Unknown   bool // nobody knows how much there was of what the model is sold by
}

// SettleMedia is Settle for sounds and images, whose models are sold by other things than tokens.
// Those that the provider told go first, then those that are known otherwise; tokens are guessed
// for a text to be spoken alone.
func SettleMedia(dst []providers.Normal, e Ending, u *Units, by Sold) Settled {
	if !e.Sent || e.Status != 0 && (e.Status < 200 || e.Status > 299) {
		return Settled{Lines: dst}
	}
	var said told
	out := Settled{Lines: dst}
	if e.Usage != nil {
		for i := range e.Usage.Lines {
			said.note(&e.Usage.Lines[i])
			out.Lines = append(out.Lines, e.Usage.Lines[i].Normal())
		}
		out.Estimated = e.Usage.Estimated
	}
	if len(out.Lines) == len(dst) {
		out.Lines = append(out.Lines, providers.Normal{})
	}
	own := called(out.Lines[len(dst):])
	own.Characters = max(own.Characters, u.Characters)
	if own.Variant == "" {
		own.Variant = u.Variant
	}
	out.input(own, &e, u, by, said.input)
	out.output(own, &e, u, by, said.output)
	return out
}

// input completes the side of a call that was read. Where the price goes by its length, the tokens
// of a sound are not guessed; nor are they anywhere else: a model's are its maker's secret.
func (s *Settled) input(own *providers.Normal, e *Ending, u *Units, by Sold, said bool) {
	if own.AudioInMs == 0 && !said {
		own.AudioInMs = u.AudioInMs
		s.Estimated = s.Estimated || by.HourIn && own.AudioInMs > 0 && (by.Input || !u.Counted)
	}
	switch {
	case said || !by.Input && !by.Character && !by.HourIn:
	case by.Character && own.Characters > 0 || by.HourIn && own.AudioInMs > 0:
	case by.Input && (u.Op == providers.OpSpeech || u.Op == providers.OpImages):
		own.InputUncached, s.Estimated = EstimateInput(e.Body), true
	default:
		s.Unknown = !by.Image
	}
}

// spoken is how many characters are spoken in a second, as is usual in English.
const spoken = 15

// output completes the side of a call that was made. What was not told of images is taken to be
// what was asked for. A sound is as long as it came; one that did not come whole, or that says
// nothing of its length, is as long as its text makes it.
func (s *Settled) output(own *providers.Normal, e *Ending, u *Units, by Sold, said bool) {
	if own.Images == 0 && !said {
		own.Images = u.Images
		s.Estimated = s.Estimated || by.Image && own.Images > 0
	}
	guessed := false
	if own.AudioOutMs == 0 && !said {
		own.AudioOutMs = u.AudioOutMs
		if likely := own.Characters * 1000 / spoken; by.HourOut && (own.AudioOutMs == 0 || !e.Whole && own.AudioOutMs < likely) {
			own.AudioOutMs, guessed = likely, likely > 0
		}
	}
	switch {
	case said || !by.Output && !by.HourOut && !by.Image:
	case by.Character && own.Characters > 0 || by.Image && own.Images > 0:
	case by.HourOut && own.AudioOutMs > 0:
		s.Estimated = s.Estimated || guessed || by.Output || !u.Counted
	default:
		s.Unknown = true
	}
}

// What a second of sound, and of a text that is written of it, has at most in tokens. Gemini
// counts 32 for a second of sound, OpenAI and Mistral fewer; nobody speaks 25 in one.
const (
	soundTokens   = 50
	writtenTokens = 25
)

// What a character may take at most to be spoken, and a text to be begun and ended: the name of a
// sign is spoken in a second.
const (
	characterMs = 1_000
	speechMs    = 10_000
)

// Reach completes how far a call can go, whose sound that is read is AudioInMs long at most. t is
// as the catalogue names it; made is what the model makes at most, in tokens.
func (u *Units) Reach(r *Reach, t Target, made int64) {
	r.Media, r.Characters, r.Images, r.Variant = true, u.Characters, u.Images, u.Variant
	const most = 1 << 30 // of anything: beyond what any provider takes, and safe to multiply
	switch u.Op {
	case providers.OpTranscription, providers.OpTranslation:
		r.AudioInMs = u.AudioInMs
		seconds := min(u.AudioInMs/1000+1, most)
		r.Input += seconds * soundTokens
		r.Output = seconds * writtenTokens
	case providers.OpSpeech:
		r.AudioOutMs = min(u.Characters, most)*characterMs + speechMs
		r.Output = (r.AudioOutMs/1000 + 1) * soundTokens
	default:
		allowed := catalog.AllowanceFor(t.Provider, t.Model)
		r.Output = min(u.Images, most) * cmp.Or(allowed.Made, made)
		r.Input += u.Files * allowed.Image
	}
}
