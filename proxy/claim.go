package proxy

import (
	"time"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// settleObjects writes down what a good reply says of stored objects, before the client can see
// any of it: an object that nobody wrote down belongs to nobody, and is lost to its maker.
func (f *flight) settleObjects() error {
	s := f.endpoint.Stored
	if s == nil || !f.reply.whole || f.recollection.hit || !f.endpoint.About() && !f.rec.Exact {
		return nil // what is translated, no provider keeps
	}
	if err := f.claim(f.made(f.target.account, f.scratch), f.scratch); err != nil {
		return err
	}
	if s.Deletes && len(f.held) > 0 {
		return f.g.objects.release(f.held[0])
	}
	return nil
}

// claimFirst does so for the first event of a stream, which went through in the provider's words.
func (f *flight) claimFirst(event []byte) error {
	s := f.endpoint.Stored
	if s == nil {
		return nil
	}
	for i := range s.Makes {
		if at := s.Makes[i].Event; at != "" {
			reply := []byte(gjson.GetBytes(event, at).Raw)
			return f.claim(f.made(f.target.account, reply), reply)
		}
	}
	return nil
}

// claim writes objects down as the caller's, and has a batch looked at that has ended.
func (f *flight) claim(all []storage.Object, reply []byte) error {
	if len(all) == 0 {
		return nil
	}
	if err := f.g.objects.claim(all...); err != nil {
		return err
	}
	if b := f.endpoint.Stored.Batch; b != nil {
		if ended, _ := b.State(reply); ended {
			f.g.batches.look()
		}
	}
	return nil
}

// made gives the objects that an account's reply tells of.
func (f *flight) made(a *Account, reply []byte) []storage.Object {
	var all []storage.Object
	for i := range f.endpoint.Stored.Makes {
		m := &f.endpoint.Stored.Makes[i]
		if m.Unless != "" && string(f.doc.Value(m.Unless)) == "false" {
			continue
		}
		id := gjson.GetBytes(reply, m.ID)
		if id.Type != gjson.String || id.Str == "" {
			continue
		}
		o := f.object(a, m.Kind, id.Str)
		o.Owed = m.Owed
		if m.Within && len(f.held) > 0 {
			o.Parent = f.held[0].ID
		}
		if m.Bytes != "" {
			o.Bytes = max(0, gjson.GetBytes(reply, m.Bytes).Int())
		}
		if m.Expires != "" {
			if at := gjson.GetBytes(reply, m.Expires).Int(); at > 0 {
				until := time.Unix(at, 0).UTC()
				o.ExpiresAt = &until
			}
		}
		all = append(all, o)
	}
	return all
}

// object is one of the caller's at an account.
func (f *flight) object(a *Account, kind providers.ObjectKind, id string) storage.Object {
	return storage.Object{
		Provider: a.keeper(), Credential: a.Credential, ID: id, Kind: kind,
		Workspace: f.key.Workspace, Project: f.key.Project, Key: f.key.ID, KeyName: f.key.Name, User: f.key.Owner,
		CreatedAt: f.start,
	}.Stamp()
}
