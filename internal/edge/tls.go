// Package edge is what stands between a client's connection and HTTP: TLS with certificates that
// are read anew while it serves, and who the client is where proxies stand in front.
package edge

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// TLSOptions are what a listener's TLS is made of.
type TLSOptions struct {
	CertFile, KeyFile string // PEM; the certificate's chain after it
	ClientCAFile      string // PEM: who signs the certificates of clients; "": none is asked for
	ClientOptional    bool   // who brings no certificate is served too; a wrong one is still refused
	MinVersion        uint16 // as crypto/tls has it
}

// TLS is a listener's, in force until Load puts another in its place. Connections that stand keep
// what they were made with; a session that is resumed is held to the authorities of now.
type TLS struct {
	now     func() time.Time
	current atomic.Pointer[loaded]
	failed  atomic.Int64
}

type loaded struct {
	config   *tls.Config
	notAfter time.Time
}

// NewTLS reads the files. A certificate that has expired is taken, since what begins has no other.
func NewTLS(o TLSOptions, now func() time.Time) (*TLS, error) {
	l, err := read(o)
	if err != nil {
		return nil, err
	}
	t := &TLS{now: now}
	t.current.Store(l)
	return t, nil
}

// Load reads the files anew. Where they are no better than what is in force, that stays, and the
// failure is counted.
func (t *TLS) Load(o TLSOptions) error {
	l, err := read(o)
	if now := t.now(); err == nil {
		leaf := l.config.Certificates[0].Leaf
		switch {
		case now.Before(leaf.NotBefore):
			err = fmt.Errorf("%s: the certificate is good from %s on only", o.CertFile, leaf.NotBefore.Format(time.RFC3339))
		case now.After(l.notAfter):
			err = fmt.Errorf("%s: the certificate has expired at %s", o.CertFile, l.notAfter.Format(time.RFC3339))
		}
	}
	if err != nil {
		t.failed.Add(1)
		return err
	}
	t.current.Store(l)
	return nil
}

// NotAfter is when the certificate in force, or the first of its chain, ends.
func (t *TLS) NotAfter() time.Time { return t.current.Load().notAfter }

// Failed counts the loads that changed nothing.
func (t *TLS) Failed() int64 { return t.failed.Load() }

// Listener speaks TLS on the connections of l, with whatever is in force when each begins. The
// handshake is the first read's or write's.
func (t *TLS) Listener(l net.Listener) net.Listener {
	return tls.NewListener(l, &tls.Config{
		MinVersion:         tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return t.current.Load().config, nil },
	})
}

func read(o TLSOptions) (*loaded, error) {
	pair, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
	if err != nil {
		return nil, err
	}
	l := &loaded{notAfter: pair.Leaf.NotAfter, config: &tls.Config{
		Certificates: []tls.Certificate{pair},
		MinVersion:   max(o.MinVersion, tls.VersionTLS12),
		NextProtos:   []string{"http/1.1"}, // what both listeners speak
	}}
	for _, der := range pair.Certificate[1:] {
		chained, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("%s: a certificate of the chain: %w", o.CertFile, err)
		}
		if chained.NotAfter.Before(l.notAfter) {
			l.notAfter = chained.NotAfter
		}
	}
	if o.ClientCAFile == "" {
		return l, nil
	}
	if l.config.ClientCAs, err = Authorities(o.ClientCAFile); err != nil {
		return nil, err
	}
	l.config.ClientAuth = tls.RequireAndVerifyClientCert
	if o.ClientOptional {
		l.config.ClientAuth = tls.VerifyClientCertIfGiven
	}
	return l, nil
}

// Authorities reads certificates that sign others.
func Authorities(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, errors.New(file + " holds no certificate")
	}
	return pool, nil
}
