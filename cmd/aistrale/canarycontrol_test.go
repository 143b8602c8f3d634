package main_test

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/storage/storagetest"
)

// Secrets that people give to the control plane. Those that it makes are added as it shows them.
const (
	canaryPassword = "canary password Ff0123456789"
	canaryRenewed  = "canary renewed password Gg0123456789"
	canaryMistyped = "canary mistyped password Hh0123456789"
	canaryHook     = "canary-hook-path-Ii0123456789"
	canarySMTP     = "canary-smtp-password-Jj0123456789"
	canaryOIDC     = "canary-oidc-secret-Kk0123456789"
	canaryGiven    = "sk-canary-given-Ll0123456789"
	canaryReplaced = "sk-canary-replaced-Mm0123456789"
	canaryAsked    = "canary words of a prompt Nn0123456789"
)

// A clerk works on a control plane, and keeps what is seen of it and what is secret.
type clerk struct {
	t       *testing.T
	g       *program
	header  http.Header
	seen    evidence
	secrets []string
}

// ask asks, and keeps the answer as evidence. shown names the members of it that are secrets which
// are shown this once.
func (c *clerk) ask(method, path, body string, shown ...string) (status int, answer string) {
	c.t.Helper()
	r := jsonRequest(c.t, method, c.g.admin+"/admin/v1"+path, body)
	r.Header.Del("authorization")
	for name, values := range c.header {
		r.Header[name] = values
	}
	r.Header.Set("if-match", "*")
	status, header, answer := do(c.t, r)
	if strings.HasPrefix(path, "/session") {
		for _, cookie := range (&http.Response{Header: header}).Cookies() {
			if cookie.Value != "" {
				c.secrets = append(c.secrets, cookie.Value)
			}
		}
		header.Del("set-cookie")
	}
	said := answer
	for _, name := range shown {
		secret := gjson.Get(answer, name).Str
		if secret == "" {
			c.t.Fatalf("%s %s: %d %s has no %s", method, path, status, answer, name)
		}
		c.secrets = append(c.secrets, secret)
		said = strings.ReplaceAll(said, secret, "")
	}
	c.seen.add("answer to "+method+" "+path[:min(len(path), 20)], status, header, said)
	return status, answer
}

// must is ask where it has to succeed.
func (c *clerk) must(method, path, body string, shown ...string) string {
	c.t.Helper()
	status, answer := c.ask(method, path, body, shown...)
	if status >= 300 {
		c.t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	return answer
}

// signIn opens a session, and works in it from then on.
func (c *clerk) signIn(password string) {
	c.t.Helper()
	c.header = nil
	c.must(http.MethodPost, "/session", `{"name":"ada","password":"`+password+`"}`)
	c.header = http.Header{"Cookie": {"__Host-aistrale=" + c.secrets[len(c.secrets)-1]}}
}

// No secret of the control plane shows anywhere, in the answers to a working day, in logs, files,
// tables, backups and exports.
func TestCanary_Control(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		canaryControl(t, "")
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		canaryControl(t, storagetest.Postgres(t))
	})
}

func canaryControl(t *testing.T, postgres string) {
	up, to, hooked := newUpstream(t), collects(t), make(chan string, 64)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusTeapot)
		hooked <- r.URL.String()
	}))
	t.Cleanup(hook.Close)
	master := masterKey('d')
	p := newPlace(t, "AISTRALE_MASTER_KEY="+master)
	config := anywhere + "log_level: debug\nproviders:\n  - {name: stored, dialect: openai, base_url: \"" + up.url + "\"}\n  - {name: mock}\n" +
		"outbound: {allow: [127.0.0.1], http: true}\nsmtp: {host: 127.0.0.1, port: 1, user: canary, password: " + canarySMTP + ", from: a@example.com, tls: none}\n" +
		"oidc: {issuer: \"https://127.0.0.1:1\", client_id: gateway, client_secret: " + canaryOIDC + ", redirect_url: \"https://gateway.example.com/admin/v1/session/oidc/callback\"}\n"
	config += to.config(canaryOTLP)
	if postgres != "" {
		config += "storage: {postgres: \"" + postgres + "\"}\n"
	}
	p.write(t, "aistrale.yaml", config)
	p.must(t, canaryPassword+"\n", "user", "create", "ada", "--role", "admin", "--config=aistrale.yaml")
	p.must(t, canaryStored, "credential", "add", "stored", "--config=aistrale.yaml")
	c := &clerk{t: t, g: p.serve(t, config), seen: evidence{}, secrets: []string{canaryPassword, canaryRenewed, canaryMistyped, canaryHook, canarySMTP, canaryStored, master,
		canaryOIDC, canaryGiven, canaryReplaced, canaryAsked, canaryOTLP}}
	c.work(hook.URL)
	for range 2 { // as the test of a webhook and the news of a key
		if url := <-hooked; !strings.Contains(url, canaryHook) {
			t.Errorf("the webhook was asked for %s", url)
		}
	}
	if !strings.Contains(up.all(), canaryStored) {
		t.Error("the credential never reached its provider, so that this test shows nothing")
	}
	c.look(p, postgres)
	to.evidence(t, canaryOTLP, c.seen)
	c.judge()
}

