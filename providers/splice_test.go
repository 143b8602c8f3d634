package providers

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func TestDocument_Splice(t *testing.T) {
	f := func(body, want string, edits ...Edit) {
		t.Helper()
		d := scanned(t, body)
		got := string(d.Splice([]byte("kept:"), edits...))
		if got != "kept:"+want {
			t.Errorf("splice %s\n got %s\nwant %s", body, got, want)
		}
		scanned(t, strings.TrimPrefix(got, "kept:"))
	}
	set := func(name, value string) Edit { return Edit{Name: name, Value: []byte(value)} }
	drop := func(name string) Edit { return Edit{Name: name} }
	model := set("model", `"m"`)
	f(`{"model":"a"}`, `{"model":"a"}`)
	f(`{"model":"a"}`, `{"model":"m"}`, model)
	f(` { "x" : 1 , "model" : "a" , "y":[ 1 ] } `, ` { "x" : 1 , "model" : "m" , "y":[ 1 ] } `, model)
	f(`{}`, `{"model":"m"}`, model)
	f("{ \n}", "{ \n\"model\":\"m\"}", model)
	f(`{"mod\u0065l":"a"}`, `{"mod\u0065l":"m"}`, model)
	f(`{"o":{"model":"a"},"model":"b"}`, `{"o":{"model":"a"},"model":"m"}`, model)
	f(`{"b":1,"a":2}`, `{"b":4,"a":3}`, set("a", "3"), set("b", "4"))
	f(`{"a":1}`, `{"a":1,"x":2,"y":3}`, set("x", "2"), set("y", "3"))
	f(`{"a":"}"}`, `{"a":"}","x":2}`, set("x", "2"))
	f(`{"a":1}`, `{"a":1}`, drop("absent"))
	f(`{"a":1}`, `{"a":1,"quoted\"\n":2}`, set("quoted\"\n", "2"))

	f(`{"a":1,"b":2,"c":3}`, `{"a":1}`, drop("b"), drop("c"))
	f(`{"a":1,"b":2,"c":3}`, `{"c":3}`, drop("b"), drop("a"))
	f(`{"a":1,"b":2,"c":3}`, `{"b":2}`, drop("c"), drop("a"))
	f(`{"a":1, "b":2 , "c":3 }`, `{ }`, drop("c"), drop("a"), drop("b"))
	f(`{"a":1, "b":2 , "c":3 }`, `{ "d":4}`, drop("c"), drop("a"), drop("b"), set("d", "4"))
	f(`{"a":",","b":"{,"}`, `{"a":","}`, drop("b"))
	f(`{"a":1,"b":2,"c":3}`, `{"a":9}`, drop("c"), set("a", "9"), drop("b"))

	rename := func(name, as, value string) Edit { return Edit{Name: name, As: as, Value: []byte(value)} }
	f(`{"a":1,"b":2}`, `{"a":1,"z":2}`, rename("b", "z", "2"))
	f(`{"a":1 , "b" : 2 , "c":3}`, `{"z":1 , "y":2 , "c":3}`, rename("b", "y", "2"), rename("a", "z", "1"))
	f(`{"a":1}`, `{"a":1,"z":2}`, rename("b", "z", "2"))
}

// edited applies the edits to the members as a reference parser reads them.
func edited(members []member, edits []Edit) []member {
	out := make([]member, 0, len(members)+len(edits))
	used := map[string]bool{}
	named := func(e Edit) member {
		if e.As != "" {
			return member{e.As, string(e.Value)}
		}
		return member{e.Name, string(e.Value)}
	}
next:
	for _, m := range members {
		for _, e := range edits {
			if e.Name == m.name {
				used[e.Name] = true
				if e.Value != nil {
					out = append(out, named(e))
				}
				continue next
			}
		}
		out = append(out, m)
	}
	for _, e := range edits {
		if !used[e.Name] && e.Value != nil {
			out = append(out, named(e))
		}
	}
	return out
}

