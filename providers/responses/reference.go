package responses

import (
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// itemField is where an item of the input has its id. It names another item where the item says
// nothing but that; else it is a part of what the client sends in full.
const itemField = "input.#.id"

// referred gives the id of the item that an item only names, "" where it says one itself.
func referred(item gjson.Result) string {
	if id := item.Get("id").Str; id != "" && refers(item) {
		return id
	}
	return ""
}

// refers reports whether an item with an id may be read as the name of another one, by any reader:
// its type says so under whatever spelling, or its exact names leave it open what else it is. The
// type of references and of messages may be left out, or be null.
//
// Source: https://github.com/openai/openai-openapi (ItemReferenceParam, EasyInputMessage).
func refers(item gjson.Result) bool {
	var named bool
	var kind, role, content said
	item.ForEach(func(name, value gjson.Result) bool {
		switch name.Str {
		case "type":
			kind |= saying(value.Str != "")
		case "role":
			role |= saying(value.Str != "")
		case "content":
			content |= saying(value.Type != gjson.Null)
		}
		named = strings.EqualFold(name.Str, "type") && value.Str == "item_reference"
		return !named
	})
	return named || kind != something && (role != something || content != something)
}

// said is what a member says, as bits: of members of one name, readers may take any.
type said uint8

const (
	something said = 1 << iota
	nothing
)

func saying(yes bool) said {
	if yes {
		return something
	}
	return nothing
}

func isReference(element []byte) bool { return refers(gjson.ParseBytes(element)) }

// keptElsewhere leaves out the items that the gateway itself keeps: they are found with its turns.
func keptElsewhere(id string) string {
	if _, _, own := providers.Owned(id); own {
		return ""
	}
	return id
}
