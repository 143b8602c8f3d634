package main

import (
	"strings"
	"testing"
)

func TestWebhookCommands(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.in = "https://hooks.example.com/services/canary\n"
	secret := d.must("webhook", "create", "ops", "--events", "key.created,audit.checkpoint")
	if !strings.HasPrefix(secret, "whsec_") {
		t.Fatalf("got %q", secret)
	}
	d.in = "http://169.254.169.254/\n"
	d.refuses(1, "may not be called", "webhook", "create", "inside")
	d.refuses(1, "smtp", "webhook", "create", "mail", "--kind", "email", "--to", "ops@example.com")
	rows := flat(t, d.must("webhook", "list", "--json"))
	if len(rows) != 1 || rows[0]["target"] != "https://hooks.example.com" || rows[0]["events"] != "key.created,audit.checkpoint" {
		t.Fatalf("got %v", rows)
	}
	id := rows[0]["id"].(string)
	d.must("audit", "checkpoint") // the installation's: of which a workspace does not hear
	d.must("webhook", "test", id)
	if again := d.must("webhook", "rotate", id); again == secret || !strings.HasPrefix(again, "whsec_") {
		t.Errorf("the new secret is %q", again)
	}
	sent := flat(t, d.must("webhook", "deliveries", id, "--json", "--state", "pending"))
	if len(sent) != 1 || sent[0]["state"] != "pending" {
		t.Fatalf("got %v", sent)
	}
	d.refuses(1, "in line already", "webhook", "resend", id, sent[0]["id"].(string))
	for _, text := range []string{d.must("webhook", "show", id), d.must("webhook", "deliveries", id), d.must("audit", "list")} {
		if strings.Contains(text, "canary") || strings.Contains(text, "whsec") {
			t.Errorf("a secret shows:\n%s", text)
		}
	}
	d.must("webhook", "remove", id)
	d.refuses(1, "not found", "webhook", "show", id)
}