// spliceEdits derives edits from the bits of plan: which members go, change or are renamed.
func spliceEdits(d *Document, plan uint64) []Edit {
	var edits []Edit
	for i := range d.Fields {
		f := &d.Fields[i]
		e := Edit{Name: f.Name}
		switch plan >> (2 * (i % 31)) & 3 {
		case 0:
			continue
		case 1:
		case 2:
			e.Value = []byte(`{"set":[1]}`)
		case 3:
			e.Value, e.As = d.Raw[f.Start:f.End], fmt.Sprintf("renamed %d", i)
		}
		edits = append(edits, e)
	}
	if plan>>62&1 == 1 {
		edits = append(edits, Edit{Name: "added \"1\"", Value: []byte("1")})
	}
	if plan>>63 == 1 {
		edits = append([]Edit{{Name: "added 2", Value: []byte(`"}"`)}, {Name: "never there"}}, edits...)
	}
	return edits
}

func FuzzDocument_Splice(f *testing.F) {
	for _, seed := range scanSeeds {
		f.Add([]byte(seed), uint64(0))
		f.Add([]byte(seed), ^uint64(0))
		f.Add([]byte(seed), uint64(0x4000000000000001))
		f.Add([]byte(seed), uint64(0x5555555555555555))
	}
	f.Add([]byte(`{ "a" : 1 , "b":"," ,"c":{ "d":2 } , "e":[] }`), uint64(0b01_10_01_01))
	f.Add([]byte(`{ "a" : 1 , "b":"," ,"c":{ "d":2 } , "e":[] }`), uint64(0b11_01_00_01))
	f.Fuzz(func(t *testing.T, raw []byte, plan uint64) {
		var d Document
		if d.Scan(raw, nil) != nil {
			return
		}
		before, _ := reference(raw)
		edits := spliceEdits(&d, plan)
		out := d.Splice(nil, edits...)
		got, ok := reference(out)
		if !ok {
			t.Fatalf("splice %q by %q gave invalid %q", raw, edits, out)
		}
		if want := edited(before, edits); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("splice %q by %q\n got %q\nwant %q", raw, edits, got, want)
		}
		if len(edits) == 0 && string(out) != string(raw) {
			t.Fatalf("splice without edits changed %q to %q", raw, out)
		}
		untouched(t, &d, edits, out)
		apart := spliced{large: 1}
		d.splice(&apart, edits)
		apart.cut()
		if joined := bytes.Join(apart.parts, nil); !bytes.Equal(joined, out) {
			t.Fatalf("splice %q by %q gave %q, in parts %q", raw, edits, out, apart.parts)
		}
	})
}

// untouched checks that where members only change their values, all other bytes are the same
// bytes in the same order.
func untouched(t *testing.T, d *Document, edits []Edit, out []byte) {
	t.Helper()
	value := map[string][]byte{}
	for _, e := range edits {
		if e.Value == nil || e.As != "" || d.Field(e.Name) == nil {
			return
		}
		value[e.Name] = e.Value
	}
	var want []byte
	pos := 0
	for _, f := range d.Fields {
		if v, ok := value[f.Name]; ok {
			want = append(append(want, d.Raw[pos:f.Start]...), v...)
			pos = f.End
		}
	}
	if want = append(want, d.Raw[pos:]...); string(want) != string(out) {
		t.Fatalf("splice %q by %q touched other bytes\n got %q\nwant %q", d.Raw, edits, out, want)
	}
}

func TestDocument_Splice_deterministic(t *testing.T) {
	d := scanned(t, `{"a":1,"b":2,"c":3,"d":4}`)
	edits := []Edit{{Name: "z", Value: []byte("1")}, {Name: "d", Value: []byte("1")}, {Name: "y", Value: []byte("2")}, {Name: "a"}}
	first := string(d.Splice(nil, edits...))
	for range 50 {
		if again := string(d.Splice(nil, edits...)); again != first {
			t.Fatalf("equal input gave %s, then %s", first, again)
		}
	}
}

func BenchmarkDocument_Splice(b *testing.B) {
	raw := body(8_400)
	var d Document
	if err := d.Scan(raw, nil); err != nil {
		b.Fatal(err)
	}
	edits := []Edit{{Name: "model", Value: []byte(`"m"`)}, {Name: "stream_options", Value: []byte(`{"include_usage":true}`)}}
	var out []byte
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		out = d.Splice(out[:0], edits...)
	}
}
