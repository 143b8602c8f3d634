package policy

import (
	"fmt"
	"slices"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// AdmitStored refuses calls about what a provider keeps ("files", "batches") to a key that may
// not make them: one that may use every model may, and one whose allow list names them; a deny
// list goes before both.
func AdmitStored(key *storage.Key, what string) error {
	why := ""
	switch {
	case lists(key.Deny, what):
		why = "are denied to"
	case !lists(key.Allow, what) && !slices.Contains(key.Models, "*"):
		why = "are not allowed for"
	default:
		return nil
	}
	return &providers.Fault{Kind: providers.FaultForbidden, NoRetry: true,
		Message: fmt.Sprintf("Calls about %s %s the key %q, which may not use every model; its allow list can name %q.", what, why, key.Name, what)}
}

// AdmitOwn is AdmitStored for what the gateway itself keeps, for a key that has its turns kept.
func AdmitOwn(key *storage.Key, what string) error {
	if !lists(key.Deny, what) {
		return nil
	}
	return AdmitStored(key, what)
}

// ReachesProvider reports whether the key's denials let it use what a provider keeps.
func ReachesProvider(key *storage.Key, provider string) bool {
	return (len(key.AllowProviders) == 0 || slices.Contains(key.AllowProviders, provider)) && !slices.Contains(key.DenyProviders, provider)
}
