package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/aistrale/aistrale/internal/outlet"
	"github.com/aistrale/aistrale/internal/telemetry"
	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/storage"
)

// Config is everything an operator may say. It is plain data: checked, expanded and complete
// when loadConfig returns it, and never changed afterwards.
type Config struct {
	File      string `yaml:"-"` // "" in developer mode
	Developer bool   `yaml:"-"`

	places map[string]place // where each value was said

	Listen      string    `yaml:"listen"`
	AdminListen string    `yaml:"admin_listen"`
	TLS         TLSConfig `yaml:"tls"`
	AdminTLS    TLSConfig `yaml:"admin_tls"`

	// TrustedProxies are those whose word on who a client is counts, in headers and, where the two
	// switches say so, in the PROXY protocol. AdminAllow is who may come to the control plane; empty:
	// anybody.
	TrustedProxies     storage.Networks `yaml:"trusted_proxies"`
	ProxyProtocol      bool             `yaml:"proxy_protocol"`
	AdminProxyProtocol bool             `yaml:"admin_proxy_protocol"`
	AdminAllow         storage.Networks `yaml:"admin_allow"`

	CORS CORSConfig `yaml:"cors"`

	DataDir      string         `yaml:"data_dir"`
	Node         string         `yaml:"node"` // never empty once loaded
	LogLevel     string         `yaml:"log_level"`
	MetricsToken storage.Secret `yaml:"metrics_token"`
	Sessions     SessionConfig  `yaml:"sessions"`
	OIDC         OIDCConfig     `yaml:"oidc"`
	Audit        AuditConfig    `yaml:"audit"`
	Outbound     OutboundConfig `yaml:"outbound"`
	SMTP         SMTPConfig     `yaml:"smtp"`

	Sentry SentryConfig `yaml:"sentry"`

	Encryption EncryptionConfig `yaml:"encryption"`

	Tracing  TracingConfig  `yaml:"tracing"`
	OTLPLogs OTLPLogsConfig `yaml:"otlp_logs"`

	MaxBody    Size `yaml:"max_body"`    // of a request, unpacked
	MaxHeader  Size `yaml:"max_header"`  // of a request
	BodyMemory Size `yaml:"body_memory"` // of all large bodies together, what is sent of them and whole answers too
	MaxUpload  Size `yaml:"max_upload"`  // of a request that brings files, unpacked
	UploadDisk Size `yaml:"upload_disk"` // of all such files that are kept before they are sent

	Concurrency  int           `yaml:"concurrency"` // client connections served at once
	DrainDelay   time.Duration `yaml:"drain_delay"`
	DrainTimeout time.Duration `yaml:"drain_timeout"`
	Timeouts     Timeouts      `yaml:"timeouts"`

	Providers  []ProviderConfig  `yaml:"providers"`
	Retry      RetryConfig       `yaml:"retry"`   // of a provider that says none of its own
	Breaker    BreakerConfig     `yaml:"breaker"` // likewise
	Workspaces []WorkspaceConfig `yaml:"workspaces"`
	Keys       []KeyConfig       `yaml:"keys"`
	Aliases    []AliasConfig     `yaml:"aliases"`

	Limits  []LimitConfig  `yaml:"limits"`
	Budgets []BudgetConfig `yaml:"budgets"`
	Queue   QueueConfig    `yaml:"queue"`

	Cache CacheConfig `yaml:"cache"`
	Turns TurnsConfig `yaml:"turns"`
	// Payloads bounds what is kept of what calls ask and are answered.
	Payloads PayloadsConfig `yaml:"payloads"`

	Journal JournalConfig `yaml:"journal"`
	Ledger  LedgerConfig  `yaml:"ledger"`
	Prices  []PriceConfig `yaml:"prices"`

	Storage StorageConfig `yaml:"storage"`
}

// Timeouts bound every wait of the data plane. None may be zero.
type Timeouts struct {
	Connect          time.Duration `yaml:"connect"`
	FirstByte        time.Duration `yaml:"first_byte"`
	StreamIdle       time.Duration `yaml:"stream_idle"`
	Hold             time.Duration `yaml:"hold"`
	KeepaliveComment time.Duration `yaml:"keepalive_comment"`
	ClientWrite      time.Duration `yaml:"client_write"`
	Read             time.Duration `yaml:"read"`
	Idle             time.Duration `yaml:"idle"`
}

