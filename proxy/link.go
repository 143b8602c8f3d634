package proxy

import (
	"bytes"
	"net/url"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// link puts the gateway's own addresses in the place of those at the provider, where clients go
// with the key that they have here.
func (f *flight) link(reply []byte) []byte {
	for _, l := range f.endpoint.Stored.Links {
		at := gjson.GetBytes(reply, l.Field)
		if at.Type != gjson.String || at.Index == 0 {
			continue
		}
		own := f.ownAddress() + strings.ReplaceAll(l.Path, "{id}", gjson.GetBytes(reply, "id").String())
		reply = slices.Concat(reply[:at.Index], providers.AppendString(nil, own), reply[at.Index+len(at.Raw):])
	}
	return reply
}

// hand gives the client an address of the gateway's own to go on at, which is its workspace's.
func (f *flight) hand(h *providers.Handed) error {
	theirs, err := url.Parse(f.reply.handed)
	id := ""
	if err == nil {
		id = theirs.Query().Get(h.ID)
	}
	if id == "" || len(id) > storage.MaxObjectID {
		return &providers.Fault{Kind: providers.FaultUpstream, NoRetry: true, Cause: err,
			Message: "The provider gave no address at which the gateway could go on."}
	}
	o := f.object(f.target.account, h.Kind, id)
	until := f.start.Add(h.For)
	o.ExpiresAt = &until
	if err := f.claim([]storage.Object{o.Stamp()}, nil); err != nil {
		return err
	}
	own := f.ownAddress() + strings.ReplaceAll(h.Path, "{id}", url.PathEscape(id))
	f.reply.passed = append(f.reply.passed, providers.Header{Name: h.Header, Value: own})
	return nil
}

// ownAddress is where the client has reached the gateway, by way of a proxy perhaps.
func (f *flight) ownAddress() string {
	h := &f.fc.Request.Header
	scheme, host := "http", string(f.fc.Host())
	if f.fc.IsTLS() || bytes.EqualFold(h.Peek("x-forwarded-proto"), []byte("https")) {
		scheme = "https"
	}
	if said := h.Peek("x-forwarded-host"); len(said) > 0 && printable(said) {
		host = string(said)
	}
	return scheme + "://" + host
}
