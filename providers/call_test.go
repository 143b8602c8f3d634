package providers

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

// A large document's pieces stay where they are, and make up what Splice does.
func TestCall_Spliced(t *testing.T) {
	long := strings.Repeat("x", largeDocument)
	edits := []Edit{{Name: "model", Value: []byte(`"m"`)}, {Name: "gone"}, {Name: "new", Value: []byte("1")}}
	f := func(body string, form bool, parts int) {
		t.Helper()
		var doc Document
		if err := doc.Scan([]byte(body), nil); err != nil {
			t.Fatal(err)
		}
		call := Call{Doc: &doc, Path: "/p", Form: form, Room: Room{Body: make([]byte, 0, 10)}}
		r := call.Spliced(edits...)
		if r.Path != "/p" || r.Form != form || 1+len(r.Rest) != parts {
			t.Errorf("%.40s: %s, form %t, %d parts, want %d", body, r.Path, r.Form, 1+len(r.Rest), parts)
		}
		want := doc.Splice(nil, edits...)
		if size := r.Size(); size != len(want) {
			t.Errorf("%.40s: %d bytes, want %d", body, size, len(want))
		}
		copied := 0
		for _, part := range append([][]byte{r.Body}, r.Rest...) {
			if len(part) < largePiece {
				copied += len(part)
			}
		}
		if parts > 1 && copied > 200 {
			t.Errorf("%.40s: %d bytes were copied", body, copied)
		}
		if got := r.Whole(); !bytes.Equal(got, want) || len(r.Rest) > 0 || !bytes.Equal(r.Whole(), want) {
			t.Errorf("%.40s: %.80s, want %.80s", body, got, want)
		}
	}
	f(`{"model":"x","gone":1,"input":"short"}`, false, 1)
	f(`{"model":"x","gone":1,"input":"`+long+`"}`, false, 3)
	f(`{"input":"`+long+`","gone":1,"model":"x"}`, false, 3)
	f(`{"input":"`+long+`","model":"x","gone":1,"more":"`+long+`"}`, false, 5)
	f(`{"gone":"`+long+`","model":"x"}`, false, 1)
	f(`{"model":"x","input":"`+long+`"}`, true, 1)
}

func TestMaxOutput(t *testing.T) {
	f := func(limit, n *int64, want int64) {
		t.Helper()
		if got := MaxOutput(limit, n); got != want {
			t.Errorf("MaxOutput(%v, %v) = %d, want %d", limit, n, got, want)
		}
	}
	f(nil, nil, 0)
	f(nil, new(int64(3)), 0)
	f(new(int64(0)), nil, 0)
	f(new(int64(-5)), nil, 0)
	f(new(int64(100)), nil, 100)
	f(new(int64(100)), new(int64(0)), 100)
	f(new(int64(100)), new(int64(-2)), 100)
	f(new(int64(100)), new(int64(3)), 300)
	f(new(int64(math.MaxInt64)), nil, 1<<40)
	f(new(int64(math.MaxInt64)), new(int64(math.MaxInt64)), 1<<40)
	f(new(int64(5)), new(int64(math.MaxInt64)), 1<<40)
}