// work is a day of people who do everything, and much of it wrong.
func (c *clerk) work(hook string) {
	c.t.Helper()
	for _, body := range []string{
		`{"name":"ada","password":"` + canaryMistyped + `"}`, `{"name":"` + canaryMistyped + `","password":"x"}`, `{"name":"ada","password":["` + canaryMistyped + `"]}`,
		`{"name":["` + canaryMistyped + `"]}`, `{"name":"ada","password":"` + canaryMistyped + `",`, `"` + canaryMistyped + `"`, `{"name":"ada","password":"` + canaryMistyped + strings.Repeat("x", 300) + `"}`,
	} {
		c.ask(http.MethodPost, "/session", body)
	}
	c.signIn(canaryPassword)
	c.must(http.MethodPost, "/users", `{"name":"grace","password":"`+canaryRenewed+` of another","memberships":[{"workspace":"default","role":"engineer"}]}`)
	c.ask(http.MethodPost, "/users", `{"name":"eve","password":7,"token":"`+canaryMistyped+`"}`)
	c.ask(http.MethodPatch, "/users/grace", `{"password":"`+canaryMistyped+`","disabled":"`+canaryMistyped+`"}`)
	c.ask(http.MethodPost, "/me/password", `{"current":"`+canaryMistyped+`","new":"`+canaryRenewed+`"}`)
	c.must(http.MethodPost, "/me/password", `{"current":"`+canaryPassword+`","new":"`+canaryRenewed+`"}`)
	c.signIn(canaryRenewed)
	c.header.Set("idempotency-key", "once")
	for range 2 {
		c.must(http.MethodPost, "/me/tokens", `{"name":"ci"}`, "token")
	}
	c.header = http.Header{"Authorization": {"Bearer " + c.secrets[len(c.secrets)-1]}, "Idempotency-Key": {"once more"}}
	for range 2 {
		c.must(http.MethodPost, "/keys", `{"name":"ci"}`, "key")
	}
	c.header.Del("idempotency-key")
	key := c.secrets[len(c.secrets)-1]
	c.callWith(key)
	id := strings.Split(key, "-")[2]
	c.must(http.MethodPost, "/keys/"+id+"/rotate", `{"overlap_seconds":60}`, "key")
	c.keepCredentials()
	c.keepPayloads()
	c.must(http.MethodPost, "/webhooks?workspace=*", `{"kind":"slack","name":"chat","url":"`+hook+`/`+canaryHook+`?token=`+canaryHook+`"}`)
	made := c.must(http.MethodPost, "/webhooks", `{"name":"ops","url":"`+hook+`/`+canaryHook+`"}`, "secret")
	webhook := "/webhooks/" + gjson.Get(made, "id").Str
	c.must(http.MethodPost, webhook+"/rotate", `{}`, "secret")
	c.must(http.MethodPost, webhook+"/test", "")
	c.ask(http.MethodPatch, webhook, `{"url":"ftp://`+canaryHook+`/`+canaryHook+`"}`)
	c.ask(http.MethodPatch, webhook, `{"url":"http://u:`+canaryMistyped+`@x/"}`)
	mail := c.must(http.MethodPost, "/webhooks", `{"kind":"email","name":"mail","to":["ops@example.com"]}`)
	c.must(http.MethodPost, "/webhooks/"+gjson.Get(mail, "id").Str+"/test", "")
	c.must(http.MethodPost, "/prompts", `{"name":"greet"}`)
	for _, path := range []string{"/keys/" + key, "/me/tokens/" + key, "/" + key} { // pasted in the wrong place
		c.ask(http.MethodDelete, path, "")
	}
	c.must(http.MethodDelete, "/keys/"+id, "")
	c.must(http.MethodPost, "/audit/checkpoints", "")
	c.readAll(webhook)
}

