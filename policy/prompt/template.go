// Package prompt makes messages out of stored prompts: templates in Mustache, whose variables are
// held to JSON Schemas. It does no I/O: nothing here can reach a file or a network, and what a
// variable holds is text of one message, never a role, a message or a template.
package prompt

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// What a template and what is made of it may hold at most.
const (
	maxTemplate  = 256 << 10 // bytes of all texts and schemas
	maxVariables = 64
	maxRendered  = 1 << 20 // bytes of all messages
)

// Mistake is what is wrong with a template, and where.
type Mistake struct{ At, Text string }

func (m *Mistake) Error() string { return m.At + ": " + m.Text }

func wrong(at, format string, args ...any) error { return &Mistake{at, fmt.Sprintf(format, args...)} }

// Template is a version of a prompt, ready to be rendered by many calls at once.
type Template struct {
	Model      string
	Parameters storage.Parameters // defaults, in the words of OpenAI's chat
	texts      []*text
	roles      []providers.Role
	variables  map[string]*variable
}

// Compile makes a template ready, or says what is wrong with it, as a *Mistake.
func Compile(t *storage.PromptTemplate) (*Template, error) {
	made := &Template{Model: t.Model, variables: map[string]*variable{}}
	if size(t) > maxTemplate {
		return nil, wrong("messages", "the messages and schemas are longer than %d bytes", maxTemplate)
	}
	if len(t.Messages) == 0 {
		return nil, wrong("messages", "there is none")
	}
	if len(t.Variables) > maxVariables {
		return nil, wrong("variables", "there are more than %d", maxVariables)
	}
	for name, raw := range t.Variables {
		v, err := newVariable(name, raw)
		if err != nil {
			return nil, err
		}
		made.variables[name] = v
	}
	for i := range t.Messages {
		at := "messages[" + strconv.Itoa(i) + "]"
		role, ok := roleOf(t.Messages[i].Role)
		if !ok {
			return nil, wrong(at+".role", "%q is no role; want system, developer, user or assistant", t.Messages[i].Role)
		}
		text, err := newText(t.Messages[i].Content, made.variables)
		if err != nil {
			return nil, wrong(at+".content", "%v", err)
		}
		made.texts, made.roles = append(made.texts, text), append(made.roles, role)
	}
	return made, made.setParameters(t.Parameters)
}

func size(t *storage.PromptTemplate) int {
	n := 0
	for i := range t.Messages {
		n += len(t.Messages[i].Content)
	}
	for _, list := range []map[string]json.RawMessage{t.Variables, t.Parameters} {
		for name, raw := range list {
			n += len(name) + len(raw)
		}
	}
	return n
}

func roleOf(name string) (providers.Role, bool) {
	role, ok := map[string]providers.Role{
		"system": providers.RoleSystem, "developer": providers.RoleDeveloper,
		"user": providers.RoleUser, "assistant": providers.RoleAssistant,
	}[name]
	return role, ok
}