// ProviderConfig is an account with an upstream.
type ProviderConfig struct {
	Name    string `yaml:"name"`
	Kind    string `yaml:"kind"`     // the known provider that it is an account of; "" its name says
	Dialect string `yaml:"dialect"`  // "" or its own for a known name
	BaseURL string `yaml:"base_url"` // "" for the known one; no trailing slash
	Region  string `yaml:"region"`   // whose prices hold; "" none

	Project    string `yaml:"project"`     // Google's, of vertex
	Location   string `yaml:"location"`    // Google's, of vertex; AWS's region, of bedrock
	APIVersion string `yaml:"api_version"` // of azure; "" its v1 API
	// Deployments says which of the kind's models stands behind a name of the operator's own.
	Deployments map[string]string `yaml:"deployments"`
	// PriceAs says by whose price a model is charged that has none of its own: provider/model.
	PriceAs  map[string]string `yaml:"price_as"`
	TokenURL string            `yaml:"token_url"` // where tokens are minted, of vertex and azure; "" as the credential says

	Proxy    storage.Secret `yaml:"proxy"`     // by way of which it is called; noProxy: of none; empty: outbound's
	CAFile   string         `yaml:"ca_file"`   // PEM: who signs its certificate; "": outbound's
	CertFile string         `yaml:"cert_file"` // PEM: the certificate that it is shown; "": none
	KeyFile  string         `yaml:"key_file"`

	APIKey storage.Secret `yaml:"api_key"` // empty: a stored credential of this provider
	// NoKey is set where api_key is "none": the upstream takes no credential.
	NoKey       bool               `yaml:"-"`
	APIKeys     []APIKeyConfig     `yaml:"api_keys"`    // several, in place of api_key
	Credentials []CredentialConfig `yaml:"credentials"` // several stored ones, in place of api_key
	Sticky      string             `yaml:"sticky"`      // session or prefix: what stays at one of several
	Models      []string           `yaml:"models"`      // the models it serves; empty: any
	Forward     []string           `yaml:"forward"`     // more client headers that it may see, lower case
	Keeps       bool               `yaml:"keeps"`       // files, batches and the like, as OpenAI does
	Responses   bool               `yaml:"responses"`   // an upstream of OpenAI's language has the Responses API too
	Quirks      QuirksConfig       `yaml:"quirks"`
	Timeouts    UpstreamTimeouts   `yaml:"timeouts"` // filled from the general ones where not said
	Retry       RetryConfig        `yaml:"retry"`    // likewise
	Breaker     BreakerConfig      `yaml:"breaker"`  // likewise
}

// QuirksConfig has the fields of providers.Quirks, to which it converts.
type QuirksConfig struct {
	Strip         []string          `yaml:"strip"`
	Rename        map[string]string `yaml:"rename"`
	NoStreamUsage bool              `yaml:"no_stream_usage"`
	CallID        int               `yaml:"call_id"`
}

func (q *QuirksConfig) said() bool {
	return len(q.Strip)+len(q.Rename)+q.CallID > 0 || q.NoStreamUsage
}

// UpstreamTimeouts are the waits for one upstream.
type UpstreamTimeouts struct {
	Connect    time.Duration `yaml:"connect"`
	FirstByte  time.Duration `yaml:"first_byte"`
	StreamIdle time.Duration `yaml:"stream_idle"`
}

// CacheConfig says where answers are kept, for keys and aliases that ask for it.
type CacheConfig struct {
	Memory   Size `yaml:"memory"`    // of all answers, where they are kept in this process
	MaxReply Size `yaml:"max_reply"` // a longer one is not kept
	Redis    bool `yaml:"redis"`     // kept in storage.redis, for all gateways
}

// StorageConfig names the servers that several gateways share. The URLs may hold passwords.
type StorageConfig struct {
	Postgres  storage.Secret `yaml:"postgres"`   // empty: SQLite under data_dir
	Redis     storage.Secret `yaml:"redis"`      // empty: counters in memory
	RedisMode string         `yaml:"redis_mode"` // redisLocal, redisDeny or redisAllow
}

// kind is the catalogue's name of the provider.
func (p *ProviderConfig) kind() string { return cmp.Or(p.Kind, p.Name) }

