package admin

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/zstd"

	"github.com/aistrale/aistrale/storage"
)

// keptPayload keeps a payload as a gateway does.
func (a *testAPI) keptPayload(id, owner, endUser string, c PayloadContent) {
	a.t.Helper()
	text, err := json.Marshal(&c)
	do(a.t, err)
	z, err := zstd.NewWriter(nil)
	do(a.t, err)
	p := storage.Payload{ID: id, Workspace: "team", Key: "abcd2345", User: owner, EndUser: endUser, CreatedAt: a.clock, ExpiresAt: a.clock.Add(time.Hour)}
	sealed, err := a.vault.Seal(a.t.Context(), storage.NewSecret(string(z.EncodeAll(text, nil))), p.Binding())
	do(a.t, err)
	do(a.t, a.store.AddPayloads(a.t.Context(), storage.SealedPayload{Payload: p, Sealed: sealed}))
}

func TestPayload(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		auditor := a.user("aud@example.com", "team", storage.RoleAuditor)
		engineer := a.user("eng@example.com", "team", storage.RoleEngineer)
		admin := a.user("adm@example.com", "team", storage.RoleAdmin)
		ids := make([]string, 3)
		for i, who := range [][2]string{{"ada", "u1"}, {"bob", "ada"}, {"bob", "u1"}} {
			ids[i] = fmt.Sprintf("0198c2a4-7d1e-7b3c-9a55-01234567890%d", i)
			a.keptPayload(ids[i], who[0], who[1], PayloadContent{Request: jsontext.Value(`{"a":"[redacted:email]"}`), RequestCut: true, ResponseOmitted: "it is no text"})
		}
		read := "/requests/" + ids[0] + "/payload?workspace=team"
		got := a.wants(200, auditor, "GET", read, "").body
		if !strings.Contains(got, `"request":{"a":"[redacted:email]"}`) || !strings.Contains(got, `"response":null`) || !strings.Contains(got, `"request_cut":true`) {
			t.Errorf("%s", got)
		}
		do(t, a.auditor.turn(t.Context()))
		log := a.wants(200, a.root, "GET", "/audit?action=payloads.read&outcome=done", "").body
		if strings.Count(log, `"target":"request/`+ids[0]+`"`) != 1 || !strings.Contains(log, "aud@example.com") {
			t.Errorf("who reads is not noted: %s", log)
		}
		a.wants(403, engineer, "GET", read, "")
		a.wants(403, auditor, "POST", "/payloads/erase?workspace=team", `{"user":"ada"}`)
		a.wants(404, a.root, "GET", "/requests/"+ids[0]+"/payload?workspace=other", "")
		if got := a.wants(200, admin, "POST", "/payloads/erase?workspace=team", `{"user":"ada"}`).body; got != `{"requests":2}` {
			t.Errorf("%s", got)
		}
		a.wants(404, auditor, "GET", read, "")
		a.wants(200, auditor, "GET", "/requests/"+ids[2]+"/payload?workspace=team", "")
		do(t, a.auditor.turn(t.Context()))
		log = a.wants(200, a.root, "GET", "/audit?action=payloads.erase&outcome=done", "").body
		if !strings.Contains(log, `"target":"user/ada"`) || !strings.Contains(log, `"after":{"requests":2}`) {
			t.Errorf("an erasure is not noted: %s", log)
		}
		a.wants(422, admin, "POST", "/payloads/erase?workspace=team", `{"user":""}`)
		a.clock = a.clock.Add(2 * time.Hour)
		a.wants(404, a.root, "GET", "/requests/"+ids[2]+"/payload?workspace=team", "") // its time has ended
	})
}
