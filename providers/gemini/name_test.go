package gemini

import (
	"regexp"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	native := regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.:-]{0,127}$`)
	f := func(name, want string) {
		t.Helper()
		got, err := encodeName("tools", name)
		if err != nil || got != want {
			t.Fatalf("encodeName(%q) = %q, %v, want %q", name, got, err, want)
		}
		if !native.MatchString(got) {
			t.Errorf("%q is sent as %q, which the API refuses", name, got)
		}
		if back := decodeName(got); back != name {
			t.Errorf("%q comes back as %q", name, back)
		}
	}
	f("get_weather", "get_weather")
	f("mcp.server:tool-1", "mcp.server:tool-1")
	f("2fa", "n:2fa")
	f("-x", "n:-x")
	f("a b/é", "n:a:20b:2f:c3:a9")
	f("n:a", "n:n:3aa")
	f(":a", "n::3aa")
	for _, name := range []string{"n:zz:q", "n:a:", "n:a:1", "n"} {
		if back := decodeName(name); back != name {
			t.Errorf("%q is not one of ours but comes back as %q", name, back)
		}
	}
	for _, name := range []string{"", strings.Repeat("a", 129), strings.Repeat("é", 30)} {
		if got, err := encodeName("tools", name); err == nil {
			t.Errorf("encodeName(%q) = %q, want a refusal", name, got)
		}
	}
}

func FuzzNames(f *testing.F) {
	f.Add("get_weather")
	f.Add("n:a:20")
	f.Add("1:2:ff")
	f.Fuzz(func(t *testing.T, name string) {
		got, err := encodeName("tools", name)
		if err != nil {
			return
		}
		if back := decodeName(got); back != name {
			t.Fatalf("%q is sent as %q and comes back as %q", name, got, back)
		}
	})
}
