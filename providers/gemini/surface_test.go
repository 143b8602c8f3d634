package gemini_test

import (
	"fmt"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/gemini"
)

// Pages of the models follow each other without a gap, also where a model has gone in between.
func TestSurface_Pages(t *testing.T) {
	var models []providers.ListedModel
	for i := range 7 {
		models = append(models, providers.ListedModel{ID: fmt.Sprintf("mock/m%d", i), OwnedBy: "mock"})
	}
	list := endpoint(t, "/v1beta/models").List
	page := func(models []providers.ListedModel, size, token string) gjson.Result {
		out := list(nil, models, func(name string) string {
			return map[string]string{"pageSize": size, "pageToken": token}[name]
		})
		if !gjson.ValidBytes(out) {
			t.Fatalf("%s", out)
		}
		return gjson.ParseBytes(out)
	}
	var names []string
	token := ""
	for range 3 {
		got := page(models, "3", token)
		for _, m := range got.Get("models.#.name").Array() {
			names = append(names, m.Str)
		}
		token = got.Get("nextPageToken").Str
	}
	if len(names) != 7 || names[6] != "models/mock/m6" || token != "" {
		t.Errorf("%q, then %q", names, token)
	}
	if got := page(models, "0", "").Get("models.#").Int(); got != 7 {
		t.Errorf("without a size: %d", got)
	}
}

func TestSurface_Model(t *testing.T) {
	out := endpoint(t, "/v1/models/{model}").Show(nil, &providers.ListedModel{
		ID: "gemini/gemini-2.5-pro", OwnedBy: "google", Can: providers.Capabilities{Context: 1048576, MaxOutput: 65536},
		Ops: []providers.Op{providers.OpChat, providers.OpCountTokens},
	})
	want := `{"name":"models/gemini/gemini-2.5-pro","displayName":"gemini/gemini-2.5-pro","description":"served by google",` +
		`"inputTokenLimit":1048576,"outputTokenLimit":65536,"supportedGenerationMethods":["generateContent","countTokens"]}`
	if string(out) != want {
		t.Errorf("%s", out)
	}
}

func endpoint(t *testing.T, path string) providers.Endpoint {
	t.Helper()
	for _, e := range gemini.Surface().Endpoints {
		if e.Path == path {
			return e
		}
	}
	t.Fatalf("no endpoint %s", path)
	return providers.Endpoint{}
}
