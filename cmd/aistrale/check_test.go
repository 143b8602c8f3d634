package main

import (
	"bytes"
	"errors"
	"io"
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
	slip := writeConfig(t, "providers: [{name: mock}]\njournal: off\nlimits: [{scope: key/ic, concurrent: 1}]\nbudgets: [{scope: user/ada, usd: 1, per: total, models: [a, mock/gpt, '*']}]\naliases: {a: [mock/gpt]}\n"+
		"keys: [{name: ci, key: "+goodKey+"}]\nworkspaces: [{name: eu}]\n")
	var warned bytes.Buffer
	env := environment{Getenv: variables(), Stdout: io.Discard, Stderr: &warned}
	if err := runCheck(t.Context(), env, []string{"--config", slip}); err != nil {
		t.Errorf("slips: %v", err)
	}
	const known = "of the configuration (the store was not asked) "
	if got, want := strings.ReplaceAll(warned.String(), slip+": warning: ", ""),
		"limits[0].scope: no key "+known+"is named \"ic\", did you mean \"ci\"?\n"+
			"budgets[0].scope: no key "+known+"has the user \"ada\"\n"+
			"workspaces[0].name: no key "+known+"has the workspace \"eu\"; known are default\n"+
			"budgets[0].models[0]: \"a\" is an alias, which the ledger does not know: what was spent by it is forgotten at a restart\n"+
			"budgets: journal is off, so that a gateway that starts anew knows nothing of what was spent before\n"; got != want {
		t.Errorf("slips:\n%s\nwant\n%s", got, want)
	}
	if out, err := run("--help"); !strings.HasPrefix(out, checkUsage+"\n") || err != nil {
		t.Errorf("help: %q, %v", out, err)
	}
	for _, args := range [][]string{nil, {"--config"}, {"--config", exampleFile, "more"}, {"--what"}} {
		var usage *usageError
		if out, err := run(args...); out != "" || !errors.As(err, &usage) || !strings.Contains(err.Error(), checkUsage) {
			t.Errorf("%q: %q, %v", args, out, err)
		}
	}
}
