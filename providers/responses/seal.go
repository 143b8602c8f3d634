package responses

import (
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/providers"
)

// openaiMinter is whose reasoning stands in encrypted_content as it came.
const openaiMinter = "openai"

// sealTag begins an encrypted_content that the gateway wrote for another minter.
const sealTag = "aistrale:"

// sealJSON is another minter's seal as a reasoning item's encrypted_content carries it. Official
// clients send such items back as they came.
type sealJSON struct {
	Minter    string `json:"minter"`
	Signature string `json:"signature,omitempty"`
	Encrypted string `json:"encrypted,omitempty"`
	ID        string `json:"id,omitempty"`
	// On is what is sealed: "" the item's own reasoning, "before" the text or image before it,
	// "empty" a text of no characters, else the id of a call.
	On string `json:"on,omitempty"`
}

const (
	onBefore = "before"
	onEmpty  = "empty"
)

// packSeal says a seal as the encrypted_content of the item with the given id.
func packSeal(s *providers.Seal, id, on string) string {
	if s.Minter == openaiMinter && s.Signature == "" && (s.ID == "" || s.ID == id) && on == "" {
		return s.Encrypted
	}
	said := sealJSON{s.Minter, s.Signature, s.Encrypted, s.ID, on}
	if said.ID == id {
		said.ID = ""
	}
	b, err := json.Marshal(said)
	if err != nil { // of strings that are not UTF-8: no upstream sends them
		return ""
	}
	return sealTag + string(b)
}

// unpackSeal reads it back. What has no tag is OpenAI's own.
func unpackSeal(text, id string) (s *providers.Seal, on string) {
	if text == "" {
		return nil, ""
	}
	tagged, ok := strings.CutPrefix(text, sealTag)
	if !ok {
		return &providers.Seal{Minter: openaiMinter, Encrypted: text, ID: id}, ""
	}
	var said sealJSON
	if json.Unmarshal([]byte(tagged), &said) != nil || said.Minter == "" {
		return nil, ""
	}
	return &providers.Seal{Minter: said.Minter, Signature: said.Signature, Encrypted: said.Encrypted, ID: said.ID}, said.On
}