// keepCredentials gives, tries and replaces providers' keys, and has all be sealed anew.
func (c *clerk) keepCredentials() {
	c.t.Helper()
	c.must(http.MethodPost, "/credentials", `{"name":"given","provider":"stored","secret":"`+canaryGiven+`"}`)
	c.ask(http.MethodPost, "/credentials", `{"name":"`+canaryGiven+`","provider":"stored","secret":["`+canaryGiven+`"]}`)
	c.ask(http.MethodPost, "/credentials", `{"name":"given","provider":"stored","secret":"`+canaryReplaced+`"}`)
	c.must(http.MethodPost, "/credentials/given/test", "")
	c.must(http.MethodPatch, "/credentials/given", `{"secret":"`+canaryReplaced+`","label":"newer"}`)
	c.must(http.MethodPost, "/credentials/given/test", "")
	c.must(http.MethodGet, "/credentials/given", "")
	c.must(http.MethodPost, "/encryption-keys/rotate", "")
	c.ask(http.MethodGet, "/session/oidc", "")
	c.ask(http.MethodGet, "/session/oidc/callback?code="+canaryMistyped+"&state="+canaryMistyped, "")
}

// keepPayloads has a call be kept with what was asked, which its readers alone get to see.
func (c *clerk) keepPayloads() {
	c.t.Helper()
	c.must(http.MethodPost, "/keys", `{"name":"kept","settings":{"payloads":{"keep":"1h","request":true,"response":true}}}`, "key")
	key := c.secrets[len(c.secrets)-1]
	body := `{"model":"mock/gpt","messages":[{"role":"user","content":"` + canaryAsked + `, by ` + canaryMistyped + `"}]}`
	eventually(c.t, "the new key is known", func() bool {
		r := jsonRequest(c.t, http.MethodPost, c.g.url+chatPath, body)
		r.Header.Set("authorization", "Bearer "+key)
		status, header, answer := do(c.t, r)
		if status != http.StatusOK {
			c.seen.add("reply of a call that is kept", status, header, answer)
			return false
		}
		c.seen.add("headers of a call that is kept", header)
		read := c.header
		eventually(c.t, "the call is kept", func() bool {
			r := jsonRequest(c.t, http.MethodGet, c.g.admin+"/admin/v1/requests/"+header.Get("x-request-id")+"/payload", "")
			r.Header = read.Clone()
			status, _, kept := do(c.t, r)
			return status == http.StatusOK && strings.Contains(kept, canaryAsked)
		})
		return true
	})
}

// readAll reads everything that the API lists.
func (c *clerk) readAll(webhook string) {
	c.t.Helper()
	paths := gjson.Get(c.must(http.MethodGet, "/openapi.json", ""), "paths")
	read := 0
	paths.ForEach(func(path, operations gjson.Result) bool {
		if operations.Get("get").Exists() && !strings.Contains(path.Str, "{") {
			c.ask(http.MethodGet, path.Str, "")
			read++
		}
		return true
	})
	if read < 10 {
		c.t.Errorf("only %d lists were read", read)
	}
	for _, path := range []string{"/users/ada", "/users/grace", webhook, webhook + "/deliveries", "/audit/export", "/prompts/greet"} {
		c.must(http.MethodGet, path, "")
	}
}

