package providers

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestUnquote(t *testing.T) {
	f := func(quoted, want string) {
		t.Helper()
		if got := unquote([]byte(quoted)); got != want {
			t.Errorf("unquote %s: %q, want %q", quoted, got, want)
		}
	}
	f(`""`, "")
	f(`"plain"`, "plain")
	f(`"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t")
	f(`"\u0041\u00e9\u20AC"`, "Aé€")
	f(`"\ud83d\ude00!"`, "😀!")
	f(`"x\ud83d\ude00\ud83d\ude00y\\u0041"`, `x😀😀y\u0041`)
}

// Wherever in a long string something special stands, it is seen: strings are read in words of 8 bytes and in blocks of 64.
func TestDocument_Scan_long(t *testing.T) {
	special := []string{"\x00", "\x1f", "\"", `\`, `\n`, `\"`, `\q`, `\u12`, "\x7f", "é", "\x80", "\xc3", "\xff", "\xed\xa0\x80", "😀"}
	var d Document
	for length := range 170 {
		for at := 0; at <= length; at++ {
			plain := strings.Repeat("a", length)
			for _, c := range special {
				raw := []byte(`{"s":"` + plain[:at] + c + plain[at:] + `"}`)
				want := json.Valid(raw) && utf8.Valid(raw)
				if err := d.Scan(raw, nil); (err == nil) != want {
					t.Fatalf("%q at %d of %d: error %v, want one %t", c, at, length, err, !want)
				}
				if want && string(d.Value("s")) != string(raw[5:len(raw)-1]) {
					t.Fatalf("%q at %d of %d: the value is %s", c, at, length, d.Value("s"))
				}
			}
		}
	}
}
