package mock

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"hash"
)

// sealKey makes signatures that every instance of the mock can check. It guards nothing.
const sealKey = "the mock signs what it will want back unchanged"

// A chain signs a turn's blocks in order: each signature covers all parts added before it.
type chain struct{ mac hash.Hash }

func newChain(kind string) chain {
	c := chain{hmac.New(sha256.New, []byte(sealKey))}
	c.add(kind)
	return c
}

// add covers one part. The lengths keep "ab"+"c" from being "a"+"bc".
func (c chain) add(part string) {
	n := len(part)
	c.mac.Write([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
	c.mac.Write([]byte(part))
}

// seal gives the signature of all parts so far, as base64.
func (c chain) seal() string { return base64.StdEncoding.EncodeToString(c.mac.Sum(nil)) }

// sealed gives the signature of the parts alone.
func sealed(kind string, parts ...string) string {
	c := newChain(kind)
	for _, p := range parts {
		c.add(p)
	}
	return c.seal()
}

// token gives opaque bytes that show by themselves that the mock made them.
func token(kind, seed string) string {
	nonce := sealed("nonce", kind, seed)[:12]
	return nonce + sealed(kind, nonce)
}

// isToken reports whether the mock made the opaque bytes.
func isToken(kind, s string) bool {
	return len(s) > 12 && s[12:] == sealed(kind, s[:12])
}
