package main

import "testing"

func TestParseSize(t *testing.T) {
	f := func(text string, want Size) {
		t.Helper()
		if got, err := parseSize(text); err != nil || got != want {
			t.Errorf("parseSize(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	f("0", 0)
	f("4096", 4096)
	f("1B", 1)
	f("16KiB", 16<<10)
	f("32MiB", 32<<20)
	f("2 GiB", 2<<30)
	f("1kb", 1000)
	f("3MB", 3e6)
	f("1TB", 1e12)
	f("8388607TiB", 8388607<<40)
	for _, text := range []string{"", "MiB", "-1", "1.5MiB", "32Mi", "1XB", "1KiB1", "8388608TiB", "99999999999999999999", "0x10"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("parseSize(%q) = %d", text, got)
		}
	}
}
