package storage

import "time"

// Price is what one model costs at one provider from a date on. A price that was used is never
// changed: a new one with a later date, or of a later making, supersedes it.
type Price struct {
	ID       string // <provider>/<model>@<date>#<fingerprint of the content>: equal ids are equal prices
	Provider string
	Model    string // as the upstream spells it, dated or not; "*" at the end stands for any rest
	From     time.Time
	Rates    []Rate // the standard one first
	// Regions are factors on the whole cost, in thousandths, by region ("eu": 1100).
	Regions map[string]int64
	Source  string // where the figures are from: a document, a list with its commit, "config"
	Checked string // when they were read, YYYY-MM-DD
}

// Rate is the price of one service tier, in one tier of context length. Token rates are nano-USD
// for a million tokens, unit rates nano-USD each. A nil rate is not known; what then counts in
// its place is policy's to say, and 0 is free.
type Rate struct {
	Tier string // "" standard, else batch, flex, priority, fast
	// Over is set where the rate is for calls whose input, cached tokens included, is longer
	// than so many tokens: the whole call is priced by the longest Over that it passes.
	Over int64

	Input, CacheRead, CacheWrite5m, CacheWrite1h *int64
	Output, Reasoning                            *int64
	AudioIn, AudioCacheRead, AudioOut            *int64
	ImageIn, ImageOut                            *int64 // tokens

	Request, Image, Search, Second, Character *int64
}
