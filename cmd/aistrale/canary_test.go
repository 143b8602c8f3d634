package main_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Secrets that are told apart wherever they turn up.
const (
	canaryConfig = "sk-canary-config-Aa0123456789-_x"
	canaryEnv    = "sk-canary-env-Bb0123456789/+=x" // base64, whose slash some encoders escape
	canaryFile   = "sk-canary-file-Cc0123456789"
	canaryStored = "sk-canary-stored-Dd0123456789"
	canaryToken  = "canary-metrics-token-Ee0123456789"
	canaryKey    = "sk-ais-canary01-CanarySecretCanarySecretCanarySecret"
	canaryOTLP   = "canary-otlp-token-Oo0123456789"
	canaryDSN    = "canary-dsn-key-Pp0123456789"
	canaryPrompt = "canary prompt text"
)

// An evidence is all that the outside world gets to see of the gateway, by where it was seen.
type evidence map[string]string

func (e evidence) add(where string, parts ...any) { e[where] += fmt.Sprintln(parts...) }

// No secret shows anywhere, but in the request that carries it to its provider.
func TestCanary(t *testing.T) {
	t.Parallel()
	up, to := newUpstream(t), collects(t)
	master := masterKey('c')
	p := newPlace(t, "AISTRALE_MASTER_KEY="+master, "CANARY_ENV="+canaryEnv, "AISTRALE_METRICS_TOKEN="+canaryToken)
	root := strings.TrimSuffix(up.url, "/v1")
	config := anywhere + `
log_level: debug
sentry: {dsn: "http://` + canaryDSN + `@127.0.0.1:1/1"}
providers:
  - {name: config, dialect: openai, base_url: "` + up.url + `", api_key: ` + canaryConfig + `}
  - {name: env, dialect: anthropic, base_url: "` + root + `", api_key: "${CANARY_ENV}"}
  - {name: file, dialect: gemini, base_url: "` + root + `/v1beta", api_key: "${file:` + p.write(t, "secret", canaryFile) + `}"}
  - {name: stored, dialect: openai, base_url: "` + up.url + `"}
  - {name: closed, dialect: openai, base_url: "http://127.0.0.1:1/v1", api_key: ` + canaryConfig + `}
  - {name: mock}
keys: [{name: ci, key: ` + canaryKey + `}]
` + to.config(canaryOTLP)
	seen := evidence{}
	p.write(t, "aistrale.yaml", config)
	p.must(t, canaryStored, "credential", "add", "stored", "--config=aistrale.yaml")
	made := p.must(t, "", "key", "create", "made", "--config=aistrale.yaml")
	for _, args := range [][]string{{"check"}, {"key", "list"}, {"key", "list", "--json"}, {"credential", "list"}, {"credential", "list", "--json"}} {
		seen.add(strings.Join(args, " "), p.must(t, "", append(args, "--config=aistrale.yaml")...))
	}

	for _, key := range []string{canaryKey, made} { // of which each step is logged besides
		seen.add("log debug", p.must(t, "", "log", "debug", strings.Split(key, "-")[2], "--config=aistrale.yaml"))
	}

	g := p.serve(t, config)
	for _, key := range []string{canaryKey, made} {
		provoke(t, g, up, key, seen)
	}
	for _, want := range []string{canaryConfig, canaryEnv, canaryFile, canaryStored} {
		if !strings.Contains(up.all(), want) {
			t.Errorf("%s never reached its provider, so that this test shows nothing", want)
		}
	}
	for _, provider := range []string{"config", "env", "file", "stored"} {
		for _, name := range []string{"quote", "streamed quote"} {
			if text := seen["reply to "+name+" by "+provider]; strings.Count(text, "502") < 2 || strings.Count(text, "[redacted]") != 2 {
				t.Errorf("%s by %s: %s", name, provider, text)
			}
		}
	}
	p.write(t, "aistrale.yaml", config+"lisen: "+canaryConfig+"\nmetrics_token: ["+canaryToken+"]\n")
	g.says(t, "reload failed")
	_, metrics := get(t, g.admin+"/metrics")
	seen.add("metrics", metrics)
	argv, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", g.cmd.Process.Pid))
	seen.add("argv", string(argv), err)
	look(t, filepath.Join(p.dir, "data"), seen)
	g.stop(t)
	seen.add("log", g.out.String())
	if n := strings.Count(seen["log"], `"step":"answer"`); n < 10 {
		t.Errorf("%d answers are explained in the log, so that this test shows little", n)
	}
	to.evidence(t, canaryOTLP, seen)
	look(t, filepath.Join(p.dir, "data"), seen)

	for where, text := range seen {
		for _, secret := range []string{canaryConfig, canaryEnv, canaryFile, canaryStored, canaryToken, canaryOTLP, canaryDSN, canaryKey, made, master} {
			tail := secret[strings.LastIndexByte(secret[:len(secret)-8], '-')+1:] // of a virtual key its secret part
			for _, form := range []string{secret, tail, strings.ReplaceAll(tail, "/", `\/`), base64.StdEncoding.EncodeToString([]byte(secret))} {
				if strings.Contains(text, form) {
					t.Errorf("%s shows %q:\n%.2000s", where, form, text)
				}
			}
		}
		if strings.Contains(text, canaryPrompt) && !strings.HasPrefix(where, "reply") {
			t.Errorf("%s shows the prompt", where)
		}
	}
}

