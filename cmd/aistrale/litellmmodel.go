package main

import (
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/aistrale/aistrale/providers/catalog"
)

// litellmKinds says which of our known providers stands behind a prefix of LiteLLM's; "" is a
// server that speaks OpenAI's language.
func litellmKinds() map[string]string {
	kinds := map[string]string{
		"text-completion-openai": "openai", "fireworks_ai": "fireworks", "together_ai": "together", "ollama_chat": "ollama",
		"hosted_vllm": "vllm", "vertex_ai": "vertex", "vertex_ai_beta": "vertex", "azure_text": "azure", "bedrock_converse": "bedrock",
		"openai_like": "", "custom_openai": "", "litellm_proxy": "", "lm_studio": "", "llamafile": "",
	}
	for _, same := range []string{
		"openai", "anthropic", "gemini", "groq", "huggingface", "mistral", "deepseek", "openrouter", "perplexity", "xai", "cerebras",
		"azure", "bedrock", "ollama", "vllm",
	} {
		kinds[same] = same
	}
	return kinds
}

// deployment takes one entry of model_list over.
func (l *litellm) deployment(n *yaml.Node) {
	name, params := l.take(n, "model_name"), l.look(n, "litellm_params")
	model := l.take(params, "model")
	at := "model_list: " + name
	prefix, rest, _ := strings.Cut(model, "/")
	kind, known := litellmKinds()[prefix]
	if !known {
		owner, owned := catalog.Owner(model)
		if custom := l.take(params, "custom_llm_provider"); custom != "" {
			kind, owned = litellmKinds()[custom]
			owner = kind
		}
		if !owned {
			l.leave(n, at, fmt.Sprintf("%q is of no provider that is known here", model))
			return
		}
		kind, rest = owner, model
	}
	p, why := l.account(params, kind)
	if why != "" {
		l.leave(n, at, why)
		return
	}
	rest = modelOf(kind, rest)
	provider := l.provider(p)
	if base := l.take(n, "model_info", "base_model"); base != "" && kind == "azure" {
		i := slices.IndexFunc(l.made.Providers, func(p importedProvider) bool { return p.Name == provider })
		if l.made.Providers[i].Deployments == nil {
			l.made.Providers[i].Deployments = map[string]string{}
		}
		l.made.Providers[i].Deployments[rest] = base[strings.LastIndexByte(base, '/')+1:]
	}
	l.group(name, n.Line, l.behind(params, provider+"/"+rest))
	l.price(n, provider+"/"+rest)
}

// modelOf is a model's name at the provider itself.
func modelOf(kind, model string) string {
	for _, way := range []string{"responses/", "converse/", "invoke/"} {
		model = strings.TrimPrefix(model, way)
	}
	if kind == "huggingface" { // LiteLLM: provider/owner/model
		if at, rest, ok := strings.Cut(model, "/"); ok && strings.Contains(rest, "/") {
			return rest + ":" + at
		}
	}
	return model
}

// behind gives what leads to a target.
func (l *litellm) behind(params *yaml.Node, target string) litellmDeployment {
	d := litellmDeployment{target: target, defaults: map[string]any{}}
	if d.weight = l.take(params, "weight"); d.weight == "" {
		// LiteLLM shares calls out by rpm where there is one. It is told of all the same: as a bound it is left.
		if n := l.look(params, "rpm"); n != nil {
			d.weight = n.Value
		}
	}
	d.total = seconds(l.take(params, "timeout"))
	for _, name := range []string{"temperature", "top_p", "max_tokens", "seed", "presence_penalty", "frequency_penalty", "reasoning_effort"} {
		if n := l.look(params, name); n != nil && n.Kind == yaml.ScalarNode {
			var v any
			if n.Decode(&v) == nil && v != nil {
				d.defaults[name], l.used[n] = v, true
			}
		}
	}
	return d
}

// seconds reads LiteLLM's timeouts; "" is none.
func seconds(text string) string {
	s, err := strconv.ParseFloat(text, 64)
	if err != nil || s <= 0 {
		return ""
	}
	return time.Duration(s * float64(time.Second)).String()
}

func (l *litellm) group(name string, line int, d litellmDeployment) {
	for _, g := range l.groups {
		if g.name == name {
			g.deployments = append(g.deployments, d)
			return
		}
	}
	l.groups = append(l.groups, &litellmGroup{name: name, deployments: []litellmDeployment{d}, at: line})
}

