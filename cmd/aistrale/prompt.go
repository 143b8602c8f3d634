package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/policy/prompt"
	"github.com/aistrale/aistrale/storage"
)

const (
	promptCreateUsage = `usage: aistrale prompt create NAME [--description TEXT] [--file FILE] [--label LABEL,…] [--workspace W]
       [--config FILE | --url URL] [--json]
       With FILE it gets its first version: messages, model, parameters and variables, in JSON or YAML.`
	promptVersionUsage = `usage: aistrale prompt version NAME --file FILE [--note TEXT] [--label LABEL,…] [--workspace W]
       [--config FILE | --url URL] [--json]`
	promptListUsage = "usage: aistrale prompt list [--workspace W] [--config FILE | --url URL] [--json]"
	promptShowUsage = `usage: aistrale prompt show NAME[@LABEL|@VERSION] [--workspace W] [--config FILE | --url URL] [--json]
       NAME alone lists its versions; with a version what that says, as prompt version takes it.`
	promptDiffUsage  = "usage: aistrale prompt diff NAME FROM TO [--workspace W] [--config FILE | --url URL] [--json]"
	promptLabelUsage = `usage: aistrale prompt label NAME LABEL VERSION|VERSION=WEIGHT,…|none [--workspace W] [--config FILE | --url URL] [--json]
       Moves the label, or makes it: 3, or 3=90,4=10 to split the calls. none removes it.`
	promptRenderUsage = `usage: aistrale prompt render NAME[@LABEL|@VERSION] [--var NAME=TEXT]… [--variables JSON] [--user U] [--workspace W]
       [--config FILE | --url URL] [--json]
       Prints the chat that a call would make, and calls nobody.`
	promptRemoveUsage = "usage: aistrale prompt remove NAME [--workspace W] [--config FILE | --url URL] [--json]"
)

// promptCommands work on stored prompts.
func promptCommands() []command {
	return []command{
		{name: "create", summary: "make a prompt", run: promptCreate},
		{name: "version", summary: "make a prompt's next version", run: promptVersion},
		{name: "list", summary: "list prompts and their labels", run: promptList},
		{name: "show", summary: "list a prompt's versions, or print one", run: promptShow},
		{name: "diff", summary: "compare two versions of a prompt", run: promptDiff},
		{name: "label", summary: "move a label to other versions, or split it", run: promptLabel},
		{name: "render", summary: "fill in a prompt's variables, and call nobody", run: promptRender},
		{name: "remove", summary: "remove a prompt with all its versions", run: promptRemove},
	}
}

// promptCommand is a command about the prompts of a workspace.
type promptCommand struct{ *workspaceCommand }

func newPromptCommand(env environment, usage string) *promptCommand {
	return &promptCommand{newWorkspaceCommand(env, usage, "prompts", storage.DefaultWorkspace, "the workspace it belongs to")}
}

func promptCreate(ctx context.Context, env environment, args []string) error {
	c := newPromptCommand(env, promptCreateUsage)
	description := c.flags.String("description", "", "what it is for")
	file, labels := c.flags.String("file", "", "its first version"), c.flags.String("label", "", "that shall stand for it")
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	var template map[string]any
	if *file != "" {
		if template, err = readTemplate(*file, "", *labels); err != nil {
			return err
		}
	} else if *labels != "" {
		return usagef("--label needs --file\n%s", c.usage)
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		var made admin.Prompt
		body := map[string]any{"name": words[0], "description": *description}
		if err := api.call(ctx, http.MethodPost, c.path(), body, &made); err != nil {
			return err
		}
		if template != nil {
			if err := api.call(ctx, http.MethodPost, c.path(words[0], "versions"), template, nil); err != nil {
				return fmt.Errorf("the prompt %s is made, its first version is not: %w", words[0], err)
			}
			if err := api.call(ctx, http.MethodGet, c.path(words[0]), nil, &made); err != nil {
				return err
			}
		}
		return c.printPrompts([]admin.Prompt{made})
	})
}

