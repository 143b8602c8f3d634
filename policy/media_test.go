package policy

import (
	"reflect"
	"testing"

	"github.com/aistrale/aistrale/providers"
)

func TestPriceBook_Sold(t *testing.T) {
	b := NewPriceBook(unitPrices())
	f := func(model string, want Sold) {
		t.Helper()
		if got := b.Sold(Called{Provider: "p", Model: model, Time: noon}); got != want {
			t.Errorf("%s is sold by %+v, want %+v", model, got, want)
		}
	}
	f("tts", Sold{Character: true})
	f("whisper", Sold{HourIn: true})
	f("dall", Sold{Image: true})
	f("gpt-image", Sold{Input: true, Output: true})
	f("mini-tts", Sold{Input: true, Output: true, HourOut: true})
	f("nobody's", Sold{})
}

// What nobody told does not become free by a price that is known later.
func TestSold_Told(t *testing.T) {
	b := NewPriceBook(unitPrices())
	f := func(model string, want bool, lines ...providers.Normal) {
		t.Helper()
		if got := b.Sold(Called{Provider: "p", Model: model, Time: noon}).Told(lines); got != want {
			t.Errorf("%s: %+v is told: %v", model, lines, got)
		}
	}
	type n = providers.Normal
	f("whisper", false, n{})
	f("whisper", true, n{AudioInMs: 1})
	f("tts", true, n{Characters: 5})
	f("tts", false, n{AudioOutMs: 5})
	f("mini-tts", false, n{InputUncached: 9})
	f("mini-tts", true, n{InputUncached: 9, AudioOutMs: 5})
	f("mini-tts", true, n{InputUncached: 9, Output: 5})
	f("dall", true, n{Images: 1})
	f("gpt-image", false, n{InputUncached: 9, Images: 1})
	f("gpt-image", true, n{InputUncached: 9}, n{Output: 7})
	f("transcribe", false, n{AudioInMs: 8})
}

func TestSettleMedia(t *testing.T) {
	b := NewPriceBook(unitPrices())
	body := []byte(`{"model":"m","input":"A text of some words, to be spoken."}`)
	f := func(name, model string, e Ending, u Units, want Settled) {
		t.Helper()
		e.Body = body
		got := SettleMedia(nil, e, &u, b.Sold(Called{Provider: "p", Model: model, Time: noon}))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
		}
	}
	type n = providers.Normal
	lines := func(n n) []n { return []providers.Normal{n} }
	ok := func(usage *providers.Usage) Ending { return Ending{Sent: true, Status: 200, Whole: true, Usage: usage} }
	units := func(m providers.Meter, count int64) *providers.Usage {
		return said(map[providers.Meter]int64{m: count})
	}
	tokens := said(map[providers.Meter]int64{providers.InputTotal: 7, providers.OutputTotal: 5})
	guessed := EstimateInput(body)

	speech := Units{Op: providers.OpSpeech, Characters: 36}
	f("not sent", "tts", Ending{}, speech, Settled{})
	f("refused", "tts", Ending{Sent: true, Status: 400}, speech, Settled{})
	f("speech by the character is exact", "tts", ok(nil), speech, Settled{Lines: lines(n{Characters: 36})})
	f("whoever leaves has its text spoken all the same", "tts", Ending{Sent: true}, speech, Settled{Lines: lines(n{Characters: 36})})
	f("speech by tokens that are told", "mini-tts", ok(tokens), speech, Settled{Lines: lines(n{InputUncached: 7, Output: 5, Characters: 36})})
	measured := speech
	measured.AudioOutMs, measured.Counted = 3000, true
	f("speech by its length where none are", "mini-tts", ok(nil), measured, Settled{Lines: lines(n{InputUncached: guessed, Characters: 36, AudioOutMs: 3000}), Estimated: true})
	f("of a length that nobody knows", "mini-tts", ok(nil), speech, Settled{Lines: lines(n{InputUncached: guessed, Characters: 36, AudioOutMs: 2400}), Estimated: true})
	measured.AudioOutMs = 1000
	f("that broke off", "mini-tts", Ending{Sent: true, Status: 200}, measured, Settled{Lines: lines(n{InputUncached: guessed, Characters: 36, AudioOutMs: 2400}), Estimated: true})

	sound := Units{Op: providers.OpTranscription}
	f("a length that is told", "whisper", ok(units(providers.AudioInMs, 9000)), Units{Op: providers.OpTranscription, AudioInMs: 8470}, Settled{Lines: lines(n{AudioInMs: 9000})})
	f("samples that were counted", "whisper", ok(nil), Units{Op: providers.OpTranscription, AudioInMs: 8470, Counted: true}, Settled{Lines: lines(n{AudioInMs: 8470})})
	f("a file's word", "whisper", ok(nil), Units{Op: providers.OpTranscription, AudioInMs: 8470}, Settled{Lines: lines(n{AudioInMs: 8470}), Estimated: true})
	f("nothing known", "whisper", ok(nil), sound, Settled{Lines: lines(n{}), Unknown: true})
	f("tokens that are told", "transcribe", ok(tokens), sound, Settled{Lines: lines(n{InputUncached: 7, Output: 5})})
	f("tokens of a sound are not guessed", "transcribe", ok(nil), sound, Settled{Lines: lines(n{}), Unknown: true})

	images := Units{Op: providers.OpImages, Images: 3, Variant: "hd"}
	f("images that came", "dall", ok(units(providers.Images, 2)), images, Settled{Lines: lines(n{Images: 2, Variant: "hd"})})
	f("images that nobody saw", "dall", Ending{Sent: true}, images, Settled{Lines: lines(n{Images: 3, Variant: "hd"}), Estimated: true})
	made := said(map[providers.Meter]int64{providers.InputTotal: 7, providers.OutputTotal: 5, providers.ImagesOut: 5, providers.Images: 2})
	f("images by tokens", "gpt-image", ok(made), images, Settled{Lines: lines(n{InputUncached: 7, Output: 5, ImageOut: 5, Images: 2, Variant: "hd"})})
	f("whose tokens nobody tells", "gpt-image", ok(units(providers.Images, 2)), images, Settled{Lines: lines(n{InputUncached: guessed, Images: 2, Variant: "hd"}), Estimated: true, Unknown: true})
	f("no price", "nobody's", ok(nil), speech, Settled{Lines: lines(n{Characters: 36})})
}
