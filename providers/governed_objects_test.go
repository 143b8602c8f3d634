package providers

import (
	"slices"
	"strings"
	"testing"
)

// What an object is named by is found in whatever form the field takes.
func TestHitObjects(t *testing.T) {
	address := func(said string) string {
		_, id, _ := strings.Cut(said, "files/")
		return id
	}
	watch := NewWatch([]Governed{
		{Path: "id", Effect: NamesObject},
		{Path: "conversation", Effect: NamesObject, Members: []string{"id"}},
		{Path: "file", Effect: NamesObject, Members: []string{"uri"}, ID: address},
		{Path: "preset", Effect: NamesObject, Shared: true},
		{Path: "models", Effect: NamesModel},
	})
	f := func(body string, want ...string) {
		t.Helper()
		var doc Document
		if err := doc.Scan([]byte(body), watch); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, hit := range doc.Hits {
			got = append(got, hit.Objects()...)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s names %q, want %q", body, got, want)
		}
	}
	f(`{"id":"a"}`, "a")
	f(`{"ID":"\u0061"}`, "a")
	f(`{"id":["a","b","a"]}`, "a", "b")
	f(`{"id":{"x":["a"]},"preset":"p","models":["m"]}`, "a")
	f(`{"id":null}`)
	f(`{"conversation":"c"}`, "c")
	f(`{"conversation":{"type":"x","id":"c"}}`, "c")
	f(`{"conversation":{"Id":"c","I\u0064":"d"}}`, "c", "d") // two readers may differ
	f(`{"conversation":{"type":"x"}}`)
	f(`{"file":{"mime":"text/plain","uri":"https://x/files/a"}}`, "a")
	f(`{"file":{"mime":"text/plain","uri":"https://x/y"}}`)
}

// A path that two languages govern is read as strictly as the stricter of them wants.
func TestWatchJoinsObjects(t *testing.T) {
	loose := Governed{Path: "it", Effect: NamesObject, Members: []string{"id"}, Shared: true}
	strict := Governed{Path: "it", Effect: NamesObject, Members: []string{"name"}, ID: func(string) string { return "" }}
	for _, lists := range [][][]Governed{{{loose}, {strict}}, {{strict}, {loose}}} {
		var doc Document
		if err := doc.Scan([]byte(`{"it":{"id":"a","name":"b","other":"c"}}`), NewWatch(lists...)); err != nil {
			t.Fatal(err)
		}
		if got := doc.Hits[0].Objects(); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("got %q", got)
		}
	}
}
