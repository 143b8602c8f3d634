package media

import (
	"math"
	"testing"

	"github.com/tidwall/gjson"
)

func TestClock(t *testing.T) {
	f := func(seconds float64, want string) {
		t.Helper()
		if got := clock(seconds, ","); got != want {
			t.Errorf("%v s: %s, want %s", seconds, got, want)
		}
	}
	f(0, "00:00:00,000")
	f(1.5, "00:00:01,500")
	f(59.9996, "00:01:00,000")
	f(3661.25, "01:01:01,250")
	f(360_000, "100:00:00,000")
}

// Whatever times an upstream says, the answer is one.
func TestTranscription_Reply_Times(t *testing.T) {
	f := func(start, end float64, want string) {
		t.Helper()
		a := Transcription{Format: "verbose_json"}
		body := a.Reply("a", []Segment{{Text: "a", Start: start, End: end}}).Body
		if got := gjson.GetBytes(body, "segments.0.start").Raw + " " + gjson.GetBytes(body, "segments.0.end").Raw; !gjson.ValidBytes(body) || got != want {
			t.Errorf("from %v to %v: %s, want %s", start, end, body, want)
		}
	}
	f(1, 2.5, "1 2.5")
	f(3, 0, "3 3") // the sound breaks off
	f(-1, 2, "0 2")
	f(math.Inf(-1), math.Inf(1), "0 1000000000")
	f(math.Inf(1), 1e300, "1000000000 1000000000")
}
