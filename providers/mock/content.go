package mock

import (
	"strings"
	"unicode/utf8"
)

// pieceBytes is the longest piece of a text, in bytes. A piece counts as one token.
const pieceBytes = 16

// split cuts a text into pieces as a tokenizer would: before each space, and never inside a
// character.
func split(text string) []string {
	pieces := make([]string, 0, len(text)/5+1)
	for len(text) > 0 {
		end := pieceEnd(text)
		pieces = append(pieces, text[:end])
		text = text[end:]
	}
	return pieces
}

func pieceEnd(text string) int {
	end := len(text)
	if space := strings.IndexByte(text[1:], ' '); space >= 0 {
		end = space + 1
	}
	if end <= pieceBytes {
		return end
	}
	end = pieceBytes
	for end > 1 && !utf8.RuneStart(text[end]) {
		end--
	}
	return end
}

const prose = "The mock provider answers with as many pieces as were asked for, one after the other, " +
	"so that each event of a stream carries about a word. It begins again when it has come to its end. "

// filler gives n pieces of prose.
func filler(n int64) []string {
	words := split(prose)
	pieces := make([]string, n)
	for i := range pieces {
		pieces[i] = words[i%len(words)]
	}
	return pieces
}

// clip shortens a text to about n bytes, never inside a character.
func clip(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n] + "…"
}
