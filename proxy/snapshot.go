package proxy

import (
	"iter"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/aistrale/aistrale/internal/outbound"
	"github.com/aistrale/aistrale/policy"
	prompts "github.com/aistrale/aistrale/policy/prompt"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// Snapshot is what a reload replaces: keys, names and accounts. It is built whole, never
// changed, and every request works on the one it began with.
type Snapshot struct {
	Keys     *policy.Keyring
	Router   *policy.Router
	Accounts map[string][]*Account // by provider, or by provider/model where they serve one model; never empty
	// Own has, by workspace, the accounts that serve its calls in the place of those in Accounts of
	// the same name.
	Own      map[string]map[string][]*Account
	Models   []providers.ListedModel // for the lists of models
	Prices   *policy.PriceBook
	Limits   *policy.Limits   // nil: nobody is limited
	Patience policy.Patience  // of calls that a limit refuses
	Regions  policy.Regions   // that workspaces are kept to
	Prompts  *prompts.Set     // that calls may name; nil: there are none
	Trusted  storage.Networks // proxies whose word on who the client is counts
	CORS     *CORS            // of pages in browsers; nil: none may call
	Debug    *Debug           // of which keys' calls all is logged; nil: of none
	// Keepers names by workspace who keeps the objects that its calls make, as Accounts does; one
	// that is not in it has no such rule.
	Keepers map[string]string

	known atomic.Pointer[map[loreOf]*lore] // at hand of the accounts' models
}

// Account is a provider with its credential and its connections. Several accounts of one
// provider have different credentials.
type Account struct {
	providers.Provider
	Credential string // its name, for records; unique among the provider's
	// Keeper is the name in Snapshot.Accounts under which its stored objects are written down; ""
	// is the provider's.
	Keeper string
	Weight int         // how large its share of the provider's calls is; where none has any, all are alike
	Kind   policy.Kind // as what the catalogue knows it
	Region string      // that workspaces may be kept to
	Tariff string      // the region whose prices hold, as they name it
	Secret storage.Secret
	// Tokens mint what is sent in place of the secret; nil: the secret itself is.
	Tokens TokenSource
	// NeedsKey is set where the provider wants a credential and there is none; KeyError says
	// why a stored one could not be opened.
	NeedsKey   bool
	KeyError   error
	Used       *Use // notes when the secret was sent last; nil: nobody asks
	Upstream   Upstream
	Way        *outbound.Way // by which sessions connect; nil: directly
	FirstByte  time.Duration // for the answer's first byte
	StreamIdle time.Duration // for the next byte of an answer
	Retry      policy.Retry
	Breaker    policy.Breaker
	// Sticky keeps calls at one of several accounts, where the model's alias says nothing.
	Sticky policy.Sticky
	// Can says what a model of the account can do.
	Can func(model string) providers.Capabilities
}

func (a *Account) can(model string) providers.Capabilities {
	if a.Can == nil {
		return providers.Capabilities{}
	}
	return a.Can(model)
}

// AllAccounts gives every account, whoever's calls it serves, in any order.
func (s *Snapshot) AllAccounts() iter.Seq[*Account] {
	return func(yield func(*Account) bool) {
		for _, of := range append(slices.Collect(maps.Values(s.Own)), s.Accounts) {
			for _, accounts := range of {
				for _, a := range accounts {
					if !yield(a) {
						return
					}
				}
			}
		}
	}
}

// routeOf gives how the account serves an operation for a model. Most have one way only, whatever
// the model.
func (a *Account) routeOf(op providers.Op, language, model string) (providers.Route, bool) {
	if len(a.Routes[op]) < 2 {
		return a.Route(op, language, model)
	}
	known := a.Kind.Of(policy.Target{Model: model}).Model
	return a.RouteIn(op, language, known, a.can(model).Languages)
}
