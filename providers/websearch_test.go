package providers

import (
	"slices"
	"testing"
)

func TestWebSearch(t *testing.T) {
	for _, kind := range []string{"web_search", "web_search_preview", "web_search_preview_2025_03_11", "web_search_2025_08_26", "web_search_20250305", "google_search", "googleSearch"} {
		if !WebSearch(kind) {
			t.Errorf("%s is no search", kind)
		}
	}
	for _, kind := range []string{"", "file_search", "web_fetch_20250910", "codeExecution", "web_searches"} {
		if WebSearch(kind) {
			t.Errorf("%s is a search", kind)
		}
	}
}

func TestTool_LostOptions(t *testing.T) {
	tool := Tool{Raw: []byte(`{"type":"web_search_20250305","name":"web_search","max_uses":3,"user_location":{},"allowed_domains":null}`)}
	if got := tool.LostOptions("user_location"); !slices.Equal(got, []string{"tools.max_uses"}) {
		t.Errorf("%q", got)
	}
	if got := (&Tool{Raw: []byte(`[]`)}).LostOptions(); got != nil {
		t.Errorf("%q", got)
	}
}
