package main_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/storage"
)

// Stored credentials that the configuration names share a provider's calls; one that is not
// stored is told of, and stops none of the others.
func TestCredentials_several(t *testing.T) {
	t.Parallel()
	up := newUpstream(t)
	p := newPlace(t, "AISTRALE_MASTER_KEY="+storage.NewMasterKey().Reveal())
	config := anywhere + "keys: [{name: ci, key: " + fullKey + "}]\nproviders:\n  - {name: up, dialect: openai, base_url: \"" + up.url + "\", "
	path := p.write(t, "aistrale.yaml", config+"api_key: none}\n")
	for name, secret := range map[string]string{"main": "secret-of-main-0123456789", "spare": "secret-of-spare-0123456789", "other": "secret-of-other-0123456789"} {
		p.must(t, secret, "credential", "add", name, "--provider", "up", "--config", path)
	}
	used := func(g *program, calls int) (secrets map[string]int) {
		t.Helper()
		secrets = map[string]int{}
		for range calls {
			if status, body := g.chat(t, fullKey, "up/one"); status != http.StatusOK {
				t.Fatalf("%d %s", status, body)
			}
			secrets[strings.TrimPrefix(up.last(), "Bearer ")]++
		}
		return secrets
	}
	g := p.serve(t, config+"credentials: [main, {name: spare}]}\n")
	if got := used(g, 40); len(got) != 2 || got["secret-of-main-0123456789"] == 0 || got["secret-of-spare-0123456789"] == 0 {
		t.Errorf("used %v", got)
	}
	p.write(t, "aistrale.yaml", config+"credentials: [spare, missing]}\n")
	g.says(t, `"credential":"missing","error":"providers: up: credentials: none named \"missing\" is stored for it"`)
	eventually(t, "the missing one is passed over", func() bool {
		got := used(g, 10)
		return len(got) == 1 && got["secret-of-spare-0123456789"] == 10
	})
	p.write(t, "aistrale.yaml", config+"api_keys: [{name: a, key: key-a-0123456789, weight: 1}, {name: b, key: key-b-0123456789, weight: 1}]}\n")
	eventually(t, "those of the file are used", func() bool {
		got := used(g, 20)
		return got["key-a-0123456789"] > 0 && got["key-b-0123456789"] > 0
	})
}
