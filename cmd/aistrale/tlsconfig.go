package main

import (
	"crypto/tls"
	"slices"
	"time"

	"github.com/aistrale/aistrale/internal/edge"
)

// TLSConfig is a listener's TLS; without a certificate it speaks plain HTTP.
type TLSConfig struct {
	CertFile     string `yaml:"cert_file"` // PEM, with its chain
	KeyFile      string `yaml:"key_file"`
	ClientCAFile string `yaml:"client_ca_file"` // PEM: who signs clients' certificates; "" none is asked for
	ClientAuth   string `yaml:"client_auth"`    // clientRequire or clientOptional, where there is a client_ca_file
	MinVersion   string `yaml:"min_version"`    // 1.2 or 1.3
}

// What is asked of clients.
const (
	clientRequire  = "require"
	clientOptional = "optional"
)

func (c *TLSConfig) on() bool { return c.CertFile != "" }

// files are those that are read anew when they change.
func (c *TLSConfig) files() []string {
	return slices.DeleteFunc([]string{c.CertFile, c.KeyFile, c.ClientCAFile}, func(path string) bool { return path == "" })
}

func (c *TLSConfig) options() edge.TLSOptions {
	o := edge.TLSOptions{
		CertFile: c.CertFile, KeyFile: c.KeyFile, ClientCAFile: c.ClientCAFile, ClientOptional: c.ClientAuth == clientOptional,
		MinVersion: tls.VersionTLS12,
	}
	if c.MinVersion == "1.3" {
		o.MinVersion = tls.VersionTLS13
	}
	return o
}

func (v *validator) tls(path string, c *TLSConfig) {
	if versions := []string{"1.2", "1.3"}; !slices.Contains(versions, c.MinVersion) {
		v.wrong(path+".min_version", "%q is neither 1.2 nor 1.3", c.MinVersion)
	}
	if ways := []string{clientRequire, clientOptional}; !slices.Contains(ways, c.ClientAuth) {
		v.wrong(path+".client_auth", "%q is neither %s nor %s", c.ClientAuth, clientRequire, clientOptional)
	}
	switch {
	case c.CertFile == "" && (c.KeyFile != "" || c.ClientCAFile != ""):
		v.wrong(path+".cert_file", "is missing")
	case c.CertFile != "" && c.KeyFile == "":
		v.wrong(path+".key_file", "is missing")
	case c.CertFile != "":
		if _, err := edge.NewTLS(c.options(), time.Now); err != nil {
			v.wrong(path+".cert_file", "%s", err)
		}
	}
}
