package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/proxy"
	"github.com/aistrale/aistrale/storage"
)

// wired gives a desk's store as a gateway has it, with a master key, and a keeper of payloads on it.
func wired(t *testing.T, d *desk, sealing bool, change func(*Config)) (*store, *payloadKeeper) {
	t.Helper()
	config, err := loadConfig("", func(name string) string { return d.vars[name] })
	if err != nil {
		t.Fatal(err)
	}
	change(config)
	s, err := openStore(t.Context(), environment{Getenv: func(name string) string { return d.vars[name] }, Now: func() time.Time { return d.now }}, config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if !sealing {
		s.wrapper, s.vault = nil, storage.NewVault(nil)
	}
	t.Cleanup(func() { _ = s.Close() })
	k, err := newPayloadKeeper(s, func() *Config { return config }, config)
	if err != nil {
		t.Fatal(err)
	}
	return s, k
}

const payloadCanary = "canary-7f3a91"

func capturedCall(d *desk, settings storage.PayloadSettings) *proxy.Captured {
	return &proxy.Captured{
		Payload: storage.Payload{
			ID: uuid.Must(uuid.NewV7()).String(), Workspace: "default", Key: "abcd2345", User: "ada", CreatedAt: d.now, ExpiresAt: time.Now().Add(time.Hour),
		},
		Settings: settings, Request: []byte(`{"messages":[{"content":"mail ann@example.com about ` + payloadCanary + `"}]}`), Response: []byte(`{"text":"done"}`),
	}
}

func TestPayloads(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.vars["AISTRALE_MASTER_KEY"] = storage.NewMasterKey().Reveal()
	settings := storage.PayloadSettings{Keep: time.Hour, Request: true, Response: true, Redact: []string{"email", "canary"}}
	s, k := wired(t, d, true, func(c *Config) { c.Payloads.Rules = []RedactionConfig{{Name: "canary", Pattern: `canary-\w+`}} })
	good, bad := capturedCall(d, settings), capturedCall(d, settings)
	bad.Request = []byte(`{"cut off`)
	k.Keep(good)
	k.Keep(bad)
	unknown := settings
	unknown.Redact = []string{"gone"}
	k.Keep(capturedCall(d, unknown))
	if err := k.close(); err != nil {
		t.Fatal(err)
	}
	if n := k.dropped(); n != 2 {
		t.Errorf("%d are counted as lost, want the two that cannot be redacted", n)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	shown := d.must("request", "payload", good.ID)
	if !strings.Contains(shown, `mail [redacted:email] about [redacted:canary]`) || !strings.Contains(shown, `"text":"done"`) {
		t.Errorf("%s", shown)
	}
	d.refuses(1, "not found", "request", "payload", bad.ID)
	files, err := filepath.Glob(filepath.Join(d.dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err == nil && (bytes.Contains(text, []byte(payloadCanary)) || bytes.Contains(text, []byte("ann@example"))) {
			t.Errorf("%s has what was to be redacted", name)
		}
	}
	if said := d.must("payload", "erase", "ada"); !strings.Contains(said, "of 1 requests") {
		t.Errorf("%s", said)
	}
	d.refuses(1, "not found", "request", "payload", good.ID)
}

// What finds no room, or cannot be sealed, is counted and not kept.
func TestPayloads_Lost(t *testing.T) {
	t.Parallel()
	f := func(sealing bool, memory Size) {
		t.Helper()
		d := newDesk(t)
		d.vars["AISTRALE_MASTER_KEY"] = storage.NewMasterKey().Reveal()
		s, k := wired(t, d, sealing, func(c *Config) { c.Payloads.Memory = memory })
		c := capturedCall(d, storage.PayloadSettings{Keep: time.Hour, Request: true})
		k.Keep(c)
		if err := k.close(); err != nil {
			t.Fatal(err)
		}
		if n := k.dropped(); n != 1 || k.waiting.Load() != 0 {
			t.Errorf("%d are counted, %d bytes wait", n, k.waiting.Load())
		}
		if _, err := s.Payload(t.Context(), "default", c.ID); err == nil {
			t.Error("it was kept")
		}
	}
	f(true, 10)
	f(false, 1<<20)
}

func TestPayloads_Config(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "c.yaml")
		if err := os.WriteFile(path, []byte("providers: [{name: mock}]\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := loadConfig(path, func(string) string { return "" })
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	const key = "keys:\n- name: ci\n  key: sk-ais-abcd2345-kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\n  payloads: "
	f(key+"{keep: 30d, request: true, max_bytes: 1MiB, redact: [email, mine]}\npayloads: {rules: [{name: mine, members: [password]}]}\n", "")
	f(key+"{keep: 30d}\n", "nothing would be kept")
	f(key+"{request: true}\n", "keep is missing")
	f(key+"{keep: 100d, request: true}\n", "longer than payloads.max_lifetime")
	f(key+"{keep: 1d, request: true, redact: [emial]}\n", `there is no rule "emial"`)
	f(key+"{keep: 1d, request: true, max_bytes: 5MiB}\n", "max_bytes")
	f("payloads: {rules: [{name: x, pattern: '(a'}]}\n", "error parsing")
	f("payloads: {rules: [{name: email, pattern: a}]}\n", "there already")
}
