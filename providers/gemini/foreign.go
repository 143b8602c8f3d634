package gemini

import (
	"encoding/base64"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// Seals of other minters travel through clients in thoughtSignature, which Google's clients keep
// with its part: as base64, since some of them read it as bytes, of a mark and a JSON object.
// The mark has a length that base64 gives an end of its own.
const (
	foreignPlain = "aistrale:"
	foreignMark  = "YWlzdHJhbGU6"
)

// unsigned is noSignature for clients that read a signature as bytes.
const unsigned = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="

// carried gives a seal as a client carries it. length is how many bytes of text it seals, which
// may stand in parts before it.
func carried(s *providers.Seal, length int) string {
	if s.Minter == Language && s.Encrypted == "" {
		return s.Signature
	}
	w := body{b: []byte(foreignPlain + "{")}
	w.field("minter", s.Minter)
	for _, f := range []struct{ name, value string }{{"signature", s.Signature}, {"encrypted", s.Encrypted}, {"id", s.ID}} {
		if f.value != "" {
			w.field(f.name, f.value)
		}
	}
	w.rawField("length", number(int64(length)))
	w.shut('}')
	return base64.StdEncoding.EncodeToString(w.b)
}

// recovered reads what a client carried: nil where it is nobody's seal. length is -1 for a seal
// of this API, which is of its own part only.
func recovered(signature string) (seal *providers.Seal, length int) {
	switch signature {
	case "", unsigned, noSignature:
		return nil, -1
	}
	if !strings.HasPrefix(signature, foreignMark) {
		return &providers.Seal{Minter: Language, Signature: signature}, -1
	}
	raw, err := base64.StdEncoding.DecodeString(signature)
	if err != nil || !providers.ValidJSON(raw[len(foreignPlain):]) {
		return nil, -1
	}
	v := gjson.ParseBytes(raw[len(foreignPlain):])
	seal = &providers.Seal{
		Minter: v.Get("minter").Str, Signature: v.Get("signature").Str, Encrypted: v.Get("encrypted").Str, ID: v.Get("id").Str,
	}
	if seal.Minter == "" || seal.Minter == Language {
		return nil, -1 // not one that we wrote
	}
	return seal, int(v.Get("length").Int())
}
