package storage

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"
)

const someSecret = "0123456789abcdefghijABCDEFGHIJ_-"

func TestNewKey(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 678_901, time.FixedZone("", 3600))
	k, text := NewKey("ci", now)
	if !regexp.MustCompile(`^sk-ais-[a-z2-9]{8}-[A-Za-z0-9_-]{43}$`).MatchString(text.Reveal()) {
		t.Fatal("the text has another form")
	}
	if id, ok := ParseKey(text.Reveal()); !ok || id != k.ID {
		t.Fatalf("its text names %q, the key is %q", id, k.ID)
	}
	if err := k.Check(); err != nil {
		t.Fatal(err)
	}
	if want := now.UTC().Truncate(time.Microsecond); !k.CreatedAt.Equal(want) || k.CreatedAt.Location() != time.UTC {
		t.Fatalf("created at %v, want %v", k.CreatedAt, want)
	}
	other, otherText := NewKey("ci", now)
	if other.ID == k.ID || other.Hash == k.Hash || otherText == text {
		t.Fatal("two keys are one")
	}
	if !k.Matches([]byte(text.Reveal()), time.Time{}) || k.Matches([]byte(otherText.Reveal()), time.Time{}) {
		t.Fatal("a key matches its own text and no other")
	}
}

func TestKeyMatchesWhole(t *testing.T) {
	k, text := NewKey("ci", time.Now())
	whole := []byte(text.Reveal())
	for i := range whole {
		changed := append([]byte(nil), whole...)
		changed[i] ^= 1
		if k.Matches(changed, time.Time{}) {
			t.Fatalf("still matches with byte %d changed", i)
		}
	}
	if k.Matches(whole[:len(whole)-1], time.Time{}) || k.Matches(append(whole, 'a'), time.Time{}) || k.Matches(nil, time.Time{}) {
		t.Fatal("matches a text of another length")
	}
}

func TestParseKey(t *testing.T) {
	f := func(text, id string) {
		t.Helper()
		got, ok := ParseKey(text)
		if got != id || ok != (id != "") {
			t.Errorf("%q gives %q, %v; want %q", text, got, ok, id)
		}
		raw, ok := ParseKey([]byte(text))
		if string(raw) != id || ok != (id != "") {
			t.Errorf("%q as bytes gives %q, %v; want %q", text, raw, ok, id)
		}
	}
	f("sk-ais-abcd2345-"+someSecret, "abcd2345")
	f("sk-ais-ABCD0189-"+someSecret, "ABCD0189")
	f("sk-ais-abcd2345-"+strings.Repeat("-", 32), "abcd2345")
	f("sk-ais-abcd2345-"+strings.Repeat("a", 256), "abcd2345")
	f("sk-ais-abcd2345-"+strings.Repeat("a", 257), "")
	f("sk-ais-abcd2345-"+someSecret[1:], "")
	f("sk-ais-abcd234-"+someSecret+"aa", "")
	f("sk-ais-abcd23456-"+someSecret, "")
	f("sk-ais-abcd-345-"+someSecret, "")
	f("sk-ais-abcd2345_"+someSecret, "")
	f("sk-ais-abcd2345-"+someSecret+" ", "")
	f("sk-ais-abcd2345-"+someSecret+"é", "")
	f(" sk-ais-abcd2345-"+someSecret, "")
	f("SK-AIS-abcd2345-"+someSecret, "")
	f("ais-admin-abcd2345-"+someSecret, "")
	f("sk-ais-", "")
	f("", "")
}

func TestKeyOf(t *testing.T) {
	text := "sk-ais-abcd2345-" + someSecret
	k, err := KeyOf("ci", text)
	if err != nil {
		t.Fatal(err)
	}
	if k.ID != "abcd2345" || k.Name != "ci" || !k.Matches([]byte(text), time.Time{}) {
		t.Fatalf("got %+v", k)
	}
	f := func(name, text, want string) {
		t.Helper()
		_, err := KeyOf(name, text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v; want one with %q", err, want)
		} else if len(text) > 8 && strings.Contains(err.Error(), text) {
			t.Errorf("error %q shows the text", err)
		}
	}
	f("ci", "sk-ais-abcd2345-tooshort", "at least 32")
	f("ci", "sk-proj-"+someSecret, "sk-ais-")
	f("", text, "name is empty")
	f("a/b", text, "a/b")
	f(strings.Repeat("a", 129), text, "at most 128")
}

