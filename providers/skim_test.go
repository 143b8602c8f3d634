package providers

import (
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

func TestStringEnd(t *testing.T) {
	f := func(text string, i, want int) {
		t.Helper()
		if got := StringEnd([]byte(text), i); got != want {
			t.Errorf("StringEnd(%s, %d) = %d, not %d", text, i, got, want)
		}
	}
	f(`""`, 0, 1)
	f(`"ab"`, 0, 3)
	f(`["ab"]`, 1, 4)
	f(`"a\"b"`, 0, 5)
	f(`"a\\"b"`, 0, 4)
	f(`"\\\""`, 0, 5)
	f(`\"a"`, 1, 3) // what stands before the string is not of it
	f(`"ab`, 0, 3)
	f(`"ab\"`, 0, 5)
	f(`"`, 0, 1)
}

func TestPastValue(t *testing.T) {
	f := func(text string, i int, want string) {
		t.Helper()
		if got := text[i:PastValue([]byte(text), i)]; got != want {
			t.Errorf("the value of %s at %d is %q, not %q", text, i, got, want)
		}
	}
	f(`"a\"]",1`, 0, `"a\"]"`)
	f(`{"a":"}","b":[{}]},2`, 0, `{"a":"}","b":[{}]}`)
	f(`[[],["]"]] `, 0, `[[],["]"]]`)
	f(`-1.5e3}`, 0, `-1.5e3`)
	f("true\n", 0, "true")
	f(`null`, 0, `null`)
	f(`{"a":}`, 5, "")
	f(`{"a":`, 5, "")
	f(`{"a":[1`, 5, `[1`) // cut off
	f(`"cut`, 0, `"cut`)
}

func TestValidJSON(t *testing.T) {
	f := func(text string, want bool) {
		t.Helper()
		if got := ValidJSON([]byte(text)); got != want {
			t.Errorf("ValidJSON of %d bytes %.40q… = %v", len(text), text, got)
		}
	}
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	f(`{"a":[1,"b",null]}`, true)
	f(`{"a":[1,"b",null]`, false)
	f("", false)
	f(nested(maxReplyDepth), true)
	f(nested(maxReplyDepth+1), false)
	f(strings.Repeat(`{"a":`, maxReplyDepth+1)+"1"+strings.Repeat("}", maxReplyDepth+1), false)
	f("["+strings.Repeat("[],", 3*maxReplyDepth)+"{}]", true)    // wide is not deep
	f(`"`+strings.Repeat(`\"[{`, 3*maxReplyDepth)+`"`, true)     // nor is a text of brackets
	f(`["`+strings.Repeat("[", 2*maxReplyDepth)+`"`, false)      // not deep, not whole
	f(strings.Repeat("[", 64<<20), false)                        // would end the process
	f(strings.Repeat(`{"":`, 16<<20), false)                     // likewise
	f(`"`+strings.Repeat("[", 2*maxReplyDepth)+nested(9), false) // a string that never ends
}

func FuzzPastValue(f *testing.F) {
	for _, seed := range []string{`{"a":"\\\"}","b":[1,{}]}`, `"\\"`, `[1, 2`, `-0.1e5`, `tru`, "{\"\u00e4\":\t[]}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b := []byte(text)
		start := SkipSpace(b, 0)
		end := PastValue(b, start)
		if end < start || end > len(b) {
			t.Fatalf("PastValue(%q, %d) = %d", text, start, end)
		}
		if ValidJSON(b) && text[start:end] != strings.TrimRight(gjson.Parse(text).Raw, " \t\r\n") {
			t.Fatalf("the value of %q ends at %d", text, end)
		}
	})
}

func FuzzMembers(f *testing.F) {
	for _, seed := range []string{
		`{"a":1,"b\"":{"c":"}"} , "d" : [2,"]"]}`, ` { } `, `{"a":}`, `{"a"`, `{"a":1,}`, `{"a":1 "b":2}`, `[1]`, `{"":""}`, `{"`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var got, want []string
		Members([]byte(text), func(name, value []byte) bool {
			got = append(got, `"`+string(name)+`"`, string(value))
			return true
		})
		root := gjson.Parse(text)
		if !ValidJSON([]byte(text)) || !root.IsObject() {
			return // it only has to end
		}
		root.ForEach(func(name, value gjson.Result) bool {
			want = append(want, name.Raw, value.Raw)
			return true
		})
		if !slices.Equal(got, want) {
			t.Fatalf("the members of %q are %q, want %q", text, got, want)
		}
	})
}

func FuzzElements(f *testing.F) {
	for _, seed := range []string{`[1,"]",{"a":[2]} , [ ] ]`, ` [ ] `, `[1,]`, `[`, `[1 2]`, `{"a":1}`, `[""]`, `["`, `[,1]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var got, want []string
		Elements([]byte(text), func(value []byte) bool {
			got = append(got, string(value))
			return true
		})
		root := gjson.Parse(text)
		if !ValidJSON([]byte(text)) || !root.IsArray() {
			return // it only has to end
		}
		for _, value := range root.Array() {
			want = append(want, value.Raw)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("the elements of %q are %q, want %q", text, got, want)
		}
	})
}

func TestCount(t *testing.T) {
	f := func(text string, want int64, wantOK bool) {
		t.Helper()
		if n, ok := Count([]byte(text)); n != want && wantOK || ok != wantOK {
			t.Errorf("Count(%s) = %d, %t, want %d, %t", text, n, ok, want, wantOK)
		}
	}
	f("0", 0, true)
	f("12", 12, true)
	f("123456789012345", 123456789012345, true)
	f("12.0", 12, true)
	f("12.9", 12, true)
	f("1.2e1", 12, true)
	f("-0", 0, true)
	f("-1", 0, false)
	f("1e15", 0, false)
	f("1234567890123456", 0, false)
	f("null", 0, false)
	f(`"12"`, 0, false)
	f("true", 0, false)
	f("", 0, false)
}
