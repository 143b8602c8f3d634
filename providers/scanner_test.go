package providers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// scanSeeds are whole bodies, good and bad, that the tests and the fuzz targets share.
var scanSeeds = []string{
	`{}`, ` { } `, "\t{\r\n}\n", `{"a":1}`, `{"a":{"b":[1,2,{"c":null}]},"d":"e"}`,
	`{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}`,
	`{"":0}`, `{"a":-0}`, `{"a":0.0e-10}`, `{"a":1E+2}`, `{"a":123456789012345678901234567890}`,
	`{"a":"\u0041\"\\\/\b\f\n\r\t"}`, `{"a":"\ud83d\ude00 é \u00e9"}`, `{"mod\u0065l":1}`,
	`{"a":[[],[[]],{}]}`, `{"a":true,"b":false,"c":null}`, `{"a":"` + strings.Repeat("x", 40) + `"}`,
	`{"aaaaaaa":"12345678","b":"1234567\n"}`, "{\"a\":\"\u007f\u2028\ufffd\"}",
	``, ` `, `[]`, `"a"`, `1`, `null`, `{`, `}`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{,}`, `{"a" 1}`, `{a:1}`,
	`{"a":01}`, `{"a":-}`, `{"a":1.}`, `{"a":.1}`, `{"a":1e}`, `{"a":+1}`, `{"a":0x1}`, `{"a":NaN}`, `{"a":tru}`, `{"a":nul}`, `{"a":falsE}`,
	`{"a":"`, `{"a":"\`, `{"a":"\u12`, `{"a":"\x"}`, `{"a":"\ud800"}`, `{"a":"\udc00"}`, `{"a":"\ud800\u0041"}`, `{"a":"\ud800x"}`,
	"{\"a\":\"\n\"}", "{\"a\":\"\x00\"}", "{\"a\":\"\xff\"}", "{\"a\":\"\xed\xa0\x80\"}", "\ufeff{}",
	`{} {}`, `{}x`, `{"a":1}]`, `{"a":[1}`, `{"a":{]`, `{"a":[1,]}`, `{"a":[,1]}`, `{'a':1}`, `{"a":1 /* c */}`,
	`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"Model":1,"model":2}`, "{\"k\":1,\"\u212a\":2}", `{"s":1,"ſ":2}`, `{"a":{"b":1,"b":2}}`,
}

type member struct{ name, value string }

// reference reads a JSON object with another parser: its members in order, and whether the
// bytes are one valid JSON object.
func reference(raw []byte) (members []member, ok bool) {
	dec := jsontext.NewDecoder(bytes.NewReader(raw), jsontext.AllowDuplicateNames(true))
	if dec.PeekKind() != '{' {
		return nil, false
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, false
	}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, false
		}
		key := name.String()
		value, err := dec.ReadValue()
		if err != nil {
			return nil, false
		}
		members = append(members, member{key, string(value)})
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, false
	}
	_, err := dec.ReadToken()
	return members, errors.Is(err, io.EOF)
}

// documented reports whether one of the refusals that Scan promises beyond JSON applies.
func documented(members []member, raw []byte) bool {
	seen := map[string]bool{}
	for _, m := range members {
		if folded := fold(m.name); seen[folded] {
			return true
		} else {
			seen[folded] = true
		}
	}
	return depthOf(raw) > MaxDepth
}

func depthOf(raw []byte) int {
	depth, deepest := 0, 0
	dec := jsontext.NewDecoder(bytes.NewReader(raw), jsontext.AllowDuplicateNames(true))
	for {
		tok, err := dec.ReadToken()
		if err != nil {
			return deepest
		}
		switch tok.Kind() {
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			depth--
		}
	}
}

