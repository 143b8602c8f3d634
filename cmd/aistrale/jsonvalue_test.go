package main

import (
	"strings"
	"testing"
)

func TestParameters(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		c := mustLoad(t, "providers: [{name: mock}]\naliases:\n  a:\n    targets: [mock/gpt]\n    force:\n      x: "+text, "NUMBER", "12", "TEXT", `a"b`)
		if got := string(c.Aliases[0].Force[0].Value); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	f("null", "null")
	f("~", "null")
	f("true", "true")
	f("'true'", `"true"`)
	f("yes", `"yes"`)
	f("1", "1")
	f("-0.20", "-0.20")
	f("1e-7", "1e-7")
	f("123456789012345678901234567890", "123456789012345678901234567890")
	f(`"1"`, `"1"`)
	f("2026-01-01", `"2026-01-01"`)
	f("<a&b>", `"<a&b>"`)
	f("[1, [], {}, {b: 1, a: [x]}]", `[1,[],{},{"b":1,"a":["x"]}]`)
	f("&n {k: v}", `{"k":"v"}`)
	f("[&n {k: v}, *n]", `[{"k":"v"},{"k":"v"}]`)
	f("${NUMBER}", "12")
	f("'${NUMBER}'", `"12"`)
	f("n${NUMBER}", `"n12"`)
	f("${TEXT}", `"a\"b"`)
	f("$${NUMBER}", `"${NUMBER}"`)
}

func TestParameters_mistakes(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		_, err := loadConfig(writeConfig(t, "providers: [{name: mock}]\naliases:\n  a:\n    targets: [mock/gpt]\n    force:\n      x: "+text), variables())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", text, err, want)
		}
	}
	f(".inf", `:6: aliases.a.force.x: ".inf" is no number in JSON; quote it where it is a text`)
	f("0x10", `aliases.a.force.x: "0x10" is no number in JSON`)
	f("[1, 1_000]", `aliases.a.force.x[1]: "1_000" is no number in JSON`)
	f("!!binary aGk=", "aliases.a.force.x: has the type !!binary, which JSON does not have")
	f("{a: 1, a: 2}", "aliases.a.force.x.a: stands twice")
	f("{[a]: 1}", "aliases.a.force.x: want a plain key, got a list")
	f("${NONE}", "aliases.a.force.x: environment variable NONE is not set")
	f("&x [*x]", "aliases.a.force.x: is nested too deep")
	f(strings.Repeat("[", 40)+strings.Repeat("]", 40), "aliases.a.force.x: is nested too deep")
	f("["+strings.Repeat("x", 70_000)+", y]", "aliases.a.force.x: is longer than 65536 bytes of JSON")
	// A few anchors would be gigabytes.
	bomb := "[&a [x,x,x,x,x,x,x,x,x,x]"
	for c := 'b'; c < 'k'; c++ {
		bomb += ", &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+",", 9) + "*" + string(c-1) + "]"
	}
	f(bomb+"]", "aliases.a.force.x: is longer than 65536 bytes of JSON")
}
