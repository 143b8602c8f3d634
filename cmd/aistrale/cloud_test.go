package main_test

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/providers/providertest"
)

// hi answers in the language of a path.
func hi(w http.ResponseWriter, path string, stream bool) {
	switch {
	case strings.HasSuffix(path, ":predict"):
		answerJSON(w, 200, `{"predictions":[{"embeddings":{"values":[0.6,0.8],"statistics":{"token_count":7}}}]}`)
	case strings.HasSuffix(path, ":embedContent"):
		answerJSON(w, 200, `{"embedding":{"values":[0.6,0.8]},"usageMetadata":{"promptTokenCount":7}}`)
	case strings.Contains(path, "titan-embed"):
		answerJSON(w, 200, `{"embedding":[0.6,0.8],"inputTextTokenCount":7}`)
	case strings.HasSuffix(path, "/count-tokens"):
		answerJSON(w, 200, `{"inputTokens":7}`)
	case strings.HasSuffix(path, ":countTokens"):
		answerJSON(w, 200, `{"totalTokens":7}`)
	case strings.HasSuffix(path, "/converse"):
		answerJSON(w, 200, `{"output":{"message":{"role":"assistant","content":[{"text":"hi"}]}},"stopReason":"end_turn","usage":{"inputTokens":3,"outputTokens":1,"totalTokens":4}}`)
	case strings.HasSuffix(path, "/converse-stream"):
		frames(w, providertest.EventFrame("messageStart", `{"role":"assistant"}`),
			providertest.EventFrame("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"hi"}}`),
			providertest.EventFrame("contentBlockStop", `{"contentBlockIndex":0}`),
			providertest.EventFrame("messageStop", `{"stopReason":"end_turn"}`),
			providertest.EventFrame("metadata", `{"usage":{"inputTokens":3,"outputTokens":1,"totalTokens":4}}`))
	case strings.Contains(path, "publishers/anthropic") || strings.Contains(path, "/invoke") || strings.Contains(path, "claude") || strings.HasSuffix(path, "/messages"):
		hiFromClaude(w, path, stream)
	case strings.HasSuffix(path, "/responses"):
		answerJSON(w, 200, responseWhole)
	case strings.Contains(path, "enerateContent"):
		if stream {
			events(w, geminiWhole)
			return
		}
		answerJSON(w, 200, geminiWhole)
	case stream:
		events(w, `{"id":"1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}`,
			`{"id":"1","object":"chat.completion.chunk","model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}`, "[DONE]")
	default:
		answerJSON(w, 200, `{"id":"1","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}`)
	}
}

const (
	profileARN    = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3"
	responseWhole = `{"id":"resp_1","object":"response","status":"completed","model":"gpt-5.1","output":[{"id":"msg_1","type":"message","role":"assistant","status":"completed","content":[{"type":"output_text","text":"hi","annotations":[]}]}],"usage":{"input_tokens":3,"output_tokens":1,"total_tokens":4}}`

	claudeWhole = `{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":1}}`
	geminiWhole = `{"candidates":[{"content":{"role":"model","parts":[{"text":"hi"}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":1}}`
)

var claudeEvents = []string{
	`{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[],"stop_reason":null,"usage":{"input_tokens":3,"output_tokens":1}}}`,
	`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`,
	`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}`,
	`{"type":"content_block_stop","index":0}`,
	`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}}`,
	`{"type":"message_stop"}`,
}

func hiFromClaude(w http.ResponseWriter, path string, stream bool) {
	switch {
	case strings.HasSuffix(path, "-response-stream"):
		chunks := make([][]byte, len(claudeEvents))
		for i, e := range claudeEvents {
			chunks[i] = providertest.ChunkFrame(e)
		}
		frames(w, chunks...)
	case stream:
		events(w, claudeEvents...)
	default:
		answerJSON(w, 200, claudeWhole)
	}
}

func events(w http.ResponseWriter, list ...string) {
	w.Header().Set("content-type", "text/event-stream")
	for _, e := range list {
		if kind := gjson.Get(e, "type").Str; kind != "" {
			fmt.Fprintf(w, "event: %s\n", kind)
		}
		fmt.Fprintf(w, "data: %s\n\n", e)
	}
}

func frames(w http.ResponseWriter, list ...[]byte) {
	w.Header().Set("content-type", "application/vnd.amazon.eventstream")
	for _, f := range list {
		_, _ = w.Write(f)
	}
}

// accountKey is a service account's key whose tokens are minted at the address given.
func accountKey(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "gateway@p.iam.gserviceaccount.com", "private_key_id": "k1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"token_uri":   "https://oauth2.googleapis.com/token",
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// askedProvider is a provider as an operator writes it, and the models it is asked for.
type askedProvider struct {
	kind   string // "" its name
	at     catalog.Settings
	more   string // lines of its configuration
	secret string
	models []string
	own    []ownCall
	mints  bool   // tokens, with the secret
	cost   string // of each call, in USD; "" is not looked at
}

// ownCall is a call of a client of the provider's own language, whose bytes go out, and come back;
// or one that is translated.
type ownCall struct {
	path, body, want string
	translated       bool
}

const (
	askResponse = `{"model":"%s","input":"Say hi.","store":false,"include":["reasoning.encrypted_content"],"prompt_cache_key":"k",` +
		`"safety_identifier":"s","truncation":"auto","metadata":{"a":"b"},"max_output_tokens":16,"reasoning":{"effort":"low"}}`
	askCount      = `{"model":"%s","messages":[{"role":"user","content":"Say hi."}]}`
	askEmbeddings = `{"model":"%s","input":["one"],"dimensions":2}`
	oneEmbedding  = `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.6,0.8]}],"model":"%s","usage":{"prompt_tokens":7,"total_tokens":7}}`
)

// embedsWith is a translated call for embeddings.
func embedsWith(model string) ownCall {
	return ownCall{"/v1/embeddings", fmt.Sprintf(askEmbeddings, model), fmt.Sprintf(oneEmbedding, model), true}
}

const askClaude = `{"model":"%s","max_tokens":16,"messages":[{"role":"user","content":"Say hi."}],"thinking":{"type":"disabled"},"stream":%v}`

// asEvents is a stream of Claude's as Anthropic sends it.
func asEvents() string {
	w := httptest.NewRecorder()
	events(w, claudeEvents...)
	return w.Body.String()
}

// askedProviders are all known ones, and second accounts of some under names of their own.
func askedProviders() map[string]askedProvider {
	asked := accountsAsked()
	for _, name := range catalog.Names() {
		if p, ok := asked[name]; !ok {
			asked[name] = askedProvider{models: []string{"a-model"}}
		} else if p.models == nil {
			p.models = []string{"a-model"}
			asked[name] = p
		}
	}
	return asked
}

// accountsAsked are those that need more than a key.
func accountsAsked() map[string]askedProvider {
	return map[string]askedProvider{
		"azure-v1": {
			kind: "azure", at: catalog.Settings{BaseURL: "https://example.services.ai.azure.com"},
			more: "    region: eu\n    deployments: {chat: gpt-5.1}\n", models: []string{"chat"}, cost: "0.000015125",
			own: []ownCall{{"/v1/responses", `{"model":"azure-v1/chat","input":"Say hi.","store":false}`, responseWhole, false}},
		},
		"azure-entra": {
			kind: "azure", at: catalog.Settings{BaseURL: "https://example.openai.azure.com"}, models: []string{"gpt-4o"}, mints: true,
			secret: `{"tenant":"contoso.onmicrosoft.com","appId":"gateway","password":"` + secretOf("azure-entra") + `"}`,
		},
		"groq-responses": {
			kind: "groq", more: "    responses: true\n", models: []string{"openai/gpt-oss-20b"},
			own: []ownCall{{"/v1/responses", fmt.Sprintf(askResponse, "groq-responses/openai/gpt-oss-20b"), responseWhole, false}},
		},
		"huggingface-responses": {
			kind: "huggingface", more: "    responses: true\n", models: []string{"openai/gpt-oss-20b:groq"},
			own: []ownCall{{"/v1/responses", fmt.Sprintf(askResponse, "huggingface-responses/openai/gpt-oss-20b:groq"), responseWhole, false}},
		},
		"bedrock-key": {kind: "bedrock", at: catalog.Settings{Location: "eu-west-3"}, models: []string{"eu.anthropic.claude-haiku-4-5-20251001-v1:0"}, cost: "0.0000088"},
		"bedrock-profile": {
			kind: "bedrock", at: catalog.Settings{Location: "us-east-1"}, models: []string{profileARN}, cost: "0.000008",
			more: "    deployments: {\"" + profileARN + "\": global.anthropic.claude-haiku-4-5-20251001-v1:0}\n",
		},
		"vertex-region": {
			kind: "vertex", at: catalog.Settings{Location: "us-east5", Project: "my-project"}, models: []string{"claude-haiku-4-5@20251001"}, cost: "0.0000088",
		},
		"vertex-global": {
			kind: "vertex", at: catalog.Settings{Location: "global", Project: "my-project"}, models: []string{"claude-haiku-4-5@20251001"}, cost: "0.000008",
		},
		"azure":     {at: catalog.Settings{BaseURL: "https://example.openai.azure.com", APIVersion: "2024-10-21"}, models: []string{"my-deployment"}},
		"anthropic": {models: []string{"claude-sonnet-4-5"}},
		"bedrock": {
			at: catalog.Settings{Location: "us-east-1"}, secret: "AKIDEXAMPLE:" + secretOf("bedrock") + ":session-of-bedrock",
			models: []string{"us.anthropic.claude-sonnet-4-5-20250929-v1:0", "meta.llama3-3-70b-instruct-v1:0"},
			own: []ownCall{
				{"/anthropic/v1/messages", fmt.Sprintf(askClaude, "bedrock/eu.anthropic.claude-haiku-4-5-20251001-v1:0", false), claudeWhole, false},
				{"/anthropic/v1/messages", fmt.Sprintf(askClaude, "bedrock/eu.anthropic.claude-haiku-4-5-20251001-v1:0", true), asEvents(), false},
				{"/anthropic/v1/messages/count_tokens", fmt.Sprintf(askCount, "bedrock/eu.anthropic.claude-haiku-4-5-20251001-v1:0"), `{"input_tokens":7}`, true},
				{"/anthropic/v1/messages/count_tokens", fmt.Sprintf(askCount, "bedrock/amazon.nova-pro-v1:0"), `{"input_tokens":7}`, true},
				embedsWith("bedrock/amazon.titan-embed-text-v2:0"),
			},
		},
		"gemini":      {models: []string{"gemini-2.5-flash"}},
		"huggingface": {models: []string{"meta-llama/Llama-3.3-70B-Instruct"}},
		"openai":      {models: []string{"gpt-4o-mini"}},
		"vertex": {
			at: catalog.Settings{Location: "europe-west1", Project: "my-project"}, mints: true,
			models: []string{"gemini-2.5-flash", "claude-sonnet-4-5@20250929", "meta/llama-4-scout-17b-16e-instruct-maas"},
			own: []ownCall{
				{"/anthropic/v1/messages", fmt.Sprintf(askClaude, "vertex/claude-haiku-4-5@20251001", true), asEvents(), false},
				{"/anthropic/v1/messages/count_tokens", fmt.Sprintf(askCount, "vertex/claude-haiku-4-5@20251001"), claudeWhole, false},
				{"/anthropic/v1/messages/count_tokens", fmt.Sprintf(askCount, "vertex/gemini-2.5-flash"), `{"input_tokens":7}`, true},
				embedsWith("vertex/text-embedding-005"), embedsWith("vertex/gemini-embedding-2"),
				{"/gemini/v1beta/models/vertex/gemini-2.5-flash:generateContent", `{"contents":[{"role":"user","parts":[{"text":"Say hi."}]}],"labels":{"team":"a"}}`, geminiWhole, false},
			},
		},
		"vllm": {at: catalog.Settings{BaseURL: "http://10.0.0.7:8000/v1"}},
	}
}

// One call, whole and streamed, to each known provider: what it is sent stands in testdata/requests.
// The program is the built one, and only the addresses are not the real ones.
func TestProviders_requests(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	recorders, providers := map[string]*recorder{}, askedProviders()
	config := strings.Builder{}
	fmt.Fprintf(&config, "listen: \"127.0.0.1:0\"\nadmin_listen: \"127.0.0.1:0\"\ndata_dir: %s\nkeys: [{name: full, key: %s}]\nproviders:\n", filepath.Join(p.dir, "data"), fullKey)
	for _, name := range slices.Sorted(maps.Keys(providers)) {
		asked := providers[name]
		known, _ := catalog.At(cmp.Or(asked.kind, name), asked.at)
		r := newRecorder(t, name, known.BaseURL)
		recorders[name] = r
		secret := cmp.Or(asked.secret, secretOf(name))
		if name == "vertex" {
			secret = "${file:" + p.write(t, "account.json", accountKey(t)) + "}"
		}
		fmt.Fprintf(&config, "  - name: %s\n", name)
		if asked.mints {
			fmt.Fprintf(&config, "    token_url: %s/token\n", r.URL)
		}
		fmt.Fprintf(&config, "    base_url: %s%s\n    api_key: %q\n%s", r.URL, r.known.Path, secret, asked.more)
		for setting, value := range map[string]string{"kind": asked.kind, "project": asked.at.Project, "location": asked.at.Location, "api_version": asked.at.APIVersion} {
			if value != "" {
				fmt.Fprintf(&config, "    %s: %s\n", setting, value)
			}
		}
	}
	g := p.serve(t, config.String())
	for _, name := range slices.Sorted(maps.Keys(providers)) {
		for _, model := range providers[name].models {
			g.saysHi(t, name+"/"+model, false, providers[name].cost)
			g.saysHi(t, name+"/"+model, true, "")
		}
		for _, call := range providers[name].own {
			g.goesThrough(t, call)
		}
		recorders[name].compare(t)
	}
	if log := g.out.String(); strings.Contains(log, "secret-of-") || strings.Contains(log, googleToken) || strings.Contains(log, entraToken) || strings.Contains(log, "PRIVATE KEY") {
		t.Errorf("a secret is in the log:\n%s", log)
	}
}

func (g *program) saysHi(t *testing.T, model string, stream bool, cost string) {
	t.Helper()
	body := fmt.Sprintf(`{"model":%q,"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Say hi."}],"max_completion_tokens":16,"stream":%v}`, model, stream)
	req, err := http.NewRequest(http.MethodPost, g.url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("authorization", "Bearer "+fullKey)
	status, h, answer := do(t, req)
	want := `"content":"hi"`
	if status != http.StatusOK || !strings.Contains(answer, want) || stream != strings.HasSuffix(answer, "data: [DONE]\n\n") {
		t.Errorf("%s, stream %v: %d %v\n%s", model, stream, status, h, answer)
	}
	if got := h.Get("x-aistrale-cost-usd"); cost != "" && got != cost {
		t.Errorf("%s costs %s, want %s", model, got, cost)
	}
}

// goesThrough makes a call whose answer must be the provider's own bytes, unless it is translated.
func (g *program) goesThrough(t *testing.T, call ownCall) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, g.url+call.path, strings.NewReader(call.body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("x-api-key", fullKey)
	if strings.HasPrefix(call.path, "/anthropic/") {
		req.Header.Set("anthropic-beta", "context-1m-2025-08-07")
	}
	status, h, answer := do(t, req)
	if status != http.StatusOK || answer != call.want || (h.Get("x-aistrale-fidelity") == "exact") == call.translated {
		t.Errorf("%s: %d %v\n%s\nwant\n%s", call.path, status, h, answer, call.want)
	}
}