// Admission parses and compares on the request's path.
func TestKeyAllocatesNothing(t *testing.T) {
	k, secret := NewKey("ci", time.Now())
	text := secret.Reveal()
	raw := []byte(text)
	now := time.Now()
	allocs := testing.AllocsPerRun(100, func() {
		if _, ok := ParseKey(text); !ok {
			t.Fatal("no key")
		}
		if _, ok := ParseKey(raw); !ok || !k.Matches(raw, time.Time{}) || k.Valid(now) != nil {
			t.Fatal("no key")
		}
	})
	if allocs != 0 {
		t.Fatalf("%v allocations, want 0", allocs)
	}
}

func TestKeyValid(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	before, after := now.Add(-time.Nanosecond), now.Add(time.Nanosecond)
	f := func(expires, revoked *time.Time, want error) {
		t.Helper()
		k := Key{ExpiresAt: expires, RevokedAt: revoked}
		if err := k.Valid(now); !errors.Is(err, want) {
			t.Errorf("expires %v, revoked %v: %v, want %v", expires, revoked, err, want)
		}
	}
	f(nil, nil, nil)
	f(&after, nil, nil)
	f(&now, nil, ErrExpired)
	f(&before, nil, ErrExpired)
	f(nil, &before, ErrRevoked)
	f(&before, &before, ErrRevoked)
	f(nil, &after, ErrRevoked) // whoever's clock is ahead, revoked is revoked
}

func TestKeyCheck(t *testing.T) {
	f := func(want string, change func(*Key)) {
		t.Helper()
		k, _ := NewKey("ci", time.Now())
		change(&k)
		err := k.Check()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("error %v; want one with %q", err, want)
		}
	}
	f("", func(*Key) {})
	f("", func(k *Key) { k.Owner = "ada@example.com" })
	f("", func(k *Key) { k.Tags = []string{"team=search", "a:b"} })
	f("", func(k *Key) { k.Models = []string{"*", "huggingface/meta-llama/Llama-3.3-70B-Instruct"} })
	f("owner", func(k *Key) { k.Owner = "a b" })
	f("project", func(k *Key) { k.Project = "" })
	f("workspace", func(k *Key) { k.Workspace = "../x" })
	f("public id", func(k *Key) { k.ID = "abc" })
	f("public id", func(k *Key) { k.ID = "abcd-345" })
	f("models", func(k *Key) { k.Models = []string{"a,b"} })
	f("allow", func(k *Key) { k.Allow = []string{""} })
	f("tags", func(k *Key) { k.Tags = []string{"a\nb"} })
	f("", func(k *Key) { k.Timeouts.Total, k.Sticky = time.Minute, "session" })
	f("timeouts", func(k *Key) { k.Timeouts.StreamIdle = -1 })
	f("sticky", func(k *Key) { k.Sticky = "always" })
}

func FuzzParseKey(f *testing.F) {
	f.Add("sk-ais-abcd2345-" + someSecret)
	f.Add("sk-ais-abcd2345-")
	f.Add("ais-admin-abcd2345-" + someSecret)
	form := regexp.MustCompile(`^sk-ais-([A-Za-z0-9]{8})-[A-Za-z0-9_-]{32,256}$`)
	f.Fuzz(func(t *testing.T, text string) {
		want := form.FindStringSubmatch(strings.ReplaceAll(text, "\n", " "))
		id, ok := ParseKey(text)
		if ok != (want != nil) || ok && id != want[1] {
			t.Fatalf("%q gives %q, %v", text, id, ok)
		}
	})
}

func TestMaskBearers(t *testing.T) {
	_, key := NewKey("ci", time.Now())
	_, token := NewAdminToken("ci", time.Now())
	f := func(text, want string) {
		t.Helper()
		if got := MaskBearers(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	k, a := key.Reveal(), token.Reveal()
	f("no such file '"+k+"'.", "no such file '"+k[:16]+"…'.")
	f(a+" "+a, a[:19]+"… "+a[:19]+"…")
	f("GET /v1/"+k+"/x?"+k, "GET /v1/"+k[:16]+"…/x?"+k[:16]+"…")
	for _, plain := range []string{"", "sk-ais-", "sk-ais-…", "sk-ais-abcd2345", "ais-admin-abcd2345", "a sk-ais- b", k[:15] + "é" + k[16:]} {
		f(plain, plain)
	}
}