// tariff is the region whose prices hold.
func (p *ProviderConfig) tariff() string {
	return cmp.Or(catalog.Tariff(p.kind(), p.settings()), p.Region)
}

// kinds says as what the catalogue knows the providers.
func (c *Config) kinds() map[string]policy.Kind {
	kinds := make(map[string]policy.Kind, len(c.Providers))
	for i := range c.Providers {
		p := &c.Providers[i]
		kinds[p.Name] = policy.Kind{Name: p.kind(), Models: p.Deployments}
	}
	return kinds
}

// settings are where the account stands.
func (p *ProviderConfig) settings() catalog.Settings {
	return catalog.Settings{BaseURL: p.BaseURL, Project: p.Project, Location: p.Location, APIVersion: p.APIVersion}
}

// SessionConfig says how long a browser stays signed in to the control plane.
type SessionConfig struct {
	Lasts time.Duration `yaml:"lasts"` // at most
	Idle  time.Duration `yaml:"idle"`  // without a request
}

func defaults() *Config {
	return &Config{
		Listen: ":8080", AdminListen: "127.0.0.1:8081", DataDir: "./data", LogLevel: "info",
		CORS: CORSConfig{MaxAge: 10 * time.Minute},
		TLS:  TLSConfig{ClientAuth: clientRequire, MinVersion: "1.2"}, AdminTLS: TLSConfig{ClientAuth: clientRequire, MinVersion: "1.2"},
		MaxBody: 32 << 20, MaxHeader: 16 << 10, BodyMemory: 512 << 20, MaxUpload: 512 << 20, UploadDisk: 4 << 30,
		Audit:       AuditConfig{Every: 10 * time.Minute, Records: 1000},
		Tracing:     TracingConfig{Protocol: otlpHTTP, Ratio: 1, Parent: string(telemetry.ParentTrust), Errors: true, Propagate: true, ServiceName: "aistrale", Memory: 16 << 20},
		OTLPLogs:    OTLPLogsConfig{ServiceName: "aistrale", Memory: 8 << 20},
		SMTP:        SMTPConfig{Port: 587, TLS: outlet.TLSStart},
		OIDC:        OIDCConfig{Scopes: []string{"openid", "email", "profile"}, GroupsClaim: "groups"},
		Encryption:  EncryptionConfig{Vault: VaultConfig{Mount: "transit", Timeout: 5 * time.Second}, VaultOld: VaultConfig{Mount: "transit", Timeout: 5 * time.Second}},
		Sentry:      SentryConfig{Environment: "production", PerMinute: 30},
		Sessions:    SessionConfig{Lasts: 12 * time.Hour, Idle: time.Hour},
		Concurrency: 16384, DrainTimeout: 30 * time.Second,
		Timeouts: Timeouts{
			Connect: 5 * time.Second, FirstByte: 600 * time.Second, StreamIdle: 300 * time.Second,
			Hold: 15 * time.Second, KeepaliveComment: 15 * time.Second, ClientWrite: 10 * time.Second,
			Read: 30 * time.Second, Idle: 75 * time.Second,
		},
		Retry: RetryConfig{
			Max: 2, Backoff: 100 * time.Millisecond, MaxBackoff: 2 * time.Second, AfterMax: time.Second, BudgetPercent: 10, Floor: 10,
		},
		Breaker:  BreakerConfig{Failures: 5, Requests: 20, Percent: 50, Window: 30 * time.Second, OpenFor: 10 * time.Second},
		Queue:    QueueConfig{MaxDepth: 100},
		Cache:    CacheConfig{Memory: 64 << 20, MaxReply: 1 << 20},
		Payloads: PayloadsConfig{Memory: 64 << 20, MaxLifetime: 90 * 24 * time.Hour},
		Turns:    TurnsConfig{MaxLifetime: 30 * 24 * time.Hour, MaxSize: 8 << 20},
		Storage:  StorageConfig{RedisMode: redisLocal},
		Journal:  JournalConfig{Store: journalFile, Fsync: "interval", OnError: "deny"},
		Ledger:   LedgerConfig{Ship: true, KeepRows: 90 * 24 * time.Hour, KeepMinutes: 7 * 24 * time.Hour, KeepHours: 90 * 24 * time.Hour},
	}
}

