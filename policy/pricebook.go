package policy

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/storage"
)

// PriceBook knows what models cost. Its prices never change; it only remembers the names that
// it was asked for.
type PriceBook struct {
	rows  map[modelName][]*storage.Price // by the name in the price, those that go first first
	wild  map[string][]wildcard          // by provider, the longest first
	kinds map[string]Kind                // by provider

	mu    sync.Mutex // of who adds to found
	found atomic.Pointer[map[modelName]*Priced]
}

type modelName struct{ provider, model string }

// wildcard is a price's name that stands for any rest.
type wildcard struct {
	prefix string
	rows   []*storage.Price
}

// Priced are the prices that a model may be charged by, the one that goes first first.
type Priced struct{ rows []*storage.Price }

// NewPriceBook makes a book of price lists. Where several price the same model of the same
// provider, a later list goes before an earlier one, from its price's date on; of one list's
// the newest that has come into force counts, and of two from one date the later in the list.
func NewPriceBook(lists ...[]storage.Price) *PriceBook {
	b := &PriceBook{rows: map[modelName][]*storage.Price{}, wild: map[string][]wildcard{}}
	for _, list := range slices.Backward(lists) {
		rows := make([]*storage.Price, len(list))
		for i := range list {
			row := list[len(list)-1-i]
			rows[i] = &row
		}
		slices.SortStableFunc(rows, func(x, y *storage.Price) int { return y.From.Compare(x.From) })
		for _, row := range rows {
			n := modelName{row.Provider, row.Model}
			b.rows[n] = append(b.rows[n], row)
		}
	}
	for n, rows := range b.rows {
		if prefix, ok := strings.CutSuffix(n.model, "*"); ok {
			b.wild[n.provider] = append(b.wild[n.provider], wildcard{prefix, rows})
		}
	}
	for _, list := range b.wild {
		slices.SortFunc(list, func(x, y wildcard) int {
			return cmp.Or(cmp.Compare(len(y.prefix), len(x.prefix)), cmp.Compare(x.prefix, y.prefix))
		})
	}
	b.found.Store(&map[modelName]*Priced{})
	return b
}

// WithKinds says as what the catalogue and the lists know the providers of a configuration, by
// their names in it. It comes before the book is used.
func (b *PriceBook) WithKinds(kinds map[string]Kind) *PriceBook {
	b.kinds = kinds
	return b
}

// remembered bounds how many names a book remembers: clients can make names up.
const remembered = 512

// Find gives the prices of a provider's model by the name it was called by, or by the nearest
// name that is known; nil where none is. A wildcard counts where no name that is as long does.
func (b *PriceBook) Find(provider, model string) *Priced {
	p, ok := (*b.found.Load())[modelName{provider, model}]
	if !ok {
		p = b.resolve(provider, model)
		b.remember(modelName{strings.Clone(provider), strings.Clone(model)}, p)
	}
	return p
}

// resolve looks under the operator's own names first, then under those of the provider's kind.
func (b *PriceBook) resolve(provider, model string) *Priced {
	var p Priced
	own := Target{Provider: provider, Model: model}
	known := b.kinds[provider].Of(own)
	names := []Target{own, {Provider: provider, Model: known.Model}, known}
	for _, t := range slices.Compact(names) {
		b.gather(&p, t, known.Provider)
	}
	if len(p.rows) == 0 {
		return nil
	}
	return &p
}

// gather adds the prices that stand under the target's name, and under those that are as good
// with a provider of the kind.
func (b *PriceBook) gather(p *Priced, t Target, kind string) {
	provider, names := t.Provider, catalog.Candidates(kind, t.Model)
	for i, name := range names {
		p.rows = append(p.rows, b.rows[modelName{provider, name}]...)
		next := "" // what is tried after this name
		if i+1 < len(names) {
			next = names[i+1]
		}
		for _, w := range b.wild[provider] {
			if strings.HasPrefix(name, w.prefix) && (next == "" || len(w.prefix) > len(next)) {
				p.rows = append(p.rows, w.rows...)
			}
		}
	}
}

// tier is catalog.Tier of a provider by its name in the configuration.
func (b *PriceBook) tier(provider, word string) (tier string, known bool) {
	return catalog.Tier(b.kinds[provider].Of(Target{Provider: provider}).Provider, word)
}

// remember copies the map, which readers have without a lock; there are few names.
func (b *PriceBook) remember(n modelName, p *Priced) {
	b.mu.Lock()
	defer b.mu.Unlock()
	found := *b.found.Load()
	if len(found) >= remembered {
		found = nil
	}
	grown := make(map[modelName]*Priced, len(found)+1)
	maps.Copy(grown, found)
	grown[n] = p
	b.found.Store(&grown)
}

// At gives the price in force at a time; nil where none was.
func (p *Priced) At(at time.Time) *storage.Price {
	if p == nil {
		return nil
	}
	for _, row := range p.rows {
		if !row.From.After(at) {
			return row
		}
	}
	return nil
}
