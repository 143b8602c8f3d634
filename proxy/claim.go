package proxy

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// settleObjects writes down what a good reply says of stored objects, before the client can see
// any of it: an object that nobody wrote down belongs to nobody, and is lost to its maker.
func (f *flight) settleObjects() error {
	if err := f.keepRecord(); err != nil {
		return unfinished(err)
	}
	s := f.endpoint.Stored
	if s == nil || !f.reply.whole || f.recollection.hit || !f.endpoint.About() && !f.rec.Exact {
		return nil // what is translated, no provider keeps
	}
	if err := f.claim(f.made(f.target.account, f.scratch), f.scratch); err != nil {
		return err
	}
	f.scratch = f.link(f.scratch)
	if s.Hands != nil {
		return f.hand(s.Hands)
	}
	if s.Deletes && len(f.held) > 0 {
		return f.g.objects.release(f.held[0])
	}
	return nil
}

// claimEvent does so for an event of a stream, which goes through in the provider's words.
func (f *flight) claimEvent(event []byte, first bool) error {
	s := f.endpoint.Stored
	if s == nil || !first && !slices.ContainsFunc(s.Marks, func(mark string) bool { return bytes.Contains(event, []byte(mark)) }) {
		return nil
	}
	var all []storage.Object
	for i := range s.Makes {
		for _, at := range s.Makes[i].Events {
			all = f.appendMade(all, &s.Makes[i], f.target.account, []byte(gjson.GetBytes(event, at).Raw))
		}
	}
	all = slices.DeleteFunc(all, func(o storage.Object) bool { return slices.Contains(f.claimed, o.ID) })
	for i := range all {
		f.claimed = append(f.claimed, all[i].ID)
	}
	return f.claim(all, nil)
}

// claim writes objects down as the caller's, and has a batch looked at that has ended.
func (f *flight) claim(all []storage.Object, reply []byte) error {
	if len(all) == 0 {
		return nil
	}
	err := f.g.objects.claim(all...)
	if errors.Is(err, storage.ErrNotYours) {
		if all, err = f.withoutForeign(all); err == nil {
			err = f.g.objects.claim(all...)
		}
	}
	if err != nil {
		return err
	}
	if b := f.endpoint.Stored.Batch; b != nil {
		if ended, _ := b.State(reply); ended {
			f.g.batches.look()
		}
	}
	return nil
}

// withoutForeign leaves items out that are another workspace's, and stay so: a client may send back
// any item in full, and will see it listed in what it was sent in.
func (f *flight) withoutForeign(all []storage.Object) ([]storage.Object, error) {
	var left []storage.Object
	for i := range all {
		mine, known, err := f.g.objects.find(f.key.Workspace, all[i].ID)
		if err != nil {
			return nil, err
		}
		here := func(o storage.Object) bool { return o.At(all[i].Provider, all[i].Credential) }
		if all[i].Kind != providers.ObjectItem || !known || slices.ContainsFunc(mine, here) {
			left = append(left, all[i])
		}
	}
	return left, nil
}

// made gives the objects that an account's reply tells of.
func (f *flight) made(a *Account, reply []byte) []storage.Object {
	var all []storage.Object
	for i := range f.endpoint.Stored.Makes {
		all = f.appendMade(all, &f.endpoint.Stored.Makes[i], a, reply)
	}
	return all
}

func (f *flight) appendMade(all []storage.Object, m *providers.Made, a *Account, reply []byte) []storage.Object {
	if m.Unless != "" && string(f.doc.Value(m.Unless)) == "false" {
		return all
	}
	for _, id := range appendIDs(nil, gjson.GetBytes(reply, m.ID)) {
		if slices.ContainsFunc(all, func(o storage.Object) bool { return o.ID == id }) {
			continue
		}
		o := f.object(a, m.Kind, id)
		o.Owed = m.Owed
		o.Parent = f.parent(m.Parent, reply)
		if m.Bytes != "" {
			o.Bytes = max(0, gjson.GetBytes(reply, m.Bytes).Int())
		}
		if m.Expires != "" {
			o.ExpiresAt = expiry(gjson.GetBytes(reply, m.Expires))
		}
		all = append(all, o)
	}
	return all
}

// parent gives the id that Made.Parent leads to.
func (f *flight) parent(at string, reply []byte) string {
	if name, ok := strings.CutPrefix(at, "{"); ok {
		return f.endpoint.Stored.Prefix + f.vars.get(strings.TrimSuffix(name, "}"))
	}
	if at == "" {
		return ""
	}
	return gjson.GetBytes(reply, at).Str
}

// appendIDs takes the ids out of what a path of gjson leads to: one, or arrays of them.
func appendIDs(ids []string, said gjson.Result) []string {
	if said.IsArray() {
		for _, one := range said.Array() {
			ids = appendIDs(ids, one)
		}
		return ids
	}
	if said.Type == gjson.String && said.Str != "" {
		ids = append(ids, said.Str)
	}
	return ids
}

// expiry reads a time, nil where none is said.
func expiry(said gjson.Result) *time.Time {
	until, err := time.Parse(time.RFC3339, said.Str)
	if seconds := said.Int(); said.Type == gjson.Number && seconds > 0 {
		until, err = time.Unix(seconds, 0), nil
	}
	if err != nil {
		return nil
	}
	until = until.UTC()
	return &until
}

// object is one of the caller's at an account.
func (f *flight) object(a *Account, kind providers.ObjectKind, id string) storage.Object {
	return storage.Object{
		Provider: a.keeper(), Credential: a.Credential, ID: id, Kind: kind,
		Workspace: f.key.Workspace, Project: f.key.Project, Key: f.key.ID, KeyName: f.key.Name, User: f.key.Owner,
		CreatedAt: f.start,
	}.Stamp()
}
