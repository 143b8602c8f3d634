package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"syscall"
	"time"

	"github.com/aistrale/aistrale/internal/edge"
	"github.com/aistrale/aistrale/internal/telemetry"
	"github.com/aistrale/aistrale/storage"
)

// listener is one of the two, with what stands before its HTTP.
type listener struct {
	net.Listener
	knob   string         // of its TLS
	tls    *edge.TLS      // nil: plain HTTP
	files  []*watchedFile // of its certificates
	warned time.Time      // when it was last said that the certificate ends
}

// expirySoon is how long before its end a certificate is warned of, once a day.
const expirySoon = 14 * 24 * time.Hour

// listen names the knob, in the file and in the environment: who starts a second gateway has
// mostly no file.
func listen(knob, address string) (*listener, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s: another program listens on %s; choose another address by %s: %w", knob, address, envName(knob), err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", knob, err)
	}
	return &listener{Listener: l}, nil
}

// behind reads the PROXY headers of trusted proxies, which come before all else.
func (l *listener) behind(trusted func() storage.Networks) {
	l.Listener = edge.ProxyProtocol(l.Listener, trusted)
}

// secure puts TLS on it where the configuration has some.
func (l *listener) secure(knob string, c *TLSConfig) (err error) {
	if !c.on() {
		return nil
	}
	l.knob = knob
	l.watch(c)
	if l.tls, err = edge.NewTLS(c.options(), time.Now); err != nil {
		return fmt.Errorf("%s: %w", knob, err)
	}
	l.Listener = l.tls.Listener(l.Listener)
	return nil
}

func (l *listener) watch(c *TLSConfig) {
	l.files = l.files[:0]
	for _, path := range c.files() {
		l.files = append(l.files, watchFile(path))
	}
}

// look reads the certificates anew when a file of theirs has changed, and warns before they end.
func (l *listener) look(c *TLSConfig, log *slog.Logger) {
	if l.tls == nil || !c.on() {
		return
	}
	changed := false
	for _, f := range l.files {
		changed = f.settled() || changed
	}
	if changed {
		l.load(c, log)
	}
	if now := time.Now(); l.tls.NotAfter().Sub(now) < expirySoon && now.Sub(l.warned) > 24*time.Hour {
		l.warned = now
		log.Warn("the certificate ends soon, or has ended", "setting", l.knob, "file", c.CertFile, "not_after", l.tls.NotAfter())
	}
}

// load puts what the files hold in force.
func (l *listener) load(c *TLSConfig, log *slog.Logger) {
	if l.tls == nil || !c.on() {
		return
	}
	if err := l.tls.Load(c.options()); err != nil {
		log.Error("the new certificate is not good; the old one stays in force", "setting", l.knob, "error", err.Error(), "not_after", l.tls.NotAfter())
		return
	}
	l.warned = time.Time{}
	log.Info("certificate loaded", "setting", l.knob, "file", c.CertFile, "not_after", l.tls.NotAfter())
}

// read tells how the certificate stands.
func (l *listener) read(tell telemetry.Tell, name string) {
	if l.tls == nil {
		return
	}
	tell("aistrale_certificate_not_after_seconds", float64(l.tls.NotAfter().Unix()), name)
	tell("aistrale_certificate_reloads_failed_total", float64(l.tls.Failed()), name)
}

// renew takes over what a new configuration says of the TLS, where it still has some.
func (l *listener) renew(now, next *TLSConfig, log *slog.Logger) {
	if l.tls == nil || *now == *next {
		return
	}
	l.watch(next)
	l.load(next, log)
}
