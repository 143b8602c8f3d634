package main

import (
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/storage"
)

const (
	mockName = "mock"
	noKey    = "none" // api_key of an upstream that takes no credential
)

// validator says everything that is wrong with a configuration that could be read.
type validator struct {
	found  *mistakes
	places map[string]place
}

// wrong notes a mistake at a path, or at the nearest thing above it that was said.
func (v *validator) wrong(path, format string, args ...any) {
	at, _ := nearest(v.places, path)
	v.found.add(at, path, format, args...)
}

// nearest gives where a path was said, or the nearest thing above it that was.
func nearest(places map[string]place, path string) (at place, ok bool) {
	at, ok = places[path]
	for up := path; !ok && up != ""; at, ok = places[up] {
		up = up[:max(0, strings.LastIndexAny(up, ".["))]
	}
	return at, ok
}

func (v *validator) config(c *Config) {
	v.listeners(c)
	if c.DataDir == "" {
		v.wrong("data_dir", "is empty")
	}
	if levels := []string{"debug", "info", "warn", "error"}; !slices.Contains(levels, c.LogLevel) {
		v.wrong("log_level", "%q is no level%s", c.LogLevel, hint(c.LogLevel, levels))
	}
	v.sizes(c)
	v.turns(c)
	v.tracing(&c.Tracing)
	v.otlpLogs(&c.OTLPLogs)
	v.times(c)
	if len(c.Providers) == 0 {
		v.wrong("providers", "there is none; name at least one, %s for a try", mockName)
	}
	seen := map[string]string{}
	for i := range c.Providers {
		v.provider(&c.Providers[i], element("providers", i), seen)
	}
	v.keys(c)
	v.routing(c)
	v.aliases(c)
	v.limits(c)
	v.oidc(&c.OIDC)
	v.postgres(c.Storage.Postgres)
	v.redis(&c.Storage)
	v.journal(c)
	v.prices(c)
	v.audit(&c.Audit)
	v.outbound(&c.Outbound)
	v.smtp(&c.SMTP)
	v.encryption(&c.Encryption)
	v.sentry(&c.Sentry)
}

func (v *validator) listeners(c *Config) {
	v.address("listen", c.Listen)
	v.address("admin_listen", c.AdminListen)
	if c.Listen == c.AdminListen && !strings.HasSuffix(c.Listen, ":0") {
		v.wrong("admin_listen", "is the same address as listen, %s", c.Listen)
	}
	for knob, on := range map[string]bool{"proxy_protocol": c.ProxyProtocol, "admin_proxy_protocol": c.AdminProxyProtocol} {
		if on && len(c.TrustedProxies) == 0 {
			v.wrong(knob, "is on, and trusted_proxies says of nobody that its header counts")
		}
	}
	v.cors(&c.CORS)
	v.tls("tls", &c.TLS)
	v.tls("admin_tls", &c.AdminTLS)
}

func (v *validator) address(path, text string) {
	_, port, err := net.SplitHostPort(text)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		v.wrong(path, "%q is not an address such as :8080 or 127.0.0.1:8080", text)
	}
}

func (v *validator) sizes(c *Config) {
	if c.MaxBody < 1 {
		v.wrong("max_body", "must be at least one byte")
	}
	if c.MaxHeader < 1<<10 {
		v.wrong("max_header", "must be at least 1KiB, which common clients need")
	}
	if c.BodyMemory < c.MaxBody {
		v.wrong("body_memory", "is less than max_body, so that the largest body could never be read")
	}
	if c.MaxUpload < 1 {
		v.wrong("max_upload", "must be at least one byte")
	}
	if c.UploadDisk < c.MaxUpload {
		v.wrong("upload_disk", "is less than max_upload, so that the largest upload could never be kept")
	}
	if c.Concurrency < 1 {
		v.wrong("concurrency", "must be at least 1")
	}
}

func (v *validator) turns(c *Config) {
	if c.Payloads.MaxLifetime <= 0 {
		v.wrong("payloads.max_lifetime", "is %s, and must be above zero", c.Payloads.MaxLifetime)
	}
	if c.Payloads.Memory < 1 {
		v.wrong("payloads.memory", "is %d, and must be above zero", c.Payloads.Memory)
	}
	v.payloads(c)
	if c.Turns.MaxLifetime <= 0 {
		v.wrong("turns.max_lifetime", "must be more than 0: nothing is kept for ever")
	}
	if c.Turns.MaxSize < 1 {
		v.wrong("turns.max_size", "must be at least one byte")
	}
}

func (v *validator) times(c *Config) {
	if c.DrainDelay < 0 {
		v.wrong("drain_delay", "is negative")
	}
	if c.DrainTimeout < 0 {
		v.wrong("drain_timeout", "is negative")
	}
	t := &c.Timeouts
	for _, wait := range []struct {
		path string
		d    time.Duration
	}{
		{"connect", t.Connect}, {"first_byte", t.FirstByte}, {"stream_idle", t.StreamIdle}, {"hold", t.Hold},
		{"keepalive_comment", t.KeepaliveComment}, {"client_write", t.ClientWrite}, {"read", t.Read}, {"idle", t.Idle},
	} {
		if wait.d <= 0 {
			v.wrong("timeouts."+wait.path, "must be more than 0: no wait is unbounded")
		}
	}
}

