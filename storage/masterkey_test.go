package storage

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestParseMasterKey(t *testing.T) {
	raw := []byte(strings.Repeat("\xfb\xff", 16)) // "+" and "/" in base64
	_, k := vault(t, master(t))
	want, err := ParseMasterKey(NewSecret(base64.StdEncoding.EncodeToString(raw)))
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := want.Wrap(t.Context(), k.ID, raw)
	if err != nil {
		t.Fatal(err)
	}
	f := func(text string) {
		t.Helper()
		m, err := ParseMasterKey(NewSecret(text))
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := m.Unwrap(t.Context(), k.ID, wrapped); err != nil {
			t.Errorf("another spelling is another key: %v", err)
		}
	}
	f(base64.StdEncoding.EncodeToString(raw))
	f(base64.RawStdEncoding.EncodeToString(raw))
	f(base64.URLEncoding.EncodeToString(raw))
	f(base64.RawURLEncoding.EncodeToString(raw))
	f("\n " + base64.StdEncoding.EncodeToString(raw) + "\r\n")

	g := func(text, want string) {
		t.Helper()
		_, err := ParseMasterKey(NewSecret(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v; want one with %q", err, want)
		}
		if err != nil && text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("error %q shows the key", err)
		}
	}
	g("", "0 bytes")
	g(base64.StdEncoding.EncodeToString(raw[:31]), "31 bytes")
	g(base64.StdEncoding.EncodeToString(append(raw, 1)), "33 bytes")
	g("correct horse battery staple !!!", "not base64")
	g(strings.Repeat("ab", 32), "48 bytes") // hex is base64 by chance
}