// account gives the provider that a deployment's parameters speak of, without a name, or why there
// is none.
func (l *litellm) account(params *yaml.Node, kind string) (p importedProvider, why string) {
	p.Kind, p.BaseURL = kind, strings.TrimSuffix(l.value(params, "api_base"), "/")
	if p.BaseURL == "" {
		p.BaseURL = strings.TrimSuffix(l.value(params, "base_url"), "/")
	}
	p.APIKey = l.value(params, "api_key")
	switch kind {
	case "azure":
		p.APIVersion = l.value(params, "api_version")
		if u, err := url.Parse(p.BaseURL); err == nil && u.Host != "" {
			p.BaseURL = u.Scheme + "://" + u.Host
		}
		if p.BaseURL == "" {
			p.BaseURL = "${AZURE_API_BASE}" // what LiteLLM reads
		}
	case "bedrock":
		p.Location = l.value(params, "aws_region_name")
		id, secret, token := l.value(params, "aws_access_key_id"), l.value(params, "aws_secret_access_key"), l.value(params, "aws_session_token")
		if p.APIKey == "" && (id == "" || secret == "") {
			id, secret = "${AWS_ACCESS_KEY_ID}", "${AWS_SECRET_ACCESS_KEY}"
		}
		if p.APIKey == "" {
			p.APIKey = strings.TrimSuffix(id+":"+secret+":"+token, ":")
		}
		if p.Location == "" {
			p.Location = "${AWS_REGION_NAME}"
		}
	case "vertex":
		p.Project, p.Location = l.value(params, "vertex_project"), l.value(params, "vertex_location")
		p.APIKey = l.value(params, "vertex_credentials")
		if p.Project == "" {
			return p, "vertex_project is missing"
		}
		if p.Location == "" {
			p.Location = "global"
		}
	case "ollama", "vllm":
		if p.BaseURL != "" && !strings.HasSuffix(p.BaseURL, "/v1") && !strings.HasPrefix(p.BaseURL, "${") {
			p.BaseURL += "/v1"
		}
		if kind == "vllm" && p.BaseURL == "" {
			return p, "api_base is missing"
		}
	case "openai", "":
		if known, _ := catalog.Known("openai"); p.BaseURL != "" && p.BaseURL != known.BaseURL || kind == "" {
			p.Kind, p.Dialect = "", "openai"
			if p.BaseURL == "" {
				return p, "api_base is missing"
			}
			if p.APIKey == "" {
				p.APIKey = "none"
			}
		}
	}
	if known, ok := catalog.Known(p.Kind); ok && p.BaseURL == known.BaseURL {
		p.BaseURL = ""
	}
	return p, ""
}

// provider names an account, or finds the name that it has already.
func (l *litellm) provider(p importedProvider) string {
	if !strings.Contains(p.APIKey, "${") && p.APIKey != "none" && !l.secrets {
		p.secret, p.APIKey = p.APIKey, ""
	}
	base := p.Kind
	if base == "" {
		base = "server"
		if u, err := url.Parse(p.BaseURL); err == nil && providerName.MatchString(u.Hostname()) {
			base = u.Hostname()
		}
	}
	name := base
	for n := 2; ; n++ {
		i := slices.IndexFunc(l.made.Providers, func(made importedProvider) bool { return made.Name == name })
		if i < 0 {
			break
		}
		if l.made.Providers[i].same(&p) {
			return name
		}
		name = base + "-" + strconv.Itoa(n)
	}
	p.Name = name
	switch {
	case p.secret != "":
		p.APIKey = "${" + variable(name, "api_key") + "}"
		l.todo = append(l.todo, "put the secret of provider "+name+", which stands in "+l.file+" in clear, into the variable "+variable(name, "api_key"))
	case p.APIKey == "" && !slices.Contains([]string{"ollama", "vllm"}, p.Kind):
		p.APIKey = "${" + variable(p.Kind, "api_key") + "}" // what LiteLLM reads
		if p.Kind == "vertex" {
			p.APIKey = "${VERTEX_CREDENTIALS}"
			l.todo = append(l.todo, "put the text of a service account's key for provider "+name+" into the variable VERTEX_CREDENTIALS")
		}
	}
	if p.Name == p.Kind {
		p.Kind = ""
	}
	l.made.Providers = append(l.made.Providers, p)
	return name
}

// same reports whether two are one account. The second has no name yet.
func (p *importedProvider) same(q *importedProvider) bool {
	if q.secret != p.secret || p.BaseURL != q.BaseURL || p.Project != q.Project || p.Location != q.Location || p.APIVersion != q.APIVersion {
		return false
	}
	return p.APIKey == q.APIKey || p.secret != "" || q.APIKey == "" && p.APIKey == "${"+variable(q.Kind, "api_key")+"}"
}

// price takes over what a deployment says of its cost, in USD for a million tokens.
func (l *litellm) price(n *yaml.Node, model string) {
	price := map[string]plainScalar{}
	for theirs, ours := range map[string]string{"input_cost_per_token": "input", "output_cost_per_token": "output", "cache_read_input_token_cost": "cache_read"} {
		text := l.take(n, "model_info", theirs)
		if other := l.take(n, "litellm_params", theirs); text == "" {
			text = other
		}
		if each, ok := new(big.Rat).SetString(text); ok {
			exact := each.Mul(each, big.NewRat(1e6, 1)).FloatString(9)
			price[ours] = plainScalar(strings.TrimSuffix(strings.TrimRight(exact, "0"), "."))
		}
	}
	if len(price) == 0 || slices.ContainsFunc(l.made.Prices, func(p map[string]plainScalar) bool { return string(p["model"]) == model }) {
		return
	}
	price["model"] = plainScalar(model)
	l.made.Prices = append(l.made.Prices, price)
}
