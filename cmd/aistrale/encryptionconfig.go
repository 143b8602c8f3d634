package main

import (
	"regexp"
	"strings"
	"time"

	"github.com/aistrale/aistrale/internal/transit"
	"github.com/aistrale/aistrale/storage"
)

// EncryptionConfig says what wraps data keys where no master key of the environment does.
type EncryptionConfig struct {
	Vault    VaultConfig `yaml:"vault"`
	VaultOld VaultConfig `yaml:"vault_old"` // which a master key replaces: it still unwraps
}

// VaultConfig names a key of a transit engine, of HashiCorp Vault or OpenBao.
type VaultConfig struct {
	Address   string         `yaml:"address"` // "" is none
	Mount     string         `yaml:"mount"`
	Key       string         `yaml:"key"`
	Namespace string         `yaml:"namespace"`
	Token     storage.Secret `yaml:"token"`
	CAFile    string         `yaml:"ca_file"` // PEM; "" the system's
	Timeout   time.Duration  `yaml:"timeout"` // of one call
}

func (c *VaultConfig) wrapper() (storage.KeyWrapper, error) {
	w, err := transit.New(transit.Options{
		Address: c.Address, Token: c.Token, Namespace: c.Namespace, Mount: c.Mount, Key: c.Key, CAFile: c.CAFile, Timeout: c.Timeout,
	})
	if err != nil {
		return nil, err // and no typed nil
	}
	return w, nil
}

var (
	vaultKeyName = regexp.MustCompile(`^\w[\w.-]*$`)
	vaultMount   = regexp.MustCompile(`^\w[\w.-]*(/\w[\w.-]*)*$`)
)

func (v *validator) encryption(c *EncryptionConfig) {
	v.vault("encryption.vault", &c.Vault)
	v.vault("encryption.vault_old", &c.VaultOld)
	if c.Vault.Address != "" && c.VaultOld.Address != "" {
		v.wrong("encryption.vault_old", "cannot be set beside encryption.vault: move to a master key between the two")
	}
}

func (v *validator) vault(path string, c *VaultConfig) {
	if c.Address == "" {
		if c.Key != "" || !c.Token.Empty() {
			v.wrong(path+".address", "is missing")
		}
		return
	}
	v.safeURL(path+".address", c.Address)
	if strings.Contains(c.Address, "?") {
		v.wrong(path+".address", "has a query")
	}
	if !vaultMount.MatchString(c.Mount) {
		v.wrong(path+".mount", "%q is no path such as transit", c.Mount)
	}
	if !vaultKeyName.MatchString(c.Key) {
		v.wrong(path+".key", "%q is no name of a key", c.Key)
	}
	if c.Token.Empty() {
		v.wrong(path+".token", "is missing")
	}
	if c.Timeout <= 0 {
		v.wrong(path+".timeout", "is %s, and must be above zero", c.Timeout)
	}
	if _, err := c.wrapper(); err != nil {
		v.wrong(path+".ca_file", "%s", err)
	}
}
