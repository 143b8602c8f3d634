package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestRunCheck(t *testing.T) {
	run := func(args ...string) (string, error) {
		var out bytes.Buffer
		err := runCheck(t.Context(), environment{Getenv: variables(), Stdout: &out}, args)
		return out.String(), err
	}
	if out, err := run("--config", exampleFile); out != "OK\n" || err != nil {
		t.Errorf("the example: %q, %v", out, err)
	}
	bad := writeConfig(t, "lisen: x\nproviders: [{name: mock}]\nmax_body: y")
	out, err := run("--config", bad)
	if want := "2 mistakes:\n" + bad + ":1: lisen: unknown key, did you mean \"listen\"?\n" + bad + ":3: max_body: \"y\" is not a size such as 32MiB or 4096"; out != "" || err == nil || err.Error() != want {
		t.Errorf("a bad file: %q, %v", out, err)
	}
	if out, err := run("--help"); out != checkUsage+"\n" || err != nil {
		t.Errorf("help: %q, %v", out, err)
	}
	for _, args := range [][]string{nil, {"--config"}, {"--config", exampleFile, "more"}, {"--what"}} {
		var usage *usageError
		if out, err := run(args...); out != "" || !errors.As(err, &usage) || !strings.Contains(err.Error(), checkUsage) {
			t.Errorf("%q: %q, %v", args, out, err)
		}
	}
}
