package storage

import (
	"strings"
	"testing"
)

func TestParameters_Check(t *testing.T) {
	// want is a part of what is wrong, "" nothing.
	f := func(p Parameters, want string) {
		t.Helper()
		err := p.Check()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%+v: %v, want %q", p, err, want)
		}
	}
	one := func(name, value string) []Parameter { return []Parameter{{name, []byte(value)}} }
	f(Parameters{}, "")
	f(Parameters{Defaults: one("temperature", "0.2"), Force: one("generationConfig", `{"a":[1]}`)}, "")
	f(Parameters{Force: one("seed", "null")}, "")
	f(Parameters{Defaults: one("seed", "null")}, "defaults: seed: null")
	for _, name := range []string{"", "a-b", "a.b", "Straße", "mod\u212Bel", strings.Repeat("a", 65)} {
		f(Parameters{Force: one(name, "1")}, "force: ")
	}
	for _, name := range []string{"model", "Model", "STREAM", "stream_options", "messages", "prompt", "input"} {
		f(Parameters{Defaults: one(name, "1")}, "defaults: "+strings.ToLower(name)+" is the client's")
	}
	for _, value := range []string{"", "x", "1,2", `1,"model":"x"`, `1}`, "{", "\"\xff\""} {
		f(Parameters{Force: one("seed", value)}, "seed: its value is not valid JSON")
	}
	f(Parameters{Force: []Parameter{{"seed", []byte("1")}, {"Seed", []byte("2")}}}, "force: Seed is set twice")
}
