package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// Target is one place a call can be sent to.
type Target struct {
	Provider string
	Model    string // the provider's own name of the model
	Weight   int    // 0 for targets that are tried in their order
}

// Name is the target's public name.
func (t Target) Name() string { return t.Provider + "/" + t.Model }

// Is reports whether name is the target's public name, without making it.
func (t Target) Is(name string) bool {
	n := len(t.Provider)
	return len(name) == n+1+len(t.Model) && name[:n] == t.Provider && name[n] == '/' && name[n+1:] == t.Model
}

// Router resolves public names of models. It is built whole and never changed.
type Router struct {
	aliases   map[string][]Target
	providers map[string][]string // the models each serves; empty: any
	owner     func(model string) (provider string, ok bool)
}

// NewRouter knows the given providers, with the models each serves (none named: any), and
// aliases; owner says which provider owns a bare name.
func NewRouter(served map[string][]string, aliases map[string][]Target, owner func(string) (string, bool)) *Router {
	return &Router{aliases: aliases, providers: served, owner: owner}
}

func (r *Router) serves(provider, model string) bool {
	models, ok := r.providers[provider]
	return ok && model != "" && (len(models) == 0 || slices.Contains(models, model))
}

// Resolve gives the targets of a public name in the order to try them. pick is a random number
// in [0, 1) that chooses among weighted targets.
func (r *Router) Resolve(name string, pick float64) ([]Target, error) {
	if err := CheckModelName(name); err != nil {
		return nil, providers.Invalid("model", err.Error())
	}
	if targets, ok := r.aliases[name]; ok {
		return order(targets, pick), nil
	}
	if provider, model, ok := strings.Cut(name, "/"); ok && r.serves(provider, model) {
		return []Target{{Provider: provider, Model: model}}, nil
	}
	if provider, ok := r.owner(name); ok && r.serves(provider, name) {
		return []Target{{Provider: provider, Model: name}}, nil
	}
	return nil, &providers.Fault{Kind: providers.FaultNoModel, Param: "model", NoRetry: true,
		Message: fmt.Sprintf("The model `%s` does not exist or you do not have access to it.", name)}
}

// order puts the weighted choice first and keeps the rest as fallbacks, in their order.
func order(targets []Target, pick float64) []Target {
	total := 0
	for _, t := range targets {
		total += t.Weight
	}
	if total == 0 {
		return targets
	}
	left := pick * float64(total)
	for i, t := range targets {
		if left -= float64(t.Weight); left < 0 {
			out := append(make([]Target, 0, len(targets)), t)
			return append(append(out, targets[:i]...), targets[i+1:]...)
		}
	}
	return targets
}

// MaxModelName bounds a model's name in bytes.
const MaxModelName = 256

// CheckModelName holds a name to the characters that providers use, so that it cannot leave
// its place in a path.
func CheckModelName(name string) error {
	if name == "" {
		return errors.New("you must provide a model parameter")
	}
	if len(name) > MaxModelName {
		return fmt.Errorf("the model name is longer than %d bytes", MaxModelName)
	}
	for i := range len(name) {
		c := name[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9'
		if !letter && strings.IndexByte("-._:/@+", c) < 0 {
			return fmt.Errorf("the model name has the character %q; letters, digits and -._:/@+ are allowed", c)
		}
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." || part == ".." {
			return errors.New("the model name has an empty or relative path segment")
		}
	}
	return nil
}
