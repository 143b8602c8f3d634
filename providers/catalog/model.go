package catalog

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/providers"
)

// A Model is what the catalogue knows of one model of one provider.
type Model struct {
	Provider   string                 `json:"provider"`
	ID         string                 `json:"id"`                  // as the upstream spells it
	Released   string                 `json:"released,omitempty"`  // a date, YYYY-MM-DD or YYYY-MM
	Deprecated bool                   `json:"deprecated,omitzero"` // withdrawn, or about to be
	Input      []string               `json:"input"`               // text, image, audio, video, pdf
	Output     []string               `json:"output,omitempty"`    // empty where nobody said
	Can        providers.Capabilities `json:"can,omitzero"`
	Source     string                 `json:"source"`  // a Source's name
	Checked    string                 `json:"checked"` // when the facts were read, YYYY-MM-DD
}

// A Source is where facts of the catalogue come from.
type Source struct {
	Name    string `json:"name"`
	From    string `json:"from"`
	Commit  string `json:"commit,omitempty"`
	Date    string `json:"date"`
	Licence string `json:"licence,omitempty"`
}

// A ModelFile is the embedded file: models sorted by provider and id, and where the facts are
// from. The generator beside this package writes it.
type ModelFile struct {
	Sources []Source `json:"sources"`
	Models  []Model  `json:"models"`
}

//go:embed models.json
var modelsJSON []byte

// shelf holds the models by every name they answer to. It is built once and never changes.
type shelf struct {
	models []Model
	// named maps a provider and a name (the id, and the id without its date) to a model.
	named map[string]map[string]*Model
	// owner maps a bare name to its provider, "" where several have it.
	owner map[string]string
}

var stock = sync.OnceValue(func() *shelf {
	var file ModelFile
	if err := json.Unmarshal(modelsJSON, &file); err != nil {
		panic(fmt.Sprintf("catalog: the embedded models.json: %v", err)) // a build that no test has seen
	}
	return newShelf(append(file.Models, mockModels()...))
})

func newShelf(models []Model) *shelf {
	s := &shelf{models: models, named: map[string]map[string]*Model{}, owner: map[string]string{}}
	for i := range s.models {
		m := &s.models[i]
		m.Can.Known = true
		if s.named[m.Provider] == nil {
			s.named[m.Provider] = map[string]*Model{}
		}
		s.named[m.Provider][m.ID] = m
		s.own(m.ID, m.Provider)
	}
	for i := range s.models {
		s.nameUndated(&s.models[i])
	}
	return s
}

// nameUndated lets a dated model answer to its name without the date; of several the newest
// answers, and a model of that very name before all.
func (s *shelf) nameUndated(m *Model) {
	base := undated(m.ID)
	if base == m.ID {
		return
	}
	old := s.named[m.Provider][base]
	if old != nil && (old.ID == base || old.Released >= m.Released) {
		return
	}
	s.named[m.Provider][base] = m
	s.own(base, m.Provider)
}

func (s *shelf) own(name, provider string) {
	if provider == mockName {
		return // the emulator's short names must not shadow anybody's
	}
	if had, ok := s.owner[name]; ok && had != provider {
		provider = ""
	}
	s.owner[name] = provider
}

// find resolves a name by its longest known prefix that ends where a word ends, so that a
// dated, tagged or suffixed name ("gpt-4o-mini-2024-07-18", "org/model:fastest") finds its
// model. A version is no suffix: claude-opus-4-9 is not claude-opus-4, and nothing is known
// of it.
func (s *shelf) find(provider, name string) *Model {
	names := s.named[provider]
	if provider == "gemini" {
		name = strings.TrimPrefix(name, "models/")
	}
	for name != "" {
		if m := names[name]; m != nil {
			return m
		}
		at := max(0, strings.LastIndexAny(name, "-:@"))
		if tail := name[at:]; len(tail) == 2 && allDigits(tail[1:]) {
			return nil
		}
		name = name[:at]
	}
	return nil
}

// Capabilities gives what is known of a provider's model; the zero value where nothing is.
func Capabilities(provider, model string) providers.Capabilities {
	if m := stock().find(maker(provider, model)); m != nil {
		return m.Can
	}
	return providers.Capabilities{}
}

// Owner names the provider of a model that a client named without one. It knows a model's id
// and its dated forms; a name that several providers use has no owner.
func Owner(model string) (provider string, ok bool) {
	s := stock()
	for _, name := range [...]string{model, undated(model)} {
		if provider = s.owner[name]; provider != "" {
			return provider, true
		}
	}
	return "", false
}

// Models lists a provider's models by id, without the deprecated ones, which are still served
// by name.
func Models(provider string) []Model {
	var list []Model
	for _, m := range stock().models {
		if m.Provider == provider && !m.Deprecated {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b Model) int { return strings.Compare(a.ID, b.ID) })
	return list
}

// undated takes a date, a serial number or "latest" off the end of a model's name:
// claude-sonnet-4-5-20250929, gpt-4o-2024-08-06, gpt-4-0613, gemini-2.0-flash-001.
func undated(name string) string {
	if base, ok := strings.CutSuffix(name, "-latest"); ok {
		return base
	}
	base := name
	for digits := 0; ; {
		at := strings.LastIndexByte(base, '-')
		if at <= 0 || !allDigits(base[at+1:]) {
			break
		}
		digits += len(base) - at - 1
		base = base[:at]
		if digits == 8 { // YYYYMMDD or YYYY-MM-DD
			return base
		}
	}
	at := strings.LastIndexByte(name, '-')
	if at > 0 && allDigits(name[at+1:]) && (len(name)-at == 4 || len(name)-at == 5) {
		return name[:at]
	}
	return name
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
