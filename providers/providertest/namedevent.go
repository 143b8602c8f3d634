package providertest

import (
	"encoding/json"
	"strings"
)

// namedEvent takes a server-sent event apart whose data is an object and which has a name; false
// where it is none.
func namedEvent(event string) (name string, data map[string]any, ok bool) {
	name, text, ok := strings.Cut(event, "\n")
	name, named := strings.CutPrefix(name, "event: ")
	text, told := strings.CutPrefix(text, "data: ")
	if !ok || !named || !told {
		return name, nil, false
	}
	err := json.Unmarshal([]byte(text), &data)
	return name, data, err == nil
}
