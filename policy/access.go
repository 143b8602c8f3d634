package policy

import (
	"fmt"
	"net/netip"
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

// denies is Allows without regard to case: some providers take a model's name in any.
func denies(patterns []string, name string) bool {
	for _, p := range patterns {
		prefix, open := strings.CutSuffix(p, "*")
		if strings.EqualFold(p, name) || open && len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
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
	return noAccess(key, asked)
}

// AdmitPrompt refuses a stored prompt that the key may not use, under any of the names that it is
// asked for by ("prompt/greeting", "prompt/greeting@staging"). What its model is, is judged by itself.
func AdmitPrompt(key *storage.Key, names ...string) error {
	allowed := false
	for _, name := range names {
		if denies(key.DenyModels, name) {
			return noAccess(key, names[0])
		}
		allowed = allowed || Allows(key.Models, name)
	}
	if !allowed {
		return noAccess(key, names[0])
	}
	return nil
}

// AdmitTargets gives those of a model's targets that the key may use, in their order, and
// refuses a model of which none is left. Where the key denies nothing it is targets itself.
func AdmitTargets(key *storage.Key, asked string, targets []Target) ([]Target, error) {
	if err := AdmitModel(key, asked, targets); err != nil {
		return nil, err
	}
	if !narrowed(key) {
		return targets, nil
	}
	var left []Target
	if !denies(key.DenyModels, asked) {
		for _, t := range targets {
			if reaches(key, t) {
				left = append(left, t)
			}
		}
	}
	if len(left) == 0 {
		return nil, noAccess(key, asked)
	}
	return left, nil
}

// AdmitAddress refuses a client that is not where the key may be used. It does not tell from where
// that is.
func AdmitAddress(key *storage.Key, client netip.Addr) error {
	if len(key.AllowAddresses) == 0 || key.AllowAddresses.Contain(client) {
		return nil
	}
	return &providers.Fault{Kind: providers.FaultForbidden, NoRetry: true, Code: "address_not_allowed",
		Message: "This API key may not be used from this network address.", Cause: fmt.Errorf("allow_addresses of key %q has no %s", key.Name, client)}
}

// Lists reports whether a model belongs into the key's list of models. One that the router does
// not know is judged by its name.
func Lists(key *storage.Key, name string, router *Router) bool {
	if !Allows(key.Models, name) {
		return false
	}
	if !narrowed(key) {
		return true
	}
	alias, err := router.Resolve(name)
	return !denies(key.DenyModels, name) &&
		(err != nil || slices.ContainsFunc(alias.Targets, func(t Target) bool { return reaches(key, t) }))
}

func narrowed(key *storage.Key) bool {
	return len(key.DenyModels)+len(key.AllowProviders)+len(key.DenyProviders) > 0
}

// reaches reports whether the key's denials let it use a target.
func reaches(key *storage.Key, t Target) bool {
	return ReachesProvider(key, t.Provider) && !denies(key.DenyModels, t.Name())
}

func noAccess(key *storage.Key, asked string) error {
	return &providers.Fault{Kind: providers.FaultForbidden, NoRetry: true, Param: "model", Code: "model_not_found",
		Message: fmt.Sprintf("The key %q does not have access to the model `%s`.", key.Name, asked)}
}

// AdmitFields refuses governed fields that the key may not use: those that its deny list names,
// or what they stand in; one that names a model must name models of the key, whichever target
// will read it; the others are open to a key that may use every model, to one whose allow list
// names them or what they stand in, and where they name what is kept for the key itself.
func AdmitFields(key *storage.Key, hits []providers.Hit, targets []Target) error {
	for _, hit := range hits {
		if lists(key.Deny, hit.Rule.Path) {
			return denied(key, hit.Rule, "is denied")
		}
		if lists(key.Allow, hit.Rule.Path) || hit.Own {
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
	if denies(key.DenyModels, provider+"/"+name) || denies(key.DenyModels, name) {
		return false
	}
	return Allows(key.Models, provider+"/"+name) || !strings.Contains(name, "/") && Allows(key.Models, name)
}

func denied(key *storage.Key, rule *providers.Governed, why string) error {
	return &providers.Fault{Kind: providers.FaultForbidden, NoRetry: true, Param: rule.Path,
		Message: fmt.Sprintf("The field '%s' %s; the key %q is not allowed to use it.", rule.Path, why, key.Name)}
}
