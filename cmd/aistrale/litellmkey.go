package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/storage"
)

// litellmKey is a key as LiteLLM's GET /key/list?return_full_object=true has it.
type litellmKey struct {
	Token    string         `json:"token"` // a hash
	Alias    string         `json:"key_alias"`
	Name     string         `json:"key_name"`
	Models   []string       `json:"models"`
	Budget   *float64       `json:"max_budget"`
	Per      string         `json:"budget_duration"`
	Tokens   *int64         `json:"tpm_limit"`
	Requests *int64         `json:"rpm_limit"`
	Parallel *int64         `json:"max_parallel_requests"`
	Expires  string         `json:"expires"`
	User     string         `json:"user_id"`
	Team     string         `json:"team_id"`
	Blocked  bool           `json:"blocked"`
	Aliases  map[string]any `json:"aliases"`
	Metadata map[string]any `json:"metadata"`
	Spend    float64        `json:"spend"`
}

// readKeys takes over what keys may do. Of their texts LiteLLM has hashes alone, and so they are made anew.
func (l *litellm) readKeys(file string, text []byte, now time.Time) error {
	var listed struct {
		Keys []litellmKey `json:"keys"`
	}
	if err := json.Unmarshal(text, &listed); err != nil {
		if err := json.Unmarshal(text, &listed.Keys); err != nil {
			return errors.New("it is neither a list of keys nor what GET /key/list?return_full_object=true gives")
		}
	}
	seen := map[string]bool{}
	for i := range listed.Keys {
		k := &listed.Keys[i]
		name := k.named(i)
		for n := 2; seen[name]; n++ {
			name = fmt.Sprintf("%s-%d", k.named(i), n)
		}
		seen[name] = true
		l.key(file, name, k, now)
	}
	if len(listed.Keys) > 0 {
		l.left = append(l.left, leftover{file: file, path: "keys", why: "LiteLLM keeps hashes of their texts alone, so each key gets a new text"})
	}
	return nil
}

var notName = regexp.MustCompile(`[^A-Za-z0-9._@+-]+`)

// named makes a name that a key may have here.
func (k *litellmKey) named(i int) string {
	name := strings.Trim(notName.ReplaceAllString(k.Alias, "-"), "-._@+")
	if storage.CheckName("key", name) != nil {
		return fmt.Sprintf("key-%d", i+1)
	}
	return name
}

func (l *litellm) key(file, name string, k *litellmKey, now time.Time) {
	leave := func(what, why string) {
		l.left = append(l.left, leftover{file: file, path: "key " + name + ": " + what, why: why})
	}
	create := []string{"aistrale", "key", "create", name}
	if k.Blocked {
		leave("blocked", "it is not made at all")
		return
	}
	if k.Expires != "" {
		ends, err := time.Parse(time.RFC3339, k.Expires)
		if err != nil || !ends.After(now) {
			leave("expires", "it has expired, and is not made at all")
			return
		}
		create = append(create, "--expires", max(ends.Sub(now).Truncate(time.Hour), time.Hour).String())
	}
	if models := l.keyModels(k, leave); len(models) > 0 {
		create = append(create, "--models", quoted(strings.Join(models, ",")))
	}
	if owner := notName.ReplaceAllString(k.User, "-"); k.User != "" && storage.CheckName("user", owner) == nil {
		create = append(create, "--owner", owner)
	}
	if project := notName.ReplaceAllString(k.Team, "-"); k.Team != "" && storage.CheckName("project", project) == nil {
		create = append(create, "--project", project)
	}
	l.keyBounds(name, k)
	if len(k.Aliases) > 0 {
		leave("aliases", "aliases are the gateway's, not a key's")
	}
	if tags := k.tags(); len(tags) > 0 {
		create = append(create, "--tags", quoted(strings.Join(tags, ",")))
	}
	if len(k.Metadata) > 0 {
		leave("metadata", "tags alone are kept with a key")
	}
	if k.Spend > 0 {
		leave("spend", "budgets begin at 0")
	}
	l.todo = append(l.todo, strings.Join(create, " "))
}

// tags takes those that may be a key's here out of the metadata.
func (k *litellmKey) tags() (tags []string) {
	listed, _ := k.Metadata["tags"].([]any)
	for _, one := range listed {
		if tag, ok := one.(string); ok && tag != "" && !strings.ContainsAny(tag, ", ") {
			tags = append(tags, tag)
		}
	}
	if len(tags) == len(listed) {
		delete(k.Metadata, "tags")
	}
	return tags
}

func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// keyModels gives the patterns of models that a key may use.
func (l *litellm) keyModels(k *litellmKey, leave func(what, why string)) (models []string) {
	for _, m := range k.Models {
		switch m {
		case "all-proxy-models":
			return nil
		case "all-team-models", "no-default-models":
			leave("models: "+m, "teams have no models here")
		default:
			models = append(models, m)
		}
	}
	return models
}

func (l *litellm) keyBounds(name string, k *litellmKey) {
	scope, limit := "key/"+name, map[string]any{}
	for ours, n := range map[string]*int64{"requests_per_minute": k.Requests, "tokens_per_minute": k.Tokens, "concurrent": k.Parallel} {
		if n != nil && *n > 0 {
			limit[ours] = *n
		}
	}
	if len(limit) > 0 {
		limit["scope"] = scope
		l.made.Limits = append(l.made.Limits, limit)
	}
	if k.Budget != nil && *k.Budget > 0 {
		l.made.Budgets = append(l.made.Budgets, map[string]any{"scope": scope, "usd": *k.Budget, "per": spanOf(k.Per)})
	}
}