// provoke makes good requests and all sorts of bad ones.
func provoke(t *testing.T, g *program, up *upstream, key string, seen evidence) {
	t.Helper()
	ask := func(name, key, text string, headers ...string) {
		t.Helper()
		req, err := http.NewRequest(http.MethodPost, g.url+chatPath, strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("authorization", "Bearer "+key)
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		status, header, body := do(t, req)
		seen.add("reply to "+name, status, header, body)
	}
	chat := func(model, more string) string {
		return `{"model":"` + model + `","messages":[{"role":"user","content":"` + canaryPrompt + `"}]` + more + `}`
	}
	for _, provider := range []string{"config", "env", "file", "stored"} {
		ask("quote by "+provider, key, chat(provider+"/quote", ""))
		ask("streamed quote by "+provider, key, chat(provider+"/quote", `,"stream":true`))
		ask("odd answer by "+provider, key, chat(provider+"/odd", ""))
	}
	ask("good", key, chat("config/good", ""))
	ask("good, with other headers", key, chat("stored/good", ""), "x-api-key", key, "x-goog-api-key", key, "cookie", "a="+key)
	up.release <- struct{}{}
	ask("stream", key, chat("config/slow", `,"stream":true`))
	ask("unreachable", key, chat("closed/x", ""))
	ask("mock", key, chat("mock/claude", ""), "x-mock", "status=401")
	ask("broken stream", key, chat("mock/gpt", `,"stream":true`), "x-mock", "error=1")
	ask("no JSON", key, canaryPrompt)
	ask("a wrong type", key, `{"model":["`+key+`"]}`)
	ask("no such model", key, chat("nothing", ""))
	ask("a wrong secret", key[:len(key)-1]+"!", chat("config/good", ""))
	ask("another scheme", "x "+key, chat("config/good", ""))
	req, err := http.NewRequest(http.MethodGet, g.url+"/v1/models?key="+key, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("authorization", "Bearer "+key)
	status, header, body := do(t, req)
	seen.add("reply to models", status, header, body)
	resp := open(t, g.request(t, key, "config/slow", `,"stream":true`))
	readUntil(t, resp.Body, `"first"`)
	if err := resp.Body.Close(); err != nil { // a client that leaves
		t.Error(err)
	}
}

// look reads every file of a folder.
func look(t *testing.T, dir string, seen evidence) {
	t.Helper()
	for name, content := range contents(t, dir) {
		seen.add("file "+name, content)
	}
}

// contents gives every file under a folder by its name. A gateway that runs may remove some
// meanwhile.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return gone(err)
		}
		content, err := os.ReadFile(path)
		if err == nil {
			found[strings.TrimPrefix(path, dir)] = string(content)
		}
		return gone(err)
	})
	if err != nil || len(found) == 0 {
		t.Fatalf("%d files, %v", len(found), err)
	}
	return found
}

func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
