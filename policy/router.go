package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
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
	aliases   map[string]*Alias
	providers map[string][]string // the models each serves; empty: any
	owner     func(model string) (provider string, ok bool)
}

// NewRouter knows the given providers, with the models each serves (none named: any), and
// aliases; owner says which provider owns a bare name.
func NewRouter(served map[string][]string, aliases map[string]*Alias, owner func(string) (string, bool)) *Router {
	return &Router{aliases: aliases, providers: served, owner: owner}
}

func (r *Router) serves(provider, model string) bool {
	models, ok := r.providers[provider]
	return ok && model != "" && (len(models) == 0 || slices.Contains(models, model))
}

// Resolve gives what a public name stands for: an alias, or one target with no rules of its own.
func (r *Router) Resolve(name string) (*Alias, error) { return r.ResolveIn(&Direct{}, name) }

// ResolveIn is Resolve with room for what it may have to make.
func (r *Router) ResolveIn(room *Direct, name string) (*Alias, error) {
	if err := CheckModelName(name); err != nil {
		return nil, providers.Invalid("model", err.Error())
	}
	if alias, ok := r.aliases[name]; ok {
		return alias, nil
	}
	if provider, model, ok := strings.Cut(name, "/"); ok && r.serves(provider, model) {
		return room.to(provider, model), nil
	}
	if provider, ok := r.owner(name); ok && r.serves(provider, name) {
		return room.to(provider, name), nil
	}
	return nil, &providers.Fault{Kind: providers.FaultNoModel, Param: "model", NoRetry: true,
		Message: fmt.Sprintf("The model `%s` does not exist or you do not have access to it.", name)}
}

// Direct is an alias of one target, in one piece.
type Direct struct {
	alias  Alias
	target [1]Target
}

func (d *Direct) to(provider, model string) *Alias {
	d.target = [1]Target{{Provider: provider, Model: model}}
	d.alias = Alias{Targets: d.target[:]}
	return &d.alias
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
			said, _ := utf8.DecodeRuneInString(name[i:])
			return fmt.Errorf("the model name has the character %q; letters, digits and -._:/@+ are allowed", said)
		}
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." || part == ".." {
			return errors.New("the model name has an empty or relative path segment")
		}
	}
	if storage.MaskBearers(name) != name { // it would stand in the ledger, and in a provider's log
		return errors.New("the model name holds a key")
	}
	return nil
}
