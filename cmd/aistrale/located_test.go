package main

import (
	"errors"
	"strings"
	"testing"
)

// What only a start can find names the line that it is about as well.
func TestConfig_located(t *testing.T) {
	file := writeConfig(t, "listen: 127.0.0.1:1\nproviders:\n  - {name: mock}\n  - {name: groq}\nstorage:\n  redis: redis://h\n")
	c, err := loadConfig(file, variables("AISTRALE_STORAGE_POSTGRES", "postgres://h/db"))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"listen: in use":            "f:1: listen: in use",
		"providers[1]: groq: no":    "f:4: providers[1]: groq: no",
		"providers[1].api_key: no":  "f:4: providers[1].api_key: no",
		"storage.redis: no":         "f:6: storage.redis: no",
		"storage.postgres: no":      "AISTRALE_STORAGE_POSTGRES: storage.postgres: no",
		"admin_listen: in use":      "admin_listen: in use", // nobody said it
		"something else: of no use": "something else: of no use",
	} {
		cause := errors.New(text)
		got := c.located(cause)
		if strings.ReplaceAll(got.Error(), file, "f") != want || !errors.Is(got, cause) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if c.located(nil) != nil {
		t.Error("no error has a place")
	}
}