// readTemplate reads a version from a file, as the API takes one.
func readTemplate(file, note, labels string) (map[string]any, error) {
	source, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("--file: %w", err)
	}
	defer source.Close()
	root, err := parseYAML(source, file) // JSON is YAML too
	if err != nil {
		return nil, fmt.Errorf("--file: %w", err)
	}
	if root == nil {
		return nil, fmt.Errorf("--file: %s: it is empty", file)
	}
	reader := &decoder{found: &mistakes{file: file}, places: map[string]place{}, verbatim: true}
	text, err := reader.json(nil, root, "", 0)
	if err != nil {
		return nil, fmt.Errorf("--file: %s %w", file, err)
	}
	if len(reader.found.list) > 0 {
		return nil, reader.found
	}
	body := map[string]any{}
	members := map[string]jsontext.Value{}
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, fmt.Errorf("--file: %s: it holds no object: %w", file, err)
	}
	for name, value := range members {
		body[name] = value
	}
	if note != "" {
		body["note"] = note
	}
	if labels != "" {
		body["labels"] = split(labels)
	}
	return body, nil
}

func promptVersion(ctx context.Context, env environment, args []string) error {
	c := newPromptCommand(env, promptVersionUsage)
	file, labels := c.flags.String("file", "", "the version"), c.flags.String("label", "", "that shall stand for it")
	note := c.flags.String("note", "", "what is new")
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	if *file == "" {
		return usagef("--file is missing\n%s", c.usage)
	}
	body, err := readTemplate(*file, *note, *labels)
	if err != nil {
		return err
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		var made admin.PromptVersion
		if err := api.call(ctx, http.MethodPost, c.path(words[0], "versions"), body, &made); err != nil {
			return err
		}
		return c.printVersions([]admin.PromptVersion{made})
	})
}

func promptList(ctx context.Context, env environment, args []string) error {
	c := newPromptCommand(env, promptListUsage)
	if _, err := c.parse(args, 0); err != nil {
		return err
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		all, err := listOf[admin.Prompt](ctx, api, c.path(), 0)
		if err != nil {
			return err
		}
		return c.printPrompts(all)
	})
}

// promptRow is a prompt as --json prints one: flat.
type promptRow struct {
	admin.Prompt `json:",inline"`
	Labels       string `json:"labels"` // "production=3 staging=3:90,4:10"
}

func (c *promptCommand) printPrompts(all []admin.Prompt) error {
	rows := make([]promptRow, 0, len(all))
	table := [][]string{{"NAME", "LATEST", "LABELS", "DESCRIPTION", "CREATED"}}
	for _, p := range all {
		var labels []string
		for _, name := range slices.Sorted(maps.Keys(p.Labels)) {
			labels = append(labels, name+"="+sharesText(p.Labels[name]))
		}
		row := promptRow{p, strings.Join(labels, " ")}
		row.Prompt.Labels = nil
		rows = append(rows, row)
		table = append(table, []string{p.Name, strconv.Itoa(p.Latest), row.Labels, p.Description, day(&p.CreatedAt)})
	}
	return c.print(rows, table, "")
}

func sharesText(shares []storage.PromptShare) string {
	if len(shares) == 1 {
		return strconv.Itoa(shares[0].Version)
	}
	var parts []string
	for _, s := range shares {
		parts = append(parts, fmt.Sprintf("%d:%d", s.Version, s.Weight))
	}
	return strings.Join(parts, ",")
}

// versionRow is a version as --json prints one: flat, with what it says as the text of JSON.
type versionRow struct {
	Prompt    string    `json:"prompt"`
	Version   int       `json:"version"`
	Note      string    `json:"note"`
	Author    string    `json:"author"`
	Model     string    `json:"model"`
	Template  string    `json:"template"`
	CreatedAt time.Time `json:"created_at"`
}

func (c *promptCommand) printVersions(all []admin.PromptVersion) error {
	rows := make([]versionRow, 0, len(all))
	table := [][]string{{"VERSION", "MODEL", "MESSAGES", "NOTE", "BY", "CREATED"}}
	for i := range all {
		v := &all[i]
		text, err := json.Marshal(v.PromptTemplate, json.Deterministic(true))
		if err != nil {
			return err
		}
		rows = append(rows, versionRow{v.Prompt, v.Number, v.Note, v.Author, v.Model, string(text), v.CreatedAt})
		table = append(table, []string{
			fmt.Sprintf("%s@%d", v.Prompt, v.Number), v.Model, strconv.Itoa(len(v.Messages)), v.Note, v.Author, day(&v.CreatedAt),
		})
	}
	return c.print(rows, table, "")
}

