package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

const completionUsage = `usage: aistrale completion bash|zsh|fish
       bash: source <(aistrale completion bash)
       zsh:  source <(aistrale completion zsh)
       fish: aistrale completion fish | source
       The script asks the program itself, so that it is never older than the program.`

// completionCommands print what a shell needs, and are what its script asks.
func completionCommands() []command {
	script := func(text string) func(context.Context, environment, []string) error {
		return func(_ context.Context, env environment, args []string) error {
			if _, err := newBareCommand(env, completionUsage).parse(args, 0); err != nil {
				return err
			}
			_, err := io.WriteString(env.Stdout, text)
			return err
		}
	}
	return []command{
		{name: "bash", summary: "print it for bash", run: script(bashCompletion)},
		{name: "zsh", summary: "print it for zsh", run: script(zshCompletion)},
		{name: "fish", summary: "print it for fish", run: script(fishCompletion)},
		{name: "words", summary: "list what may follow words, for the scripts: each with a tab and what it means", run: runWords},
	}
}

const bashCompletion = `_aistrale() {
    local IFS=$'\n' cur=${COMP_WORDS[COMP_CWORD]}
    COMPREPLY=($(compgen -W "$(aistrale completion words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1)" -- "$cur"))
}
complete -o default -F _aistrale aistrale
`

const zshCompletion = `#compdef aistrale
_aistrale() {
    local -a found
    found=("${(@f)$(aistrale completion words -- "${(@)words[2,CURRENT]}" 2>/dev/null | sed -e 's/:/\\:/g' -e 's/\t/:/')}")
    if [[ -n "$found" ]]; then _describe aistrale found; else _files; fi
}
compdef _aistrale aistrale
`

const fishCompletion = `function __aistrale_words
    set -l words (commandline -opc) (commandline -ct)
    aistrale completion words -- $words[2..-1] 2>/dev/null
end
complete -c aistrale -f -n 'count (__aistrale_words)' -a '(__aistrale_words)'
`

// runWords lists what the last of the words, which may be empty, may become.
func runWords(ctx context.Context, env environment, args []string) error {
	none := flag.NewFlagSet("words", flag.ContinueOnError)
	if err := env.parseSome(none, args, completionUsage); err != nil {
		return err
	}
	if args = none.Args(); len(args) == 0 {
		args = []string{""}
	}
	before, last := args[:len(args)-1], args[len(args)-1]
	for _, word := range follow(ctx, env, before) {
		if !strings.HasPrefix(word, last) {
			continue
		}
		if _, err := fmt.Fprintln(env.Stdout, word); err != nil {
			return err
		}
	}
	return nil
}

// follow gives what may stand behind words.
func follow(ctx context.Context, env environment, words []string) []string {
	c := &command{under: commands()}
	for len(words) > 0 {
		next, ok := named(c.under, words[0])
		if !ok {
			break
		}
		c, words = next, words[1:]
	}
	var found []string
	if len(words) == 0 {
		for _, u := range c.under {
			found = append(found, u.name+"\t"+u.summary)
		}
	}
	if c.run == nil {
		return found
	}
	usage, flags := askFlags(ctx, env, c)
	if flags == nil {
		return found
	}
	if len(words) > 0 {
		if name, ok := strings.CutPrefix(words[len(words)-1], "-"); ok {
			if f := flags.Lookup(strings.TrimPrefix(name, "-")); f != nil && !isBool(f) {
				return valuesOf(env, usage, f.Name)
			}
		}
	}
	flags.VisitAll(func(f *flag.Flag) {
		if !slices.Contains(words, "--"+f.Name) {
			found = append(found, "--"+f.Name+"\t"+f.Usage)
		}
	})
	return found
}

// askFlags gives a command's usage and its flags; nil where it takes none.
func askFlags(ctx context.Context, env environment, c *command) (usage string, flags *flag.FlagSet) {
	env.asked = func(u string, f *flag.FlagSet) { usage, flags = u, f }
	env.Stdout, env.Stderr = io.Discard, io.Discard
	_ = c.run(ctx, env, []string{"--help"}) // what takes no flags fails, or prints; nothing more
	return usage, flags
}

func isBool(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

// choice finds what a usage says that a flag may be: --role admin|engineer.
func choice(name string) *regexp.Regexp {
	return regexp.MustCompile(`--` + regexp.QuoteMeta(name) + ` ([a-z0-9_-]+(?:\|[a-z0-9_-]+)+)`)
}

// valuesOf gives what a flag may be, where it is one of a few words; none leaves it to the shell,
// which knows files.
func valuesOf(env environment, usage, name string) []string {
	if name == "profile" {
		known, err := loadProfiles(env.Getenv)
		if err != nil {
			return nil
		}
		return slices.Sorted(maps.Keys(known.Named))
	}
	if said := choice(name).FindStringSubmatch(usage); said != nil {
		return strings.Split(said[1], "|")
	}
	return nil
}
