package providers

import (
	"strings"
	"testing"
)

func TestPlainToolName(t *testing.T) {
	f := func(name, want string) {
		t.Helper()
		got := PlainToolName(name)
		if got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
		if back := SaidToolName(got); back != name {
			t.Errorf("%q comes back as %q", name, back)
		}
	}
	f("", "")
	f("get_weather-2", "get_weather-2")
	f("mcp__server__use", "mcp__server__use") // holds the escape, but no escaped character
	f("__update__it", "__update__it")
	f("files.read", "files__u2e__read")
	f("a/b:c", "a__u2f__b__u3a__c")
	f("wetter_für", "wetter_f__ufc__r")
	f("__u2e__", "__u5f___u2e__")
	f("__ua.", "__u5f___ua__u2e__")
	f("..", "__u2e____u2e__")
}

func FuzzPlainToolName(f *testing.F) {
	for _, s := range []string{"a", "__u", "__u2e__", "._u2e__", "_.", "__u__.", "__ud800__", "ü__u", "__u0__", "__u__u2e__", "__u02e__"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		name = strings.ToValidUTF8(name, "?")
		sent := PlainToolName(name)
		if !plainName(sent) {
			t.Errorf("%q becomes %q, which APIs refuse", name, sent)
		}
		if back := SaidToolName(sent); back != name {
			t.Errorf("%q becomes %q and comes back as %q", name, sent, back)
		}
	})
}
