package anthropic_test

import (
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
)

func TestStoredPage(t *testing.T) {
	write := at(t, "GET", "/v1/files").Stored.Paging.Write
	f := func(want string, page providers.ObjectPage) {
		t.Helper()
		if got := string(write(nil, &page)); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	f(`{"data":[],"first_id":null,"last_id":null,"next_page":null,"has_more":false}`, providers.ObjectPage{})
	f(`{"data":[{"id":"a"},{"id":"b"}],"first_id":"a","last_id":"b","next_page":"b","has_more":true}`,
		providers.ObjectPage{Objects: [][]byte{[]byte(`{"id":"a"}`), []byte(`{"id":"b"}`)}, First: "a", Last: "b", More: true})
	f(`{"data":[{"id":"a"}],"first_id":"a","last_id":"a","next_page":null,"has_more":false}`,
		providers.ObjectPage{Objects: [][]byte{[]byte(`{"id":"a"}`)}, First: "a", Last: "a"})
}

// Each path names at most one object of the caller's, by its first variable.
func TestStoredEndpoints(t *testing.T) {
	for path, want := range map[string]string{
		"/v1/files/{file}": "file", "/v1/files/{file}/content": "file", "/v1/skills/{skill}/versions/{version}": "skill",
		"/v1/messages/batches/{batch}/results": "batch",
	} {
		if e := at(t, "GET", path); len(e.Stored.Names) != 1 || e.Stored.Names[0] != want || !e.About() {
			t.Errorf("%s names %q", path, e.Stored.Names)
		}
	}
	for op, want := range map[providers.Op]int{providers.OpFiles: 2, providers.OpSkills: 2, providers.OpBatches: 1} {
		if got := anthropic.StoredHeaders(op); len(got) != want || got[0].Name != "anthropic-version" {
			t.Errorf("%s has the headers %v", op, got)
		}
	}
}
