package main

import (
	"strings"
	"testing"

	"github.com/aistrale/aistrale/storage"
)

func TestEncryptionConfig(t *testing.T) {
	const good = "address: 'https://vault.example.com:8200', key: aistrale, token: '${VAULT_TOKEN}'"
	load := func(text string) (*Config, error) {
		return loadConfig(writeConfig(t, "providers: [{name: mock}]\nencryption: {"+text+"}"), variables("VAULT_TOKEN", "hvs.canary"))
	}
	c, err := load("vault: {" + good + "}")
	if err != nil {
		t.Fatal(err)
	}
	if v := c.Encryption.Vault; v.Mount != "transit" || v.Timeout <= 0 || v.Token.Reveal() != "hvs.canary" {
		t.Errorf("got %+v", v)
	}
	for text, why := range map[string]string{
		"vault: {" + strings.Replace(good, "https", "http", 1) + "}": "encryption.vault.address: is not https",
		"vault: {key: a}":                                                     "encryption.vault.address: is missing",
		"vault: {" + good + ", mount: '../sys'}":                              "encryption.vault.mount",
		"vault: {" + good + ", timeout: 0s}":                                  "encryption.vault.timeout",
		"vault: {" + good + ", ca_file: /none/x}":                             "encryption.vault.ca_file",
		"vault: {" + good + ", keys: b}":                                      "encryption.vault.keys: unknown key",
		"vault: {" + strings.Replace(good, "aistrale", "../a", 1) + "}":       "encryption.vault.key",
		"vault: {" + strings.Replace(good, "'${VAULT_TOKEN}'", "''", 1) + "}": "encryption.vault.token: is missing",
		"vault: {" + good + "}, vault_old: {" + good + "}":                    "encryption.vault_old",
	} {
		if _, err := load(text); err == nil || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v, want %q", text, err, why)
		}
	}
	for name, old := range map[string]bool{masterKeyEnv: false, oldMasterKeyEnv: true} {
		c, err := load(map[bool]string{false: "vault: {", true: "vault_old: {"}[old] + good + "}")
		if err != nil {
			t.Fatal(err)
		}
		vars := map[string]string{masterKeyEnv: storage.NewMasterKey().Reveal()}
		vars[name] = vars[masterKeyEnv]
		if _, err := loadMasterKey(func(name string) string { return vars[name] }, c); err == nil || !strings.Contains(err.Error(), name+" are both set") {
			t.Errorf("%s beside Vault: error %v", name, err)
		}
	}
}
