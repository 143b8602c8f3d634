package proxy

import (
	"bytes"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
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
