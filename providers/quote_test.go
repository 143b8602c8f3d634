package providers

import (
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

func TestAppendString(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := string(AppendString([]byte("x"), text)); got != "x"+want {
			t.Errorf("append %q: %s, want %s", text, got, want)
		}
		if got := string(AppendString(nil, []byte(text))); got != want {
			t.Errorf("append bytes %q: %s, want %s", text, got, want)
		}
	}
	f("", `""`)
	f("plain", `"plain"`)
	f("a\"b\\c", `"a\"b\\c"`)
	f("\n\r\t\x00\x1f\x7f", `"\n\r\t\u0000\u001f`+"\x7f\"")
	f("<a href='x'>&</a>", `"<a href='x'>&</a>"`) // HTML is not escaped: other bytes would break prompt caches
	f("é€😀\u2028", "\"é€😀\u2028\"")
	f("\ufffd stays", "\"\ufffd stays\"")
	f("a\xffb\xc3", "\"a\ufffdb\ufffd\"")
	f("\xed\xa0\x80", "\"\ufffd\ufffd\ufffd\"")
	f("😀\xf0\x9f\x98", "\"😀\ufffd\ufffd\ufffd\"")
}

func FuzzAppendString(f *testing.F) {
	for _, seed := range []string{"", "a", "\"\\\n", "\x00\x1f", "é😀", "\xff\xfe", "\xed\xa0\x80", "\xf0\x9f\x98", "\u2028\ufffd"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		quoted := AppendString(nil, text)
		back, err := jsontext.AppendUnquote(nil, quoted)
		if err != nil {
			t.Fatalf("append %q gave %s: %v", text, quoted, err)
		}
		if want := string([]rune(text)); string(back) != want {
			t.Fatalf("append %q reads back as %q, want %q", text, back, want)
		}
		if got := unquote(quoted); utf8.ValidString(text) && got != text {
			t.Fatalf("append %q unquotes to %q", text, got)
		}
		if other := AppendString(nil, []byte(text)); string(other) != string(quoted) {
			t.Fatalf("bytes %s, string %s", other, quoted)
		}
	})
}
