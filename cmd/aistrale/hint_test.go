package main

import "testing"

func TestHint(t *testing.T) {
	f := func(word, want string, known ...string) {
		t.Helper()
		if got := hint(word, known); got != want {
			t.Errorf("hint(%q, %q) = %q, want %q", word, known, got, want)
		}
	}
	f("lisen", `, did you mean "listen"?`, "admin_listen", "listen")
	f("Base-URL", `, did you mean "base_url"?`, "base_url")
	f("xy", "; known are a, b", "a", "b")
	f("x", "")
}

func TestDistance(t *testing.T) {
	f := func(a, b string, want int) {
		t.Helper()
		if got := distance(a, b); got != want {
			t.Errorf("distance(%q, %q) = %d, want %d", a, b, got, want)
		}
		if got := distance(b, a); got != want {
			t.Errorf("distance(%q, %q) = %d, want %d", b, a, got, want)
		}
	}
	f("", "", 0)
	f("abc", "", 3)
	f("abc", "abc", 0)
	f("frist", "first", 1)
	f("kitten", "sitting", 3)
}
