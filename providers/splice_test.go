package providers

import (
	"encoding/json"
	"testing"
)

func TestDocument_Splice(t *testing.T) {
	f := func(body, want string, edits ...Edit) {
		t.Helper()
		var d Document
		if err := d.Scan([]byte(body), nil); err != nil {
			t.Fatalf("scan %s: %v", body, err)
		}
		got := string(d.Splice(nil, edits...))
		if got != want {
			t.Errorf("splice %s\n got %s\nwant %s", body, got, want)
		}
		if !json.Valid([]byte(got)) {
			t.Errorf("splice %s gave invalid JSON %s", body, got)
		}
	}
	model := Edit{Name: "model", Value: []byte(`"m"`)}
	f(`{"model":"a"}`, `{"model":"m"}`, model)
	f(` { "x" : 1 , "model" : "a" , "y":[ 1 ] } `, ` { "x" : 1 , "model" : "m" , "y":[ 1 ] } `, model)
	f(`{}`, `{"model":"m"}`, model)
	f(`{"mod\u0065l":"a"}`, `{"mod\u0065l":"m"}`, model)
	drop := func(n string) Edit { return Edit{Name: n} }
	f(`{"a":1,"b":2,"c":3}`, `{"a":1}`, drop("b"), drop("c"))
	f(`{"a":1,"b":2,"c":3}`, `{"c":3}`, drop("b"), drop("a"))
	f(`{"a":1,"b":2,"c":3}`, `{"b":2}`, drop("c"), drop("a"))
	f(`{"a":1, "b":2 , "c":3 }`, `{ }`, drop("c"), drop("a"), drop("b"))
	f(`{"a":1, "b":2 , "c":3 }`, `{ "d":4}`, drop("c"), drop("a"), drop("b"), Edit{Name: "d", Value: []byte("4")})
	f(`{"a":1,"b":2}`, `{"a":1,"z":2}`, Edit{Name: "b", As: "z", Value: []byte("2")})
}
