package anthropic

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/providers"
)

// carrierTag begins the signature, or the data, of a thinking block in which a client carries
// the seal of another language's minter to the next turn. It stands for itself: Anthropic's own
// are base64, which has no dot.
const carrierTag = "aistrale."

// carrier is a seal on its way through the client, and which block it is of.
type carrier struct {
	Minter    string `json:"m,omitempty"`
	Signature string `json:"s,omitempty"`
	Encrypted string `json:"e,omitempty"`
	ID        string `json:"i,omitempty"`
	// Of is "" for the thinking block itself, ofBefore, ofEmpty, or ofCall and the call's id.
	Of string `json:"of,omitempty"`

	behind int // how many blocks stand before it
}

// What a seal is of that stands in a block of its own.
const (
	ofBefore = "before" // the block before it
	ofEmpty  = "empty"  // a text of no characters, which has no block
	ofCall   = "call:"
)

func carry(s *providers.Seal, of string) string {
	c := carrier{Of: of}
	if s != nil {
		c.Minter, c.Signature, c.Encrypted, c.ID = s.Minter, s.Signature, s.Encrypted, s.ID
	}
	raw, err := json.Marshal(&c)
	if err != nil { // text that is no UTF-8, which no decoder gives
		raw = nil
	}
	return carrierTag + base64.RawURLEncoding.EncodeToString(raw)
}

// readCarrier reads what carry wrote. What cannot be read, as of another gateway or cut off, is
// no carrier.
func readCarrier(said string) (c carrier, ok bool) {
	coded, ok := strings.CutPrefix(said, carrierTag)
	if !ok {
		return c, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(coded)
	if err != nil || json.Unmarshal(raw, &c) != nil {
		return carrier{}, false
	}
	return c, true
}

func (c *carrier) seal() *providers.Seal {
	if c.Minter == "" {
		return nil
	}
	return &providers.Seal{Minter: c.Minter, Signature: c.Signature, Encrypted: c.Encrypted, ID: c.ID}
}

// sealOf reads a thinking block's signature, or its data. One without our tag is Anthropic's.
func sealOf(signature, data string) *providers.Seal {
	said := signature + data
	if c, ok := readCarrier(said); ok {
		return c.seal()
	}
	if said == "" || strings.HasPrefix(said, carrierTag) {
		return nil
	}
	return &providers.Seal{Minter: Language, Signature: signature, Encrypted: data}
}

// giveBack puts carried seals on the blocks that they are of. One whose block is gone is left.
func giveBack(blocks []providers.Block, carried []carrier) []providers.Block {
	for _, c := range slices.Backward(carried) {
		seal := c.seal()
		if id, call := strings.CutPrefix(c.Of, ofCall); call {
			for i := range blocks {
				if b := &blocks[i]; b.Kind == providers.KindToolCall && b.Call.ID == id {
					b.Seal = seal
				}
			}
			continue
		}
		switch {
		case seal == nil:
		case c.Of == ofEmpty:
			blocks = slices.Insert(blocks, c.behind, providers.Block{Kind: providers.KindText, Seal: seal})
		case c.Of == ofBefore && c.behind > 0 && blocks[c.behind-1].Seal == nil:
			blocks[c.behind-1].Seal = seal
		}
	}
	return blocks
}