// agree holds the scanner to the other parser, both ways.
func agree(t *testing.T, d *Document, raw []byte) {
	t.Helper()
	want, valid := reference(raw)
	err := d.Scan(raw, nil)
	if err != nil {
		var fault *Fault
		if !errors.As(err, &fault) || fault.Kind != FaultInvalid || fault.Message == "" {
			t.Fatalf("scan %q: %v is no 400 with a message", raw, err)
		}
		if valid && !documented(want, raw) {
			t.Fatalf("scan %q: %v, but it is valid", raw, err)
		}
		return
	}
	if !valid {
		t.Fatalf("scan %q accepts what is not JSON", raw)
	}
	if documented(want, raw) {
		t.Fatalf("scan %q accepts what two parsers read differently", raw)
	}
	var got []member
	for _, f := range d.Fields {
		got = append(got, member{f.Name, string(raw[f.Start:f.End])})
		if raw[f.KeyStart] != '"' {
			t.Fatalf("scan %q: no key at %d", raw, f.KeyStart)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("scan %q\n got %q\nwant %q", raw, got, want)
	}
}

func TestDocument_Scan(t *testing.T) {
	var d Document // one for all: a scan leaves nothing behind that the next one sees
	for _, seed := range scanSeeds {
		agree(t, &d, []byte(seed))
	}
}

// Every place in an eight-byte step must be looked at: a stop byte at each offset, behind
// every byte value.
func TestDocument_Scan_everyOffset(t *testing.T) {
	var d Document
	for offset := range 20 {
		for c := range 256 {
			body := append([]byte(`{"a":"`+strings.Repeat("é", offset/2)+strings.Repeat("x", offset%2)), byte(c))
			agree(t, &d, append(body, `tail of it","b":1}`...))
			agree(t, &d, append(body, `"}`...))
		}
	}
}

func TestDocument_Scan_depth(t *testing.T) {
	f := func(depth int, open, shut string, want bool) {
		t.Helper()
		var d Document
		err := d.Scan([]byte(`{"a":`+strings.Repeat(open, depth-1)+"0"+strings.Repeat(shut, depth-1)+`}`), nil)
		if (err == nil) != want {
			t.Errorf("depth %d of %s: %v", depth, open, err)
		}
		if err != nil && !strings.Contains(err.Error(), "nested deeper than 512 levels") {
			t.Errorf("depth %d: %v does not say why", depth, err)
		}
	}
	f(MaxDepth, "[", "]", true)
	f(MaxDepth+1, "[", "]", false)
	f(MaxDepth, `{"a":`, "}", true)
	f(MaxDepth+1, `{"a":`, "}", false)
	f(100_000, "[", "]", false)
	f(100_000, `[{"":`, "}]", false)
	var d Document
	if err := d.Scan([]byte(strings.Repeat(`{"a":`, 100_000)), nil); err == nil {
		t.Error("an unclosed deep body is accepted")
	}
}

func TestDocument_Scan_refusals(t *testing.T) {
	f := func(body, param string, words ...string) {
		t.Helper()
		var d Document
		var fault *Fault
		if err := d.Scan([]byte(body), nil); !errors.As(err, &fault) {
			t.Fatalf("scan %s: %v", body, err)
		}
		if fault.Param != param {
			t.Errorf("scan %s: param %q, want %q", body, fault.Param, param)
		}
		for _, w := range words {
			if !strings.Contains(fault.Message, w) {
				t.Errorf("scan %s: %q does not say %q", body, fault.Message, w)
			}
		}
	}
	f(``, "", "empty")
	f(`[1]`, "", "must be a JSON object")
	f("{\"a\":\"\xff\"}", "", "not valid UTF-8")
	f(`{"a":"\ud800"}`, "", "lone surrogate", "byte 6")
	f(`{"a":1`, "", "it ends at byte 6", "',' or '}'")
	f(`{"a":é}`, "", "'é' at byte 5")
	f(`{"model":"a","mod\u0065l":"b"}`, "model", `"model" twice`)
	f(`{"Model":"a","model":"b"}`, "Model", `"Model" and "model"`)
	f(`{"model":"a","x":1,"MODEL":"b"}`, "model", `"model" and "MODEL"`)
	f("{\"\u212aey\":1,\"key\":2}", "\u212aey", "some parsers take for one")
	var many strings.Builder
	for i := range 40 {
		fmt.Fprintf(&many, `"f%d":%d,`, i, i)
	}
	f(`{`+many.String()+`"F7":1}`, "f7", `"f7" and "F7"`)
	f(`{`+many.String()+`"f7":1}`, "f7", `"f7" twice`)
	f(`{`+many.String()+"\"\u017fs\":1,\"ss\":1}", "\u017fs")
}

func FuzzDocument_Scan(f *testing.F) {
	for _, seed := range scanSeeds {
		f.Add([]byte(seed))
	}
	f.Add([]byte(`{"a":` + strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth) + `}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var d Document
		agree(t, &d, raw)
	})
}

// body makes a chat request of about size bytes, as long prompts are.
func body(size int) []byte {
	head := `{"model":"gpt-4o-mini","messages":[{"role":"system","content":"You are a helpful assistant."},{"role":"user","content":"`
	tail := `"}],"temperature":0.2,"max_tokens":256,"stream":true,"stream_options":{"include_usage":true},"user":"u-1"}`
	unit := `The quick brown fox said \"no\" to the lazy dog, and then it ran away over the hills.\n`
	return []byte(head + strings.Repeat(unit, max(0, size-len(head)-len(tail))/len(unit)) + tail)
}

func BenchmarkScan(b *testing.B) {
	watch := NewWatch([]Governed{
		{Path: "tools.#.type", Effect: ReachesNetwork, Except: []string{"function"}},
		{Path: "service_tier", Effect: ChangesPrice}, {Path: "models", Effect: NamesModel},
		{Path: "messages.#.content.#.file.file_id", Effect: NamesObject},
	})
	for _, size := range []int{335, 8_400, 400_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			raw := body(size)
			var d Document
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if err := d.Scan(raw, watch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("plain", func(b *testing.B) {
		raw := []byte(`{"input":"` + strings.Repeat("The quick brown fox jumps over the lazy dog. ", 8_900) + `"}`)
		var d Document
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			if err := d.Scan(raw, watch); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func TestDocument_Scan_allocations(t *testing.T) {
	raw := body(8_400)
	watch := NewWatch([]Governed{{Path: "service_tier", Effect: ChangesPrice}, {Path: "tools.#.type", Effect: ReachesNetwork}})
	var d Document
	var out []byte
	model := []Edit{{Name: "model", Value: []byte(`"m"`)}, {Name: "stream_options", Value: []byte(`{}`)}, {Name: "added", Value: []byte("1")}}
	work := func() {
		if err := d.Scan(raw, watch); err != nil {
			t.Fatal(err)
		}
		out = d.Splice(out[:0], model...)
	}
	work()
	if n := testing.AllocsPerRun(100, work); n != 0 {
		t.Errorf("scanning and splicing a usual request with a used document: %v allocations, want 0", n)
	}
}