// callWith makes calls of the data plane with a key of the store, good and bad.
func (c *clerk) callWith(key string) {
	c.t.Helper()
	c.g.turns(c.t, key, "stored/good", http.StatusOK)
	for _, model := range []string{"stored/quote", "mock/gpt", "nothing", key, "mock/" + key} {
		status, body := c.g.chat(c.t, key, model)
		c.seen.add("reply of "+model[:4], status, strings.ReplaceAll(body, `"model":"`+key+`"`, "")) // the emulator's own echo
	}
	for _, path := range []string{"/v1/me", "/v1/me/usage", "/v1/models", "/v1/files/" + key, "/v1/" + key, "/v1/models/" + key} { // pasted in the wrong place
		r := jsonRequest(c.t, http.MethodGet, c.g.url+path, "")
		r.Header.Set("authorization", "Bearer "+key)
		status, header, body := do(c.t, r)
		c.seen.add("reply of "+path[:min(len(path), 10)], status, header, body)
	}
}

// look gathers what can be seen from outside: commands, metrics, files, a backup, a dump.
func (c *clerk) look(p *place, postgres string) {
	c.t.Helper()
	for _, args := range [][]string{
		{"credential", "list", "--json"}, {"webhook", "list"}, {"usage", "rows", "--json"}, {"usage", "--by", "key", "--csv"}, {"audit", "export"},
	} {
		_, out, errs := p.run(c.t, "", append(args, "--config=aistrale.yaml")...)
		c.seen.add(strings.Join(args, " "), out, errs)
	}
	p.must(c.t, "", "backup", "backup.tar", "--config=aistrale.yaml")
	_, metrics := get(c.t, c.g.admin+"/metrics")
	c.seen.add("metrics", metrics)
	argv, err := os.ReadFile("/proc/" + strconv.Itoa(c.g.cmd.Process.Pid) + "/cmdline")
	c.seen.add("argv", string(argv), err)
	look(c.t, filepath.Join(p.dir, "data"), c.seen)
	c.g.stop(c.t)
	c.seen.add("log", c.g.out.String())
	look(c.t, filepath.Join(p.dir, "data"), c.seen)
	backup, err := os.ReadFile(filepath.Join(p.dir, "backup.tar"))
	if err != nil {
		c.t.Fatal(err)
	}
	c.seen.add("backup", string(backup))
	if postgres == "" {
		return
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pg_dump")
	program, err := exec.LookPath("pg_dump")
	if program = cmp.Or(program, strings.Join(found, "")); program == "" {
		c.t.Logf("no pg_dump: only the backup was searched: %v", err)
		return
	}
	var said bytes.Buffer
	dump := exec.Command(program, "--inserts", "--dbname", postgres)
	dump.Stderr = &said
	text, err := dump.Output()
	if err != nil || !bytes.Contains(text, []byte("audit_log")) {
		c.t.Fatalf("pg_dump: %v: %s", err, said.String())
	}
	c.seen.add("dump", string(text))
}

// judge looks for each secret in all that was seen, in the forms that it may have.
func (c *clerk) judge() {
	c.t.Helper()
	if len(c.secrets) < 15 {
		c.t.Errorf("only %d secrets", len(c.secrets))
	}
	for where, text := range c.seen {
		for _, secret := range c.secrets {
			for _, form := range formsOf(secret) {
				if i := strings.Index(text, form); i >= 0 {
					c.t.Errorf("%s shows %q: %.300q", where, form, text[max(0, i-150):])
				}
			}
		}
	}
}

// formsOf gives a secret as it is, its secret part alone, and both as encodings make them.
func formsOf(secret string) []string {
	tail := secret
	if parts := strings.Split(secret, "-"); len(parts) > 2 && (strings.HasPrefix(secret, "sk-ais-") || strings.HasPrefix(secret, "ais-admin-")) {
		tail = strings.TrimPrefix(secret, strings.Join(parts[:3], "-")+"-")
	}
	tail = strings.TrimPrefix(tail, "whsec_")
	forms := []string{tail, strings.ReplaceAll(tail, "/", `\/`), strings.ReplaceAll(tail, " ", "+"), strings.ReplaceAll(tail, " ", "%20"), hex.EncodeToString([]byte(tail))}
	for shift := range 3 { // in base64 it may begin at three places
		whole := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + tail))
		forms = append(forms, whole[4:len(whole)-3])
	}
	return forms
}
