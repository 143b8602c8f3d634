package main_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aistrale/aistrale/storage"
)

// transitEngine emulates as much of Vault's transit engine as one version of one key needs.
type transitEngine struct {
	url    string
	sealed atomic.Bool
}

func newTransitEngine(t *testing.T) *transitEngine {
	t.Helper()
	e := &transitEngine{}
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	e.url = server.URL
	return e
}

func (e *transitEngine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if e.sealed.Load() {
		http.Error(w, `{"errors":["Vault is sealed"]}`, http.StatusServiceUnavailable)
		return
	}
	var in struct{ Plaintext, Ciphertext string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || r.Header.Get("x-vault-token") != "hvs.canary" {
		http.Error(w, `{"errors":["permission denied"]}`, http.StatusForbidden)
		return
	}
	out := map[string]string{}
	switch r.URL.Path {
	case "/v1/transit/encrypt/aistrale":
		out["ciphertext"] = "vault:v1:" + in.Plaintext
	case "/v1/transit/decrypt/aistrale":
		out["plaintext"] = strings.TrimPrefix(in.Ciphertext, "vault:v1:")
	case "/v1/transit/rewrap/aistrale":
		out["ciphertext"] = in.Ciphertext
	default:
		http.NotFound(w, r)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"data": out})
}

// A store moves from a master key to Vault and back. A gateway that starts while Vault is away
// serves what needs no sealed credential, and the rest as soon as Vault is back.
func TestServe_vault(t *testing.T) {
	t.Parallel()
	up, engine, master := newUpstream(t), newTransitEngine(t), masterKey('m')
	const token = "VAULT_TOKEN=hvs.canary"
	p := newPlace(t, "AISTRALE_MASTER_KEY="+master)
	config := anywhere + "data_dir: " + filepath.Join(p.dir, "data") + `
providers: [{name: up, dialect: openai, base_url: "` + up.url + `"}, {name: mock}]
keys: [{name: ci, key: ` + fullKey + `}]
`
	block := `: {address: "` + engine.url + `", key: aistrale, token: "${VAULT_TOKEN}"}}` + "\n"
	vault, back := config+"encryption: {vault"+block, config+"encryption: {vault_old"+block
	p.must(t, "sk-sealed-0123456789", "credential", "add", "up", "--config", p.write(t, "aistrale.yaml", config))

	p.env = []string{token, "AISTRALE_MASTER_KEY_OLD=" + master}
	p.must(t, "", "encryption-key", "rewrap", "--config", p.write(t, "vault.yaml", vault))

	p.env = []string{token}
	engine.sealed.Store(true)
	g := p.serve(t, vault)
	g.says(t, "encryption.vault: decrypt: the server is sealed")
	if status, body := g.chat(t, fullKey, "up/one"); status != http.StatusBadGateway || strings.Contains(body, "vault") {
		t.Errorf("Vault is away: %d %s", status, body)
	}
	if status, body := g.chat(t, fullKey, "mock/gpt"); status != http.StatusOK {
		t.Errorf("Vault is away, and another provider: %d %s", status, body)
	}
	engine.sealed.Store(false)
	g.turns(t, fullKey, "up/one", http.StatusOK)
	engine.sealed.Store(true) // what is open stays open
	if status, body := g.chat(t, fullKey, "up/one"); status != http.StatusOK || up.last() != "Bearer sk-sealed-0123456789" {
		t.Errorf("Vault is away again: %d %s", status, body)
	}
	g.stop(t)
	if strings.Contains(g.out.String(), "hvs.canary") {
		t.Error("the log shows Vault's token")
	}
	engine.sealed.Store(false)

	other := storage.NewMasterKey().Reveal()
	p.env = []string{token, "AISTRALE_MASTER_KEY=" + other}
	p.must(t, "", "encryption-key", "rewrap", "--config", p.write(t, "back.yaml", back))
	p.env = []string{"AISTRALE_MASTER_KEY=" + other}
	g = p.serve(t, config)
	if status, body := g.chat(t, fullKey, "up/one"); status != http.StatusOK {
		t.Errorf("with the new master key alone: %d %s", status, body)
	}
}
