package providers

import (
	"encoding/base64"
	"testing"
)

func TestMedia_PlainText(t *testing.T) {
	f := func(kind, name, data, want string, ok bool) {
		t.Helper()
		m := Media{Type: kind, Name: name, Data: data}
		if got, is := m.PlainText(); is != ok || ok && got != want {
			t.Errorf("%q, %q: %q, %t; want %q, %t", kind, name, got, is, want, ok)
		}
	}
	said := base64.StdEncoding.EncodeToString([]byte("grüße"))
	f("text/plain", "", said, "grüße", true)
	f("Text/Markdown; charset=utf-8", "", said, "grüße", true)
	f("application/json", "", base64.RawStdEncoding.EncodeToString([]byte(`{"a":1}`)), `{"a":1}`, true)
	f("", "notes.md", said, "grüße", true)
	f("", "notes", said, "", false)
	f("application/pdf", "notes.txt", said, "", false)
	f("text/plain", "", "", "", false)
	f("text/plain", "", "not base64", "", false)
	f("text/plain", "", base64.StdEncoding.EncodeToString([]byte{0xff, 0xfe}), "", false)
}
