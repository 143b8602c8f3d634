package openai

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/aistrale/aistrale/providers"
)

// callID makes the id of a call whose upstream gave none. It derives from the reply, so that
// the same reply always reads the same.
func callID(reply string, choice, index int) string {
	sum := sha256.Sum256([]byte(reply + "/" + strconv.Itoa(choice) + "/" + strconv.Itoa(index)))
	return "call_" + hex.EncodeToString(sum[:12])
}

// appendCall is one element of tool_calls; numbered as a stream wants it.
func (b *block) appendCall(dst []byte, numbered bool, arguments string) []byte {
	dst = append(dst, '{')
	if numbered {
		dst = strconv.AppendInt(append(dst, `"index":`...), int64(b.number), 10)
		dst = append(dst, ',')
	}
	dst = providers.AppendString(append(dst, `"id":`...), b.call.ID)
	if b.call.Custom {
		dst = append(dst, `,"type":"custom","custom":{"name":`...)
		dst = providers.AppendString(dst, b.call.Name)
		dst = append(dst, `,"input":`...)
	} else {
		dst = append(dst, `,"type":"function","function":{"name":`...)
		dst = providers.AppendString(dst, b.call.Name)
		dst = append(dst, `,"arguments":`...)
	}
	dst = append(providers.AppendString(dst, arguments), '}')
	return append(b.appendSeal(dst), '}')
}

// opener leads to a further piece of a call's arguments.
func (b *block) opener() string {
	if b.call.Custom {
		return `,"custom":{"input":`
	}
	return `,"function":{"arguments":`
}

func (b *block) signature() string {
	if b.seal == nil || b.seal.Minter != "gemini" {
		return ""
	}
	return b.seal.Signature
}

// appendSeal puts a call's signature where Google's compatible endpoint has it.
func (b *block) appendSeal(dst []byte) []byte {
	signature := b.signature()
	if signature == "" {
		return dst
	}
	dst = append(dst, `,"extra_content":{"google":{"thought_signature":`...)
	return append(providers.AppendString(dst, signature), "}}"...)
}

// appendMedia is the delta of one image or sound that the model made.
func (c *choice) appendMedia(dst []byte, b *block) []byte {
	if b.kind == providers.KindAudio {
		return b.appendAudio(append(dst, `"audio":`...), c.index)
	}
	return append(b.appendImage(append(dst, `"images":[`...)), ']')
}

// image reports what goes into a message's images, whatever type of file it is.
func (b *block) image() bool { return b.media != nil && b.kind != providers.KindAudio }

func (b *block) appendImage(dst []byte) []byte {
	dst = strconv.AppendInt(append(dst, `{"index":`...), int64(b.number), 10)
	dst = append(dst, `,"type":"image_url","image_url":{"url":`...)
	return append(providers.AppendString(dst, Address(b.media)), "}}"...)
}

func (b *block) appendAudio(dst []byte, choice int) []byte {
	id := b.media.FileID
	if id == "" {
		id = "audio_" + strconv.Itoa(choice) + "_" + strconv.Itoa(b.index)
	}
	dst = providers.AppendString(append(dst, `{"id":`...), id)
	dst = providers.AppendString(append(dst, `,"data":`...), b.media.Data)
	return append(dst, `,"transcript":"","expires_at":0}`...)
}

// appendAllMedia is message.images and message.audio of a whole reply.
func (c *choice) appendAllMedia(dst []byte) []byte {
	number := 0
	var audio *block
	for _, b := range c.blocks {
		switch {
		case b.media == nil:
		case b.kind == providers.KindAudio:
			audio = b
		default:
			if number == 0 {
				dst = append(dst, `,"images":[`...)
			} else {
				dst = append(dst, ',')
			}
			dst = b.appendImage(dst)
			number++
		}
	}
	if number > 0 {
		dst = append(dst, ']')
	}
	if audio != nil {
		dst = audio.appendAudio(append(dst, `,"audio":`...), c.index)
	}
	return dst
}

// Address gives media as a URL: its own, or its bytes.
func Address(m *providers.Media) string {
	if m.URL != "" || m.Data == "" {
		return m.URL
	}
	return "data:" + m.Type + ";base64," + m.Data
}
