package main_test

import (
	"bytes"
	"fmt"
	"io"
	"math/big"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers/mock"
	"github.com/aistrale/aistrale/storage"
)

// second is one of silence, 16 kHz of 16 bits, as a WAV file of a stream.
var second = "RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00data\xff\xff\xff\xff" +
	strings.Repeat("\x00", 32_000)

// Sounds and images spend a hard budget to its end, many at once, and no further; the ledger has
// what the provider bills.
func TestLimits_MediaBudget(t *testing.T) {
	t.Parallel()
	hour := storage.FormatUSD(mock.SecondPrice * 3600)
	f := func(name string, budget int64, send func(r *running) (int, string)) {
		t.Helper()
		r := start(t, fmt.Sprintf(`prices:
  - {model: chat/tts-1, character: %q}
  - {model: chat/whisper-1, hour_in: %q}
  - {model: chat/dall-e-3, image: %q}
budgets: [{scope: key/full, usd: %q, per: total}]
`, storage.FormatUSD(mock.CharacterPrice), hour, storage.FormatUSD(mock.ImagePrice), storage.FormatUSD(budget)))
		var served, refused atomic.Int64
		var clients sync.WaitGroup
		for range 4 {
			clients.Go(func() {
				for {
					status, body := send(r)
					if status == http.StatusOK {
						served.Add(1)
						continue
					}
					if status != http.StatusTooManyRequests {
						t.Errorf("%s: %d %s", name, status, body)
						return
					}
					if gjson.Get(body, "error.code").Str == "insufficient_quota" {
						refused.Add(1)
						return
					}
				}
			})
		}
		clients.Wait()
		r.stop(t)
		out := newPlace(t).must(t, "", "usage", "--since", "2h", "--json", "--config", r.config)
		cost, ok := new(big.Rat).SetString(gjson.Get(out, "0.cost_usd").Raw)
		if !ok {
			t.Fatalf("%s: %s", name, out)
		}
		cost.Mul(cost, big.NewRat(1_000_000_000, 1))
		if spent, bill := cost.Num().Int64(), billed(r.mock); !cost.IsInt() || spent != bill || spent > budget || spent < budget*9/10 || refused.Load() != 4 {
			t.Errorf("%s: %s nano-USD are spent by %d calls of a budget of %d, the provider bills %d: %s", name, cost, served.Load(), budget, bill, out)
		}
		if n := gjson.Get(out, "0.unpriced").Int() + gjson.Get(out, "0.estimated").Int(); n != 0 {
			t.Errorf("%s: %s", name, out)
		}
	}
	f("speech", mock.CharacterPrice*50*20, func(r *running) (int, string) {
		return r.post(t, "/v1/audio/speech", fullKey, strings.NewReader(`{"model":"chat/tts-1","voice":"alloy","input":"`+strings.Repeat("wörd ", 10)+`"}`))
	})
	f("images", mock.ImagePrice*41, func(r *running) (int, string) {
		return r.post(t, "/v1/images/generations", fullKey, strings.NewReader(`{"model":"chat/dall-e-3","prompt":"a cat","n":2}`))
	})
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	file, err := w.CreateFormFile("file", "a.wav")
	if _, err2 := io.WriteString(file, second); err != nil || err2 != nil || w.WriteField("model", "chat/whisper-1") != nil || w.Close() != nil {
		t.Fatal(err, err2)
	}
	f("transcripts", mock.SecondPrice*30, func(r *running) (int, string) {
		return r.post(t, "/v1/audio/transcriptions", fullKey, bytes.NewReader(form.Bytes()), "content-type", w.FormDataContentType())
	})
}
