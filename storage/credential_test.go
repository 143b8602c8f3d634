package storage

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

const upstream = "https://api.example.com/v1"

func sealed(t *testing.T, v *Vault, secret string) Credential {
	t.Helper()
	c := Credential{Name: "openai", Provider: "openai", Workspace: DefaultWorkspace}
	if err := c.Seal(v, NewSecret(secret), upstream, someDay); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCredential(t *testing.T) {
	v, _ := vault(t, master(t))
	c := sealed(t, v, canary)
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	if c.Target != "https://api.example.com:443" || c.Hint != "ghij" || !c.CreatedAt.Equal(someDay) {
		t.Fatalf("got %+v", c)
	}
	for _, same := range []string{upstream, "HTTPS://API.example.com:443/other?x=y"} {
		if got, err := c.Open(v, same); err != nil || got.Reveal() != canary {
			t.Fatalf("%s: error %v", same, err)
		}
	}
	f := func(baseURL, want string) {
		t.Helper()
		got, err := c.Open(v, baseURL)
		if err == nil || !strings.Contains(err.Error(), want) || !got.Empty() {
			t.Errorf("%s: error %v; want one with %q", baseURL, err, want)
		}
	}
	f("https://api.example.com.evil.com/v1", "add it again")
	f("http://api.example.com/v1", "add it again")
	f("https://api.example.com:8443/v1", "add it again")
	f("ftp://api.example.com", "scheme")
}

// Editing the row's target by hand, as whoever can write the database can, opens nothing.
func TestCredentialTargetEdited(t *testing.T) {
	v, _ := vault(t, master(t))
	c := sealed(t, v, canary)
	c.Target = "https://evil.example.com:443"
	if _, err := c.Open(v, "https://evil.example.com"); !errors.Is(err, ErrSealBroken) {
		t.Fatalf("error %v, want %v", err, ErrSealBroken)
	}
	c = sealed(t, v, canary)
	c.ID = sealed(t, v, "another").ID
	if _, err := c.Open(v, upstream); !errors.Is(err, ErrSealBroken) {
		t.Fatalf("error %v, want %v", err, ErrSealBroken)
	}
}

func TestCredentialSealAgain(t *testing.T) {
	v, _ := vault(t, master(t))
	c := sealed(t, v, canary)
	first := c
	if err := c.Seal(v, NewSecret("short"), "http://[::1]:8000", someDay.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if c.ID == first.ID || c.Target != "http://[::1]:8000" || c.Hint != "" ||
		!c.CreatedAt.Equal(someDay) || !c.UpdatedAt.Equal(someDay.Add(time.Hour)) {
		t.Fatalf("got %+v", c)
	}
	if err := c.Seal(v, Secret{}, upstream, someDay); err == nil {
		t.Fatal("an empty secret was sealed")
	}
}

func TestHint(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := hint(NewSecret(text)); got != want {
			t.Errorf("the hint of %q is %q, want %q", text, got, want)
		}
	}
	f("", "")
	f("1234567890123456789", "")
	f("12345678901234567890", "7890")
	f("1234567890123456789\n", "")
}

func TestTargetOf(t *testing.T) {
	f := func(baseURL, want string) {
		t.Helper()
		got, err := TargetOf(baseURL)
		if err != nil || got != want {
			t.Errorf("%s is %q, want %q; error %v", baseURL, got, want, err)
		}
	}
	f("https://api.openai.com/v1", "https://api.openai.com:443")
	f("HTTPS://API.OpenAI.com.:0443/", "https://api.openai.com:443")
	f("http://10.0.0.7:8000/v1", "http://10.0.0.7:8000")
	f("http://localhost", "http://localhost:80")
	f("http://[::1]/", "http://[::1]:80")
	f("http://[0:0:0:0:0:0:0:1]:81/", "http://[::1]:81")
	f("http://[::ffff:10.0.0.7]", "http://10.0.0.7:80")

	g := func(baseURL, want string) {
		t.Helper()
		got, err := TargetOf(baseURL)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "base_url") {
			t.Errorf("%s is %q, error %v; want one with base_url and %q", baseURL, got, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("error %q shows a password", err)
		}
	}
	g("", "scheme")
	g("api.openai.com/v1", "scheme")
	g("ws://api.openai.com", "scheme")
	g("https://", "no host")
	g("https://./", "no host")
	g("https://user:hunter2@api.openai.com", "password")
	g("https://user:hunter2@api.openai.com:x", "not a URL")
	g("https://api.openai.com:0", "port")
	g("https://api.openai.com:65536", "port")
	g("https://apı.openai.com", "host name")
	g("https://api%2eopenai.com", "")
	g("https://a,b", "host name")
}

// No way of printing shows a secret.
func TestCanary(t *testing.T) {
	key := NewMasterKey()
	m, err := ParseMasterKey(key)
	if err != nil {
		t.Fatal(err)
	}
	v, dataKey := vault(t, m)
	c := sealed(t, v, canary)
	secret := NewSecret(canary)
	_, broken := c.Open(v, "https://evil.example.com")
	holder := struct {
		Secret  Secret
		Pointer *Secret
		List    []Secret
		Map     map[string]Secret
	}{secret, &secret, []Secret{secret}, map[string]Secret{"a": secret}}

	var out bytes.Buffer
	things := []any{secret, &secret, holder, &holder, c, &c, v, m, dataKey, broken}
	for _, thing := range things {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&out, verb+"\n", thing)
		}
		fmt.Fprintln(&out, thing)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "thing", thing)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "thing", thing)
		if b, err := json.Marshal(thing); err == nil {
			out.Write(b)
		}
	}
	text := out.String()
	for _, shown := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), key.Reveal(), canary[:16]} {
		if strings.Contains(text, shown) {
			t.Errorf("%q is shown", shown)
		}
	}
	if !strings.Contains(text, Redacted) {
		t.Error("nothing was printed as redacted")
	}
}