// developerDefaults is what runs without a file: on loopback only, the emulator, and every
// provider whose key may be found in the environment or in the store.
func developerDefaults() *Config {
	c := defaults()
	c.Developer, c.Listen = true, "127.0.0.1:8080"
	for _, name := range append(catalog.First(), mockName) {
		c.Providers = append(c.Providers, ProviderConfig{Name: name})
	}
	return c
}

// loadConfig reads a file, or, where path is empty, gives developer mode. Environment variables
// AISTRALE_… go before the file, the file before the defaults. The error is a *mistakes with
// everything that is wrong.
func loadConfig(path string, getenv func(string) string) (*Config, error) {
	d := &decoder{found: &mistakes{file: path}, places: map[string]place{}, getenv: getenv, readFile: os.ReadFile}
	if path == "" {
		return d.config(developerDefaults(), nil)
	}
	root, err := readYAML(path)
	if err != nil {
		return nil, err
	}
	c := defaults()
	c.File = path
	return d.config(c, root)
}

// config puts what a file and the environment say over defaults. root may be nil.
func (d *decoder) config(c *Config, root *yaml.Node) (*Config, error) {
	if root != nil {
		d.decode(root, reflect.ValueOf(c).Elem(), "")
	}
	d.override(reflect.ValueOf(c).Elem(), "")
	c.inherit(d.said)
	v := validator{found: d.found, places: d.places}
	v.config(c)
	if len(d.found.list) > 0 {
		return nil, d.found
	}
	c.places = d.places
	return c, c.finish()
}

// located puts before an error that begins with the setting at fault, as those of a start do, the
// line of the file or the variable that says it.
func (c *Config) located(err error) error {
	if err == nil {
		return nil
	}
	setting, _, _ := strings.Cut(err.Error(), ": ")
	at, ok := nearest(c.places, setting)
	if !ok {
		return err
	}
	return fmt.Errorf("%s: %w", at.in(c.File), err)
}

// readYAML gives the top node of the file's one document, nil where it is empty.
func readYAML(path string) (*yaml.Node, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	defer file.Close()
	return parseYAML(file, path)
}

func parseYAML(r io.Reader, name string) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(r)
	var document, second yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil // an empty file says nothing, which is no error
		}
		return nil, fmt.Errorf("%s%w", name, notYAML{err})
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: more than one YAML document, of which only the first would be read", name)
	}
	return document.Content[0], nil
}

// notYAML is what the library says of a text, with the line where all other mistakes have it.
type notYAML struct{ error }

var yamlLine = regexp.MustCompile(`^yaml: line (\d+): `)

// Error begins behind the file's name.
func (e notYAML) Error() string {
	line, words := e.split()
	if line != "" {
		line = ":" + line
	}
	return line + ": is not YAML: " + words
}

// split gives the line, "" where the library says none, and what is wrong there.
func (e notYAML) split() (line, words string) {
	text := e.error.Error()
	if at := yamlLine.FindStringSubmatch(text); at != nil {
		return at[1], text[len(at[0]):]
	}
	return "", strings.TrimPrefix(text, "yaml: ")
}

// Unwrap gives the library's own.
func (e notYAML) Unwrap() error { return e.error }

// finish fills what is left to the machine and to other settings.
func (c *Config) finish() error {
	if c.Node == "" {
		host, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("node: is not set, and the host has no name: %w", err)
		}
		c.Node = host
	}
	for i := range c.Providers {
		p := &c.Providers[i]
		p.BaseURL = strings.TrimRight(p.BaseURL, "/")
		if p.APIKey.Reveal() == noKey {
			p.NoKey, p.APIKey = true, storage.Secret{}
		}
		c.Outbound.inherit(p)
		orElse(&p.Timeouts.Connect, c.Timeouts.Connect)
		orElse(&p.Timeouts.FirstByte, c.Timeouts.FirstByte)
		orElse(&p.Timeouts.StreamIdle, c.Timeouts.StreamIdle)
	}
	for i := range c.Keys {
		if c.Keys[i].Models == nil {
			c.Keys[i].Models = []string{"*"}
		}
	}
	return nil
}

func orElse(d *time.Duration, from time.Duration) {
	if *d == 0 {
		*d = from
	}
}
