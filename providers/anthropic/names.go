package anthropic

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// maxName is how long a tool's name may be.
const maxName = 128

// plain reports a character that the API takes in names and ids: ^[a-zA-Z0-9_-]+$.
func plain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

func allPlain(s string) bool {
	for i := range len(s) {
		if !plain(s[i]) {
			return false
		}
	}
	return s != ""
}

// toolName says a tool's name in the API's characters.
func toolName(name string) (string, error) {
	if name == "" {
		return "", providers.Invalid("tools", "a tool must have a name")
	}
	name = providers.PlainToolName(name)
	if len(name) > maxName {
		return "", providers.Invalid("tools", fmt.Sprintf("the tool name '%s' is longer than anthropic's %d characters", name, maxName))
	}
	return name, nil
}

// callID gives the id that a call is sent under: its own where the API takes it, else one made
// of it. Ids may come twice from upstreams that count anew in each turn, and the API wants them
// to differ over the whole conversation.
func (w *writer) callID(said string) string {
	id := said
	if !allPlain(id) {
		w.layout.made++
		id = "toolu_" + strings.Map(func(r rune) rune {
			if r < 0x80 && plain(byte(r)) {
				return r
			}
			return '_'
		}, said) + "_" + strconv.Itoa(w.layout.made)
	}
	if w.layout.ids == nil {
		w.layout.ids = map[string]int{}
	}
	ids, base := w.layout.ids, id
	for ids[id] > 0 {
		ids[base]++ // how often it came: the next one begins there, not at 2 again
		id = base + "_" + strconv.Itoa(ids[base])
	}
	ids[id]++
	return id
}
