package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// Allows reports whether patterns admit a model's public name: an alias, or provider/model.
// "*" admits all, "anthropic/*" what begins so.
func Allows(patterns []string, name string) bool {
	for _, p := range patterns {
		if p == "*" || p == name {
			return true
		}
		if prefix, ok := strings.CutSuffix(p, "*"); ok && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// AdmitModel refuses a model that the key may not use. asked is the client's name of it,
// targets what it stands for.
func AdmitModel(key *storage.Key, asked string, targets []Target) error {
	if Allows(key.Models, asked) {
		return nil
	}
	// A bare name of the catalogue is held against the patterns by its full name.
	if len(targets) == 1 && Allows(key.Models, targets[0].Name()) {
		return nil
	}
	return &providers.Fault{Kind: providers.FaultForbidden, NoRetry: true, Param: "model", Code: "model_not_found",
		Message: fmt.Sprintf("The key %q does not have access to the model `%s`.", key.Name, asked)}
}

// AdmitFields refuses governed fields that the key may not use: one that names a model must
// name models of the key, whichever target will read it; the others are open to a key that may
// use every model, and to one whose allow list names them or what they stand in.
func AdmitFields(key *storage.Key, hits []providers.Hit, targets []Target) error {
	for _, hit := range hits {
		if lists(key.Allow, hit.Rule.Path) {
			continue
		}
		if hit.Rule.Effect == providers.NamesModel {
			if name, ok := foreign(key, hit, targets); ok {
				return denied(key, hit.Rule, fmt.Sprintf("names the model %q, which the key may not use", name))
			}
			continue
		}
		if hit.Rule.Effect == providers.ChangesPrice {
			continue // priced; denied only where a budget applies
		}
		if !slices.Contains(key.Models, "*") {
			return denied(key, hit.Rule, hit.Rule.Effect.String())
		}
	}
	return nil
}

// lists reports whether an allow list names a field, or a field that it stands in: "tools" is
// all of "tools.#.type".
func lists(allow []string, path string) bool {
	return slices.ContainsFunc(allow, func(field string) bool {
		rest, ok := strings.CutPrefix(path, field)
		return ok && (rest == "" || rest[0] == '.')
	})
}

func foreign(key *storage.Key, hit providers.Hit, targets []Target) (string, bool) {
	for _, name := range hit.Names() {
		for _, t := range targets {
			if !mayName(key, name, t.Provider) {
				return name, true
			}
		}
	}
	return "", false
}

// mayName holds a name that a provider will read against the key's models. One with a slash is
// that provider's own, even where it looks like another provider's: "openai/gpt-5" in a body
// for openrouter.
func mayName(key *storage.Key, name, provider string) bool {
	return Allows(key.Models, provider+"/"+name) || !strings.Contains(name, "/") && Allows(key.Models, name)
}

func denied(key *storage.Key, rule *providers.Governed, why string) error {
	return &providers.Fault{Kind: providers.FaultForbidden, NoRetry: true, Param: rule.Path,
		Message: fmt.Sprintf("The field '%s' %s; the key %q is not allowed to use it.", rule.Path, why, key.Name)}
}
