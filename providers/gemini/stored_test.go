package gemini_test

import (
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/gemini"
)

func TestStoredPage(t *testing.T) {
	pages := map[string]func([]byte, *providers.ObjectPage) []byte{}
	for _, e := range gemini.Surface().Endpoints {
		if e.Stored != nil && e.Stored.Paging != nil {
			pages[e.Path] = e.Stored.Paging.Write
		}
	}
	if len(pages) != 4 {
		t.Fatalf("%d lists, want two at two versions", len(pages))
	}
	f := func(path, want string, page providers.ObjectPage) {
		t.Helper()
		if got := string(pages[path](nil, &page)); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	f("/v1beta/files", `{}`, providers.ObjectPage{})
	f("/v1beta/files", `{"files":[{"name":"files/a"}],"nextPageToken":"files/a"}`,
		providers.ObjectPage{Objects: [][]byte{[]byte(`{"name":"files/a"}`)}, First: "files/a", Last: "files/a", More: true})
	f("/v1/cachedContents", `{"cachedContents":[{"name":"cachedContents/a"},{"name":"cachedContents/b"}]}`,
		providers.ObjectPage{Objects: [][]byte{[]byte(`{"name":"cachedContents/a"}`), []byte(`{"name":"cachedContents/b"}`)}})
}

// Files and caches are known by whole names, as bodies say them.
func TestStoredNames(t *testing.T) {
	for _, e := range gemini.Surface().Endpoints {
		if !e.About() || len(e.Stored.Names) == 0 || e.Stored.Raw {
			continue
		}
		if want := map[providers.Op]string{providers.OpFiles: "files/", providers.OpCachedContents: "cachedContents/"}[e.Op]; e.Stored.Prefix != want {
			t.Errorf("%s %s has ids that begin with %q", e.Method, e.Path, e.Stored.Prefix)
		}
	}
}