func promptShow(ctx context.Context, env environment, args []string) error {
	c := newPromptCommand(env, promptShowUsage)
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	ref := prompt.ParseRef(words[0])
	return c.withAPI(ctx, func(api *apiClient) error {
		if ref.At == "" {
			all, err := listOf[admin.PromptVersion](ctx, api, c.path(ref.Name, "versions"), 0)
			if err != nil {
				return err
			}
			return c.printVersions(all)
		}
		number, err := c.number(ctx, api, ref)
		if err != nil {
			return err
		}
		var v admin.PromptVersion
		if err := api.call(ctx, http.MethodGet, c.path(ref.Name, "versions", number), nil, &v); err != nil {
			return err
		}
		if c.json {
			return c.printVersions([]admin.PromptVersion{v})
		}
		return printIndented(env.Stdout, v.PromptTemplate)
	})
}

// number gives the number of the version that is named; of a label that splits the first.
func (c *promptCommand) number(ctx context.Context, api *apiClient, ref prompt.Ref) (string, error) {
	if _, err := strconv.Atoi(ref.At); err == nil {
		return ref.At, nil
	}
	if ref.At == storage.LatestPrompt {
		var p admin.Prompt
		err := api.call(ctx, http.MethodGet, c.path(ref.Name), nil, &p)
		return strconv.Itoa(max(1, p.Latest)), err
	}
	var label admin.PromptLabel
	if err := api.call(ctx, http.MethodGet, c.path(ref.Name, "labels", ref.At), nil, &label); err != nil {
		return "", err
	}
	return strconv.Itoa(label.Versions[0].Version), nil
}

func printIndented(w io.Writer, v any) error {
	text, err := json.Marshal(v, jsontext.WithIndent("  "), json.Deterministic(true))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", text)
	return err
}

func promptDiff(ctx context.Context, env environment, args []string) error {
	c := newPromptCommand(env, promptDiffUsage)
	words, err := c.parse(args, 3)
	if err != nil {
		return err
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		var diff admin.PromptDiff
		path := c.path(words[0], "diff") + "&" + url.Values{"from": {words[1]}, "to": {words[2]}}.Encode()
		if err := api.call(ctx, http.MethodGet, path, nil, &diff); err != nil {
			return err
		}
		_, err := io.WriteString(env.Stdout, diffText(&diff))
		return err
	})
}

// diffText is a difference for people: what changed, and below it the lines.
func diffText(diff *admin.PromptDiff) string {
	var b strings.Builder
	for i := range diff.Changes {
		c := &diff.Changes[i]
		fmt.Fprintf(&b, "%s %s", c.Path, c.Change)
		if c.Role != "" {
			b.WriteString(" (" + c.Role + ")")
		}
		b.WriteString("\n")
		for _, line := range c.Lines {
			b.WriteString(map[string]string{"same": "  ", "added": "+ ", "removed": "- "}[line.Op] + line.Text + "\n")
		}
		if c.Before != nil {
			b.WriteString("- " + string(c.Before) + "\n")
		}
		if c.After != nil {
			b.WriteString("+ " + string(c.After) + "\n")
		}
	}
	if len(diff.Changes) == 0 {
		b.WriteString("They say the same.\n")
	}
	return b.String()
}

func promptRender(ctx context.Context, env environment, args []string) error {
	c := newPromptCommand(env, promptRenderUsage)
	values := map[string]any{}
	c.flags.Func("variables", "an object of variables, in JSON", func(text string) error { return json.Unmarshal([]byte(text), &values) })
	c.flags.Func("var", "a variable that is a text: name=text", func(text string) error {
		name, value, ok := strings.Cut(text, "=")
		if values[name] = value; !ok {
			return fmt.Errorf("%q is not name=text", text)
		}
		return nil
	})
	user := c.flags.String("user", "", "whose version it shall be where the label splits")
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	ref := prompt.ParseRef(words[0])
	return c.withAPI(ctx, func(api *apiClient) error {
		var made admin.RenderedPrompt
		body := map[string]any{"version": ref.At, "variables": values, "user": *user}
		if err := api.call(ctx, http.MethodPost, c.path(ref.Name, "render"), body, &made); err != nil {
			return err
		}
		return printIndented(env.Stdout, made)
	})
}

func promptRemove(ctx context.Context, env environment, args []string) error {
	c := newPromptCommand(env, promptRemoveUsage)
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		if err := api.call(ctx, http.MethodDelete, c.path(words[0]), nil, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintf(env.Stdout, "Prompt %s is removed.\n", words[0])
		return err
	})
}
