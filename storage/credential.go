package storage

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Credential is a provider's key at rest: sealed, and bound to its own row and to the address
// that it may be sent to. It never holds the plain text.
type Credential struct {
	ID   string // of the row; new with every secret
	Name string // unique in the workspace

	Provider                  string
	Workspace, Project, Owner string
	Label                     string // what people say of it
	Default                   bool   // the workspace's first choice among the provider's

	Target    string // scheme://host:port, from TargetOf
	Sealed    []byte
	DataKeyID string
	Hint      string // the secret's last 4 characters, or "" where they would say too much

	CreatedAt, UpdatedAt time.Time
	LastUsedAt           *time.Time      // nil: never, or with a secret that it has no more
	Test                 *CredentialTest // the last one; nil: none
	Revision             int64           // 1 when added, and one more with each change
}

// CredentialTest is what became of trying a credential at its provider.
type CredentialTest struct {
	At      time.Time     `json:"at"`
	Outcome string        `json:"outcome" enum:"ok,answered,refused,failed,unreachable" doc:"answered: the provider did, in a call that says nothing of the credential"`
	Status  int           `json:"status,omitempty" doc:"Of the provider's answer"`
	Message string        `json:"message,omitempty" doc:"The provider's, without secrets"`
	Took    time.Duration `json:"took_ns"`
}

// CredentialSeen is what is noted of a credential without changing it.
type CredentialSeen struct {
	UsedAt *time.Time
	Test   *CredentialTest
}

// credentialTable names the table in bindings. It is part of every seal: never change it.
const credentialTable = "credentials"

// Seal puts a secret into the credential, for the address of baseURL, in place of any other. It
// sets everything but the names: id, target, hint, seal and times.
func (c *Credential) Seal(v *Vault, secret Secret, baseURL string, now time.Time) error {
	if secret.Empty() {
		return fmt.Errorf("credential %q: the secret is empty", c.Name)
	}
	target, err := TargetOf(baseURL)
	if err != nil {
		return fmt.Errorf("credential %q: %w", c.Name, err)
	}
	binding := Binding{Table: credentialTable, Row: rand.Text(), Target: target}
	sealed, err := v.Seal(secret, binding)
	if err != nil {
		return fmt.Errorf("credential %q: %w", c.Name, err)
	}
	c.ID, c.Target, c.Hint = binding.Row, target, hint(secret)
	c.LastUsedAt, c.Test = nil, nil // of another secret
	c.Sealed, c.DataKeyID = sealed.Blob, sealed.DataKeyID
	c.UpdatedAt = stamp(now)
	if c.CreatedAt.IsZero() {
		c.CreatedAt = c.UpdatedAt
	}
	return nil
}

// Open gives the secret, to be sent to baseURL and nowhere else. It wraps ErrSealBroken where
// baseURL has another scheme, host or port than the secret was sealed for.
func (c *Credential) Open(v *Vault, baseURL string) (Secret, error) {
	target, err := TargetOf(baseURL)
	if err != nil {
		return Secret{}, fmt.Errorf("credential %q: %w", c.Name, err)
	}
	binding := Binding{Table: credentialTable, Row: c.ID, Target: target}
	secret, err := v.Open(Sealed{DataKeyID: c.DataKeyID, Blob: c.Sealed}, binding)
	if err != nil && target != c.Target {
		return Secret{}, fmt.Errorf("credential %q was stored for %s, not for %s; add it again for the new address: %w",
			c.Name, c.Target, target, err)
	}
	if err != nil {
		return Secret{}, fmt.Errorf("credential %q: %w", c.Name, err)
	}
	return secret, nil
}

// TestText is the last test as stores keep it, "" where there is none.
func (c *Credential) TestText() (string, error) {
	if c.Test == nil {
		return "", nil
	}
	text, err := json.Marshal(c.Test)
	return string(text), err
}

// ReadTest reads what TestText wrote.
func (c *Credential) ReadTest(text string) error {
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), &c.Test)
}

// Check says what is wrong with the credential's own data. Stores refuse one that fails it.
func (c *Credential) Check() error {
	if err := c.CheckNames(); err != nil {
		return err
	}
	if c.ID == "" || len(c.Sealed) == 0 || c.DataKeyID == "" || c.Target == "" {
		return fmt.Errorf("credential %q is not sealed", c.Name)
	}
	return nil
}

// CheckNames is the part of Check that holds before the credential is sealed.
func (c *Credential) CheckNames() error {
	if err := CheckName("credential", c.Name); err != nil {
		return err
	}
	for _, n := range [...]struct {
		what, name string
		optional   bool
	}{
		{"provider", c.Provider, false},
		{"workspace", c.Workspace, false},
		{"project", c.Project, true},
		{"owner", c.Owner, true},
	} {
		if n.optional && n.name == "" {
			continue
		}
		if err := CheckName(n.what, n.name); err != nil {
			return fmt.Errorf("credential %q: %w", c.Name, err)
		}
	}
	return nil
}

// hint shows the end of secrets that are long enough for 4 characters to give nothing away.
func hint(secret Secret) string {
	const enough = 20
	text := secret.Reveal()
	if len(text) < enough {
		return ""
	}
	tail := text[len(text)-4:]
	if !plain(tail) {
		return ""
	}
	return tail
}

// TargetOf is where requests to a base URL go: scheme://host:port, with the scheme and host in
// lower case and the port always written, so that two spellings of one address are equal and
// two addresses never are.
func TargetOf(baseURL string) (string, error) {
	u, err := url.Parse(baseURL)
	if err != nil { // the parser's own text repeats the URL, which may hold a password
		return "", errors.New("base_url: not a URL")
	}
	if u.User != nil {
		return "", errors.New("base_url: a user name or password does not belong in a URL")
	}
	port, ok := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	if !ok {
		return "", errors.New("base_url: the scheme is neither http nor https")
	}
	host, err := canonicalHost(u.Hostname())
	if err != nil {
		return "", err
	}
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return "", fmt.Errorf("base_url: %q is not a port", p)
		}
		port = strconv.FormatUint(n, 10)
	}
	return u.Scheme + "://" + host + ":" + port, nil
}

func canonicalHost(host string) (string, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		addr = addr.Unmap()
		if addr.Is6() {
			return "[" + addr.String() + "]", nil
		}
		return addr.String(), nil
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "" {
		return "", errors.New("base_url: it names no host")
	}
	for i := range len(host) {
		if c := host[i]; !alphanumeric(c) && c != '.' && c != '-' && c != '_' {
			return "", fmt.Errorf("base_url: %q is not a host name (write an international one in its xn-- form)", host)
		}
	}
	return host, nil
}
