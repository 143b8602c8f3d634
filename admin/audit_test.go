package admin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/auditlog"
)

// testWitness keeps checkpoints, unless it is away.
type testWitness struct {
	away  bool
	notes map[string]string
}

func (*testWitness) Name() string { return "test" }

func (w *testWitness) Put(_ context.Context, name string, text []byte) error {
	if w.away {
		return errors.New("away")
	}
	if w.notes == nil {
		w.notes = map[string]string{}
	}
	w.notes[name] = string(text)
	return nil
}

func TestAudit(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		token := a.user("ada", "default", storage.RoleViewer)
		a.wants(403, token, "POST", "/users", `{"name":"eve"}`)
		a.wants(401, "", "POST", "/session", `{"name":"ada","password":"my secret, in the wrong field"}`)
		a.wants(200, a.root, "PATCH", "/users/ada", `{"password":"another good one"}`, "If-Match", "*")
		do(t, a.auditor.turn(t.Context()))

		log := a.wants(200, a.root, "GET", "/audit?limit=200", "")
		for _, want := range []string{
			`"actor":"user/ada","via":"token/`, `"action":"users.write","target":"POST /admin/v1/users","outcome":"denied"`,
			`"action":"session.open","target":"user/ada","outcome":"denied"`, `"action":"tokens.own"`,
		} {
			if !strings.Contains(log.body, want) {
				t.Errorf("the log lacks %s:\n%s", want, log.body)
			}
		}
		for _, secret := range []string{"argon2", password, "another good one", "wrong field", "ais-admin-"} {
			if strings.Contains(log.body, secret) {
				t.Errorf("the log has %q", secret)
			}
		}
		if got := a.wants(200, a.root, "GET", "/audit?action=session.*&outcome=denied", ""); strings.Count(got.body, `"seq"`) != 1 {
			t.Errorf("got %s", got.body)
		}
		first := a.wants(200, a.root, "GET", "/audit?limit=2", "")
		next := a.wants(200, a.root, "GET", "/audit?limit=2&cursor="+first.field(t, "next_cursor").(string), "")
		if seq := func(r answerOf) float64 { return r.field(t, "data").([]any)[0].(map[string]any)["seq"].(float64) }; seq(first)-2 != seq(next) {
			t.Errorf("pages: %s then %s", first.body, next.body)
		}
	})
}

// What is exported verifies with the key alone, and what was cut off below a checkpoint does not.
func TestAuditExport(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		for n := range 5 {
			a.wants(201, a.root, "POST", "/users", fmt.Sprintf(`{"name":"user-%d"}`, n))
		}
		made := a.wants(201, a.root, "POST", "/audit/checkpoints", "")
		again := a.wants(201, a.root, "POST", "/audit/checkpoints", "")
		if made.body != again.body {
			t.Errorf("of one head there are two checkpoints: %s and %s", made.body, again.body)
		}
		key, err := auditlog.ParseKey(a.wants(200, a.root, "GET", "/audit/key", "").field(t, "key").(string))
		do(t, err)
		given, err := key.Open([]byte(made.field(t, "note").(string)))
		do(t, err)
		text := a.wants(200, a.root, "GET", "/audit/export", "").body + "\n"
		report, err := auditlog.Verify(strings.NewReader(text), &key, []auditlog.Checkpoint{given})
		if err != nil || report.Records != 5 || report.Witnessed != 5 || report.Checkpoints != 2 {
			t.Fatalf("%+v, error %v", report, err)
		}
		lines := strings.SplitAfter(text, "\n")
		if _, err := auditlog.Verify(strings.NewReader(strings.Join(lines[:4], "")), &key, []auditlog.Checkpoint{given}); err == nil {
			t.Error("a log that was cut off was not found")
		}
	})
}

func TestCheckpoints(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		a.witness.away = true
		a.wants(201, a.root, "POST", "/users", `{"name":"one"}`)
		if err := a.auditor.turn(t.Context()); err == nil || !strings.Contains(err.Error(), "audit.witnesses: test: away") {
			t.Fatalf("error %v", err)
		}
		a.wants(201, a.root, "POST", "/users", `{"name":"two"}`)
		_ = a.auditor.turn(t.Context())
		if got := a.wants(200, a.root, "GET", "/audit/checkpoints", ""); strings.Count(got.body, `"seq"`) != 1 {
			t.Fatalf("a checkpoint was made before it was due: %s", got.body)
		}
		a.clock = a.clock.Add(time.Minute)
		a.witness.away = false
		do(t, a.auditor.turn(t.Context()))
		do(t, a.auditor.turn(t.Context()))
		if len(a.witness.notes) != 2 {
			t.Fatalf("the witness has %v", a.witness.notes)
		}
		a.clock = a.clock.Add(time.Hour)
		do(t, a.auditor.turn(t.Context()))
		if len(a.witness.notes) != 2 {
			t.Fatal("a checkpoint was made of nothing new")
		}
	})
}
