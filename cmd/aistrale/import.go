package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

const importLiteLLMUsage = `usage: aistrale import litellm FILE [--keys FILE] [--out FILE] [--secrets]
       Reads a LiteLLM proxy's config.yaml, and with --keys the JSON of its GET /key/list?return_full_object=true, and
       writes a configuration to stdout or to a new file. What was not taken over is listed on stderr, line by line,
       with the reason. A secret that stands in the file in clear becomes the name of an environment variable,
       unless --secrets is given. Nothing is fetched or called.`

// importCommands take over what other gateways have.
func importCommands() []command {
	return []command{{name: "litellm", summary: "make a configuration of a LiteLLM proxy's", run: importLiteLLM}}
}

func importLiteLLM(_ context.Context, env environment, args []string) error {
	c := newBareCommand(env, importLiteLLMUsage)
	keys := c.flags.String("keys", "", "the JSON of its keys")
	out := c.flags.String("out", "", "the new file; without it stdout")
	secrets := c.flags.Bool("secrets", false, "write secrets that stand in the file in clear into the configuration")
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(words[0])
	if err != nil {
		return err
	}
	l, err := readLiteLLM(words[0], text, *secrets)
	if err != nil {
		return err
	}
	if *keys != "" {
		text, err := os.ReadFile(*keys)
		if err != nil {
			return fmt.Errorf("--keys: %w", err)
		}
		if err := l.readKeys(*keys, text, env.Now()); err != nil {
			return fmt.Errorf("--keys: %w", err)
		}
	}
	made, err := l.config()
	if err != nil {
		return err
	}
	if err := l.check(made); err != nil {
		return fmt.Errorf("what was made of %s is not right, and was not written: %w", words[0], err)
	}
	if err := writeNew(env.Stdout, *out, made); err != nil {
		return err
	}
	_, err = io.WriteString(env.Stderr, l.report())
	return err
}

// writeNew writes a file that is not there yet, or to w where it has no name.
func writeNew(w io.Writer, path string, text []byte) error {
	if path == "" {
		_, err := w.Write(text)
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Close())
}
