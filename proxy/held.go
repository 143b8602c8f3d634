package proxy

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// maxNamed bounds how many stored objects a call may name: each may be a question to the store.
const maxNamed = 1024

// keeper is the name under which the account's stored objects are written down.
func (a *Account) keeper() string { return cmp.Or(a.Keeper, a.Name) }

// keeps reports whether the account is the one that keeps an object.
func (a *Account) keeps(o *storage.Object) bool { return o.At(a.keeper(), a.Credential) }

// findHeld finds the stored objects that a call names, in its path and at any depth of its body: all
// must be of the caller's workspace, and of one account. A call that names none asks nobody.
func (f *flight) findHeld() error {
	if s := f.endpoint.Stored; s != nil {
		for i := range f.vars.names {
			if name := string(f.vars.values[i]); name == "." || name == ".." { // no id, and no path of an upstream's
				return noObject(name, f.vars.names[i])
			}
		}
		for _, name := range s.Names {
			if err := f.findOne(s.Prefix+f.vars.get(name), name); err != nil {
				return err
			}
		}
	}
	return f.findNamed(f.doc.Hits)
}

// findNamed finds the objects that governed fields name.
func (f *flight) findNamed(hits []providers.Hit) error {
	for i := range hits {
		hit := &hits[i]
		if hit.Rule.Effect != providers.NamesObject {
			continue
		}
		for _, id := range hit.Objects() {
			if err := f.findOne(id, hit.Rule.Path); err != nil {
				return err
			}
		}
	}
	return nil
}

// findOne finds one object. param is where the client named it.
func (f *flight) findOne(id, param string) error {
	same := func(o storage.Object) bool { return o.ID == id }
	if slices.ContainsFunc(f.held, same) || slices.ContainsFunc(f.heldHere, same) {
		return nil
	}
	if len(f.held)+len(f.heldHere) == maxNamed {
		return providers.Invalid(param, fmt.Sprintf("The request names more than %d stored objects.", maxNamed))
	}
	if len(id) > storage.MaxObjectID {
		return noObject(id, param)
	}
	mine, known, err := f.g.objects.find(f.key.Workspace, id)
	if err != nil {
		return err
	}
	if !known && f.endpoint.Op.Makes() && f.state.Keys.Sole() {
		return nil // made beside the gateway, in an account that nobody else uses
	}
	if len(mine) > 1 { // two accounts gave one id: the call goes where its other objects are, or as it says
		want := f.wantedProvider()
		mine = slices.DeleteFunc(slices.Clone(mine), func(o storage.Object) bool {
			return want != "" && o.Provider != want || len(f.held) > 0 && !o.At(f.held[0].Provider, f.held[0].Credential)
		})
		if len(mine) > 1 {
			return providers.Invalid(param, "Several providers keep an object of the id '"+clean([]byte(id))+"'; "+sayProvider)
		}
	}
	if len(mine) == 0 {
		return noObject(id, param)
	}
	if mine[0].Provider == storage.GatewayKeeper {
		f.heldHere = append(f.heldHere, mine[0]) // it goes wherever the call does
		return nil
	}
	if len(f.held) > 0 && !mine[0].At(f.held[0].Provider, f.held[0].Credential) {
		return providers.Invalid(param, fmt.Sprintf("The objects '%s' and '%s' are kept by different accounts, so no call can use both.",
			clean([]byte(f.held[0].ID)), clean([]byte(id))))
	}
	f.held = append(f.held, mine[0])
	return nil
}

// noObject is what a client hears of an object that is not there, or not its workspace's.
func noObject(id, param string) error {
	return &providers.Fault{Kind: providers.FaultNoModel, Code: "not_found", Param: param, NoRetry: true,
		Message: "No such object: '" + clean([]byte(id)) + "'."}
}

// keepHeld leaves the places that can use the objects that the call names.
func (f *flight) keepHeld(places []target) ([]target, error) {
	if len(f.held) == 0 {
		return places, nil
	}
	o := &f.held[0]
	f.passOverPlaces(places, func(t *target) bool { return !t.account.keeps(o) }, storage.FateObjects)
	left := slices.DeleteFunc(places, func(t target) bool { return !t.account.keeps(o) })
	if len(left) > 0 {
		return left, nil
	}
	return nil, &providers.Fault{Kind: providers.FaultInvalid, Param: "model", NoRetry: true,
		Message: fmt.Sprintf("The object '%s' is kept by the provider %q, which does not serve the model `%s` by the same account.",
			clean([]byte(o.ID)), o.Provider, f.rec.Asked)}
}
