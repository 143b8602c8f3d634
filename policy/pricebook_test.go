package policy

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

func row(id, model, from string) storage.Price {
	p := storage.Price{ID: id, Provider: "openai", Model: model}
	if from != "" {
		p.From = day(from)
	}
	return p
}

func TestPriceBook_Find(t *testing.T) {
	catalogue := []storage.Price{
		row("gpt-5 old", "gpt-5", "2025-08-07"), row("gpt-5 new", "gpt-5", "2026-03-01"),
		row("dated", "gpt-4o-2024-05-13", "2024-05-13"), row("gpt-4o", "gpt-4o", "2024-05-13"),
		{ID: "other", Provider: "groq", Model: "gpt-5"},
	}
	store := []storage.Price{
		row("imported", "gpt-5", "2026-01-01"), row("corrected", "gpt-5", "2026-01-01"),
		row("later", "gpt-5", "2026-12-01"),
	}
	config := []storage.Price{
		row("any", "*", ""), row("any gpt", "gpt-*", ""), row("mini", "gpt-5-mini*", "2026-06-01"),
	}
	b := NewPriceBook(catalogue, store, config)

	f := func(model, at, want string) {
		t.Helper()
		for range 2 { // once looked for, once remembered
			id := ""
			if p := b.Find("openai", model).At(day(at)); p != nil {
				id = p.ID
			}
			if id != want {
				t.Errorf("%s at %s: %q, want %q", model, at, id, want)
			}
		}
	}
	// The later list goes first, each from its date on.
	f("gpt-5", "2026-11-23", "corrected")
	f("gpt-5", "2026-12-01", "later")
	f("gpt-5", "2026-01-01", "corrected")
	f("gpt-5", "2025-12-31", "gpt-5 old")
	f("gpt-5", "2025-08-07", "gpt-5 old")
	// The nearer name goes first, in whatever list.
	f("gpt-4o-2024-05-13", "2026-11-23", "dated")
	f("gpt-4o-2024-08-06", "2026-11-23", "gpt-4o")
	f("gpt-5-2025-08-07", "2026-11-23", "corrected")
	// A wildcard stands for what no name does, the longest first.
	f("gpt-5-mini", "2026-11-23", "mini")
	f("gpt-5-mini-2025-08-07", "2026-11-23", "mini")
	f("gpt-5-mini", "2026-05-31", "any gpt")
	f("gpt-9", "2026-11-23", "any gpt")
	f("o9", "2026-11-23", "any")
	f("gpt-5", "2025-08-06", "any gpt")

	if p := b.Find("nobody", "gpt-5"); p != nil || p.At(noon) != nil {
		t.Errorf("%+v", p)
	}
	if p := b.Find("groq", "gpt-5").At(time.Time{}); p == nil || p.ID != "other" {
		t.Errorf("%+v", p)
	}
	if p := NewPriceBook().Find("openai", "gpt-5"); p != nil {
		t.Errorf("%+v of no lists", p)
	}
}

// Whoever made the lists may change them afterwards.
func TestNewPriceBook_copies(t *testing.T) {
	list := []storage.Price{row("mine", "gpt-5", "")}
	b := NewPriceBook(list)
	list[0].ID = "changed"
	if p := b.Find("openai", "gpt-5").At(noon); p.ID != "mine" {
		t.Errorf("%q", p.ID)
	}
}

// Names come from clients: however many they make up, the book stays small, and answers right.
func TestPriceBook_Find_manyNames(t *testing.T) {
	b := NewPriceBook([]storage.Price{row("any", "gpt-*", ""), row("five", "gpt-5", "")})
	var wait sync.WaitGroup
	for worker := range 4 {
		wait.Go(func() {
			for i := range remembered {
				name := fmt.Sprintf("gpt-made-up-%d-%d", worker, i)
				if p := b.Find("openai", name); p == nil || p.rows[0].ID != "any" {
					t.Errorf("%s: %+v", name, p)
				}
				if p := b.Find("openai", "gpt-5"); p == nil || p.rows[0].ID != "five" {
					t.Errorf("gpt-5: %+v", p)
				}
				if p := b.Find("openai", "x"+name); p != nil {
					t.Errorf("x%s: %+v", name, p)
				}
			}
		})
	}
	wait.Wait()
	if n := len(*b.found.Load()); n == 0 || n > remembered {
		t.Errorf("%d names are remembered", n)
	}
}
