package storage

import (
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/providers"
)

func TestObjectCheck(t *testing.T) {
	good := Object{Provider: "openai", ID: "file-1", Kind: providers.ObjectFile, Workspace: "default"}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Object){
		"id":        func(o *Object) { o.ID = "" },
		"long id":   func(o *Object) { o.ID = strings.Repeat("x", MaxObjectID+1) },
		"provider":  func(o *Object) { o.Provider = "" },
		"kind":      func(o *Object) { o.Kind = "" },
		"workspace": func(o *Object) { o.Workspace = "" },
	} {
		bad := good
		spoil(&bad)
		if bad.Check() == nil {
			t.Errorf("%s: %+v is no error", name, bad)
		}
	}
}

func TestObjectExpired(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	o := Object{}
	if o.Expired(at) {
		t.Error("an object without an end has expired")
	}
	o.ExpiresAt = &at
	if o.Expired(at.Add(-time.Nanosecond)) || !o.Expired(at) {
		t.Error("an object expires at another time than it says")
	}
}