var providerName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// postgres looks at the URL's form. It may hold a password: nothing of it is shown.
func (v *validator) postgres(text storage.Secret) {
	if !text.Empty() && !isServer(text, "postgres", "postgresql") {
		v.wrong("storage.postgres", "is not a URL such as postgres://user@host:5432/database")
	}
}

func isServer(text storage.Secret, schemes ...string) bool {
	u, err := url.Parse(text.Reveal())
	return err == nil && slices.Contains(schemes, u.Scheme)
}

func (v *validator) provider(p *ProviderConfig, at string, seen map[string]string) {
	v.name(at+".name", p.Name, "provider", seen)
	if p.Name == "" {
		return
	}
	if !providerName.MatchString(p.Name) || p.Name == "prompt" || p.Name == storage.GatewayKeeper {
		v.wrong(at+".name", "%q is no provider's name: lower-case letters, digits, '.', '_', '-'; not \"prompt\" or %q", p.Name, storage.GatewayKeeper)
	}
	v.dialect(p, at)
	if p.BaseURL != "" {
		v.baseURL(at+".base_url", p.BaseURL)
	}
	for i, model := range p.Models {
		if !isModel(model) {
			v.wrong(element(at+".models", i), "%q is no model's name", model)
		}
	}
	for i, header := range p.Forward {
		v.forward(element(at+".forward", i), header)
	}
	v.way(at, p.way())
	v.accounts(p, at)
	v.sticky(at+".sticky", p.Sticky)
	if t := p.Timeouts; min(t.Connect, t.FirstByte, t.StreamIdle) < 0 {
		v.wrong(at+".timeouts", "a timeout is negative")
	}
	if n := p.Quirks.CallID; n < 0 || n > 64 {
		v.wrong(at+".quirks.call_id", "want a number of characters up to 64, or 0 for ids of any form")
	}
}

// dialect holds what is needed to speak with the provider. A known name needs nothing, and keeps
// its language: its capabilities, prices and quirks are those of that address.
func (v *validator) dialect(p *ProviderConfig, at string) {
	if p.Dialect != "" && !slices.Contains(catalog.Languages(), p.Dialect) {
		v.wrong(at+".dialect", "unknown dialect %q%s", p.Dialect, hint(p.Dialect, catalog.Languages()))
		return
	}
	if p.Name == mockName {
		if p.Kind != "" || len(p.Deployments) > 0 || p.Responses || p.Dialect != "" || p.Quirks.said() {
			v.wrong(at, "the emulator speaks every dialect and has no quirks; it takes a base_url at most")
		}
		return
	}
	v.kind(p, at)
	v.settings(p, at)
	if known, ok := catalog.Known(p.kind()); ok {
		route, _ := known.Route(providers.OpChat, p.Dialect, "")
		v.responses(p, at, route.Language)
		if p.Dialect != "" && p.Dialect != route.Language {
			v.wrong(at+".dialect", "%s speaks %s; an account in another dialect needs a name of its own", p.kind(), route.Language)
		}
		return
	}
	v.responses(p, at, p.Dialect)
	if p.Kind != "" {
		return
	}
	if p.Dialect == "" {
		v.wrong(at+".dialect", "is missing: %q is no known provider%s", p.Name, hint(p.Name, append(catalog.Names(), mockName)))
	}
	if p.BaseURL == "" {
		v.wrong(at+".base_url", "is missing: nobody knows the address of %q", p.Name)
	}
}

// responses holds the switch to upstreams that could have the API.
func (v *validator) responses(p *ProviderConfig, at, dialect string) {
	if p.Responses && dialect != openai.Language {
		v.wrong(at+".responses", "is for upstreams that speak openai")
	}
}

func (v *validator) baseURL(path, text string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		v.wrong(path, "is not a URL such as https://api.example.com/v1") // it may hold a secret: not shown
	case u.User != nil:
		v.wrong(path, "holds a user or a password; a credential stands in api_key")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		v.wrong(path, "holds a query or a fragment; keys in URLs end up in logs")
	}
}

// ownHeaders are said by the gateway, or speak of the client's credentials and connection.
var ownHeaders = []string{
	"accept", "accept-encoding", "authorization", "connection", "content-encoding", "content-length", "content-type",
	"cookie", "expect", "host", "keep-alive", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade",
	"user-agent", "x-api-key", "x-goog-api-key",
}

var headerName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

func (v *validator) forward(path, header string) {
	switch {
	case !headerName.MatchString(header):
		v.wrong(path, "%q is no header's name in lower case", header)
	case slices.Contains(ownHeaders, header):
		v.wrong(path, "%q is never handed on: it is the gateway's own, or a credential", header)
	}
}

// name holds a name to be there, and to be there once.
func (v *validator) name(path, name, what string, seen map[string]string) {
	if name == "" {
		v.wrong(path, "is missing")
		return
	}
	if first, ok := seen[name]; ok {
		v.wrong(path, "%s %q stands twice, first at %s", what, name, first)
		return
	}
	seen[name] = path
}

func isModel(name string) bool { return policy.CheckModelName(name) == nil }

func element(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }
