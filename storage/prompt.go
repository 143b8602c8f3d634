package storage

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Prompt is the name of a template that calls can use. What it says stands in its versions.
type Prompt struct {
	Name        string
	Description string
	Latest      int // the number of the newest version, 0 where there is none yet
}

// PromptVersion is one state of a prompt. It never changes.
type PromptVersion struct {
	Prompt   string
	Number   int // from 1
	Note     string
	Author   string // who made it: user/ada@example.com
	Template PromptTemplate
}

// PromptTemplate is what a version says.
type PromptTemplate struct {
	Messages   []PromptMessage            `json:"messages" minItems:"1" maxItems:"128" doc:"What is said before all that a call says itself"`
	Model      string                     `json:"model,omitempty" maxLength:"256" doc:"Of calls that name no other one"`
	Parameters map[string]json.RawMessage `json:"parameters,omitempty" doc:"Fields of a chat completion, in OpenAI's words, where a call says nothing of them"`
	Variables  map[string]json.RawMessage `json:"variables,omitempty" doc:"A JSON Schema for each variable; one with a default may be left out"`
}

// PromptMessage is one message of a template; its content is written in Mustache.
type PromptMessage struct {
	Role    string `json:"role" enum:"system,developer,user,assistant"`
	Content string `json:"content" maxLength:"262144"`
}

// PromptLabel is a name that stands for a version of a prompt, or for several by weight.
type PromptLabel struct {
	Prompt string
	Name   string
	Shares []PromptShare
}

// PromptShare is a version's part of the calls that name a label.
type PromptShare struct {
	Version int `json:"version" minimum:"1"`
	Weight  int `json:"weight" minimum:"1" maximum:"1000000"`
}

// PromptKind is that of a Prompt, by its name.
func PromptKind() Kind { return Kind{Name: "prompt", Served: true} }

// PromptVersionKind is that of a PromptVersion.
func PromptVersionKind() Kind { return Kind{Name: "prompt_version", Served: true} }

// PromptLabelKind is that of a PromptLabel.
func PromptLabelKind() Kind { return Kind{Name: "prompt_label", Served: true} }

// PromptVersionID names a version, so that those of a prompt stand in the order of their numbers.
func PromptVersionID(prompt string, number int) string {
	return fmt.Sprintf("%s/%0*d", prompt, promptDigits, number)
}

// PromptLabelID names a label.
func PromptLabelID(prompt, label string) string { return prompt + "/" + label }

const (
	promptDigits  = 9
	maxPromptName = 64
)

// LatestPrompt stands for the newest version where a label could stand.
const LatestPrompt = "latest"

// DefaultPromptLabel is what a call means that names neither label nor version. Where a prompt has
// no such label its newest version is meant.
const DefaultPromptLabel = "production"

// ForeignPrompt begins the ids of prompts that OpenAI keeps.
const ForeignPrompt = "pmpt_"

// CheckPromptName says what is wrong with the name of a prompt: as of any noun, but up to 64 bytes
// and without @, behind which a version is named.
func CheckPromptName(name string) error {
	if err := promptWord("prompt", name); err != nil {
		return err
	}
	if strings.HasPrefix(strings.ToLower(name), ForeignPrompt) {
		return fmt.Errorf("prompt %q: names that begin with %s are OpenAI's", name, ForeignPrompt)
	}
	return nil
}

// CheckPromptLabel says what is wrong with the name of a label: as a prompt's, and no number.
func CheckPromptLabel(name string) error {
	if err := promptWord("label", name); err != nil {
		return err
	}
	if _, err := strconv.Atoi(name); err == nil {
		return fmt.Errorf("label %q: a number stands for a version", name)
	}
	if name == LatestPrompt {
		return fmt.Errorf("label %q: it stands for the newest version, wherever that is", name)
	}
	return nil
}

func promptWord(what, name string) error {
	if err := CheckName(what, name); err != nil {
		return err
	}
	if len(name) > maxPromptName || strings.Contains(name, "@") {
		return fmt.Errorf("%s %q: it is longer than %d bytes, or has an @", what, name, maxPromptName)
	}
	return nil
}

// Check says what is wrong with the label's own data.
func (l *PromptLabel) Check() error {
	if err := CheckPromptLabel(l.Name); err != nil {
		return err
	}
	if len(l.Shares) == 0 {
		return errors.New("versions: a label stands for one version at least")
	}
	for i, s := range l.Shares {
		for _, other := range l.Shares[:i] {
			if s.Version == other.Version {
				return fmt.Errorf("versions: version %d is named twice", s.Version)
			}
		}
		if s.Weight < 1 {
			return fmt.Errorf("versions: the weight of version %d is not above 0", s.Version)
		}
	}
	return nil
}
