package proxy

import (
	"strconv"
	"strings"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
)

// Model is one entry of the models list.
type Model struct {
	ID      string // public name: an alias, or provider/model
	OwnedBy string
	Created int64 // Unix seconds, 0 where nobody says
}

// listModels answers GET /v1/models with what the key may use.
func (f *flight) listModels() error {
	b := append(f.scratch[:0], `{"object":"list","data":[`...)
	first := true
	for i := range f.state.Models {
		m := &f.state.Models[i]
		if !policy.Lists(f.key, m.ID, f.state.Router) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendModel(b, m)
	}
	f.answerOwn(append(b, `]}`...))
	return nil
}

// showModel answers GET /v1/models/{id}. A model that is not listed is shown too where the
// router knows it: the catalogue need not be complete.
func (f *flight) showModel() error {
	path := string(f.fc.Path())
	_, id, _ := strings.Cut(path, "/v1/models/")
	for i := range f.state.Models {
		if m := &f.state.Models[i]; m.ID == id && policy.Lists(f.key, id, f.state.Router) {
			f.answerOwn(appendModel(f.scratch[:0], m))
			return nil
		}
	}
	var targets []policy.Target
	alias, err := f.state.Router.Resolve(id)
	if err == nil {
		targets, err = policy.AdmitTargets(f.key, id, alias.Targets)
	}
	if err != nil {
		return &providers.Fault{Kind: providers.FaultNoModel, Param: "model", NoRetry: true,
			Message: "The model '" + clean([]byte(id)) + "' does not exist"}
	}
	f.answerOwn(appendModel(f.scratch[:0], &Model{ID: id, OwnedBy: targets[0].Provider}))
	return nil
}

func appendModel(b []byte, m *Model) []byte {
	b = providers.AppendString(append(b, `{"id":`...), m.ID)
	b = strconv.AppendInt(append(b, `,"object":"model","created":`...), m.Created, 10)
	b = providers.AppendString(append(b, `,"owned_by":`...), m.OwnedBy)
	return append(b, '}')
}

// answerOwn sends a reply that no upstream had a part in.
func (f *flight) answerOwn(body []byte) {
	f.scratch = body
	f.reply.whole, f.reply.contentType = true, "application/json"
	f.relay()
}
