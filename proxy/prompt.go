package proxy

import (
	"math/rand/v2"
	"strings"

	"github.com/aistrale/aistrale/policy"
	prompts "github.com/aistrale/aistrale/policy/prompt"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// usePrompt puts the stored prompt that a call names, as its model or in the member prompt, into the
// client's body: its messages before the client's, its model and its parameters where the client
// says none. From there on it is a call like any other.
func (f *flight) usePrompt() error {
	ref, asModel := prompts.Named(f.asked.Model)
	said := f.doc.Value("prompt")
	if !asModel && (len(said) == 0 || said[0] != '{') {
		return nil
	}
	if f.endpoint.Preface == nil {
		if asModel {
			return providers.Invalid("model", "A stored prompt can be used in chats only: `"+clean([]byte(f.asked.Model))+"` cannot be used on this endpoint.")
		}
		return nil
	}
	values, err := readPrompt(said, &ref, asModel)
	if err != nil || ref.Name == "" {
		return err
	}
	v, err := f.choosePrompt(ref)
	if err != nil {
		return err
	}
	messages, err := v.Render(values, "prompt.variables")
	if err != nil {
		return err
	}
	model := f.asked.Model
	if asModel || model == "" {
		model = v.Model
	}
	if model == "" {
		return providers.Invalid("model", "The prompt `"+v.Name+"` names no model. Name the prompt in the member `prompt`, and a model beside it.")
	}
	edits, err := f.promptEdits(v, messages, model)
	if err != nil {
		return err
	}
	return f.sayPrompt(edits, model)
}

// readPrompt reads the member prompt: {"id", "version", "variables"}. A call that names its prompt
// as its model has the variables only. ref stays without a name where the prompt is OpenAI's own.
func readPrompt(said []byte, ref *prompts.Ref, asModel bool) (variables []byte, err error) {
	if len(said) == 0 || said[0] == 'n' {
		return nil, nil
	}
	if said[0] != '{' {
		return nil, providers.Invalid("prompt", "invalid type for 'prompt': expected an object with the members id, version and variables")
	}
	var doc providers.Document
	if err := doc.Scan(said, nil); err != nil {
		return nil, err
	}
	id, _, err := doc.String("id")
	if err != nil {
		return nil, inPrompt(err)
	}
	version, err := promptVersion(&doc)
	if err != nil {
		return nil, inPrompt(err)
	}
	if asModel && (id != "" || version != "") {
		return nil, providers.Invalid("prompt", "The model names a prompt already, so 'prompt' may hold its variables only.")
	}
	if !asModel {
		if strings.HasPrefix(id, storage.ForeignPrompt) {
			return nil, nil
		}
		if *ref = prompts.ParseRef(id); version != "" {
			if ref.At != "" {
				return nil, providers.Invalid("prompt.version", "The prompt's id names a version already.")
			}
			ref.At = version
		}
	}
	return doc.Value("variables"), nil
}

// inPrompt says of a fault of a member of prompt where that stands.
func inPrompt(err error) error {
	out := *fault(err)
	out.Param = "prompt." + out.Param
	return &out
}

// promptVersion reads the version, which OpenAI's API has as a string.
func promptVersion(doc *providers.Document) (string, error) {
	if v := doc.Value("version"); len(v) > 0 && v[0] >= '0' && v[0] <= '9' {
		return string(v), nil
	}
	version, _, err := doc.String("version")
	return version, err
}

// choosePrompt finds the version of a prompt that is meant, as far as the key may use it. Where a label
// splits, a user always gets the same one, or else a session.
func (f *flight) choosePrompt(ref prompts.Ref) (*prompts.Version, error) {
	if err := policy.AdmitPrompt(f.key, prompts.Prefix+ref.Name, ref.String()); err != nil {
		return nil, err
	}
	p := f.state.Prompts.Find(f.key.Workspace, ref.Name)
	if p == nil {
		return nil, prompts.Unknown(ref)
	}
	sticky := rand.Uint64() //nolint:gosec // spreads calls, guards nothing
	switch {
	case f.rec.EndUser != "":
		sticky = policy.HashParts(f.rec.EndUser)
	case f.rec.Session != "":
		sticky = policy.HashParts(f.rec.Session)
	}
	v, err := p.Choose(ref.At, sticky)
	if err == nil {
		f.rec.Prompt = v.Name
	}
	return v, err
}

// promptEdits gives what makes of the client's body one that says the prompt.
func (f *flight) promptEdits(v *prompts.Version, messages []providers.Message, model string) ([]providers.Edit, error) {
	edits, err := f.endpoint.Preface(&f.doc, messages)
	if err != nil {
		return nil, err
	}
	if f.vars.model() == "" && model != f.asked.Model {
		edits = append(edits, providers.Edit{Name: "model", Value: providers.AppendString(nil, model)})
	}
	if f.doc.Field("prompt") != nil {
		edits = append(edits, providers.Edit{Name: "prompt"})
	}
	defaults, err := policy.Edits(&f.doc, f.endpoint, &v.Parameters)
	if err != nil {
		return nil, err
	}
	f.unsaid = policy.Unsaid(f.endpoint, &v.Parameters)
	return append(edits, defaults...), nil
}

// sayPrompt puts the edited body in the place of the client's.
func (f *flight) sayPrompt(edits []providers.Edit, model string) error {
	f.prompted = f.doc.Splice(f.prompted[:0], edits...)
	if limit := f.g.options.Limits.MaxBody; len(f.prompted) > limit {
		return tooLarge(int64(limit))
	}
	if err := f.takeCopy(len(f.prompted)); err != nil {
		return err
	}
	if err := f.scan(f.prompted); err != nil {
		return err
	}
	asked, err := f.endpoint.Ask(&f.doc)
	if err != nil {
		return err
	}
	asked.Model = model
	f.asked = asked
	return nil
}

// renderPrompt answers with a prompt whose variables are filled in, and calls nobody.
func (f *flight) renderPrompt() error {
	if err := f.readDocument(); err != nil {
		return err
	}
	ref := prompts.Ref{Name: f.vars.get("name")}
	var err error
	if ref.At, err = promptVersion(&f.doc); err != nil {
		return err
	}
	user, _, err := f.doc.String("user")
	if err != nil {
		return err
	}
	f.asked.EndUser = user
	if err := f.label(); err != nil {
		return err
	}
	v, err := f.choosePrompt(ref)
	if err != nil {
		return err
	}
	messages, err := v.Render(f.doc.Value("variables"), "variables")
	if err != nil {
		return err
	}
	out := providers.AppendString(append(f.scratch[:0], `{"object":"prompt","prompt":`...), v.Name)
	out = append(append(append(out, `,"request":`...), v.Chat(messages)...), '}')
	f.answerOwn(out)
	return nil
}

// prompts lists the prompts that the key may use, as models.
func (f *flight) prompts() []providers.ListedModel {
	var list []providers.ListedModel
	for _, p := range f.state.Prompts.Of(f.key.Workspace) {
		id := prompts.Prefix + p.Name
		if policy.AdmitPrompt(f.key, id) != nil {
			continue
		}
		v, err := p.Choose("", 0)
		if err != nil || v.Model == "" || !f.reaches(v.Model) {
			continue
		}
		list = append(list, providers.ListedModel{ID: id, OwnedBy: "aistrale", Ops: []providers.Op{providers.OpChat, providers.OpCountTokens}})
	}
	return list
}

// reaches reports whether the key may use a model.
func (f *flight) reaches(model string) bool {
	alias, err := f.state.Router.Resolve(model)
	if err != nil {
		return false
	}
	_, err = policy.AdmitTargets(f.key, model, alias.Targets)
	return err == nil
}
