package outlet

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

// Syslog sends lines of the audit log as messages of RFC 5424: by udp (one in each datagram), or by
// tcp or tls with octet counting (RFC 6587, RFC 5425).
type Syslog struct {
	network, address string
	host             string
	tls              *tls.Config // of network tls
}

const (
	// syslogPriority is facility 13 (log audit), severity 5 (notice).
	syslogPriority = 13*8 + 5
	syslogTimeout  = 5 * time.Second
	maxDatagram    = 60_000
)

// NewSyslog makes one of udp://host:514, tcp://host:601 or tls://host:6514. host is who sends.
func NewSyslog(address, host string) (*Syslog, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Port() == "" || strings.Trim(u.Path, "/") != "" {
		return nil, errors.New("it is not udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT")
	}
	s := &Syslog{network: u.Scheme, address: u.Host, host: printable(host, 255)}
	switch u.Scheme {
	case "udp", "tcp":
	case "tls":
		s.tls = &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}
	default:
		return nil, fmt.Errorf("%q is none of udp, tcp, tls", u.Scheme)
	}
	return s, nil
}

// Name implements admin.Outlet.
func (s *Syslog) Name() string { return s.network + "://" + s.address }

// Put implements admin.Outlet. A connection is made for each batch and closed by us first: that the
// other end closes then, and does not reset it, says that it has read all.
func (s *Syslog) Put(ctx context.Context, _ string, text []byte) (err error) {
	conn, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	var stream []byte
	for line := range bytes.Lines(text) {
		message := s.message(bytes.TrimSuffix(line, []byte("\n")))
		if s.network != "udp" {
			stream = append(fmt.Appendf(stream, "%d ", len(message)), message...)
		} else if _, err := conn.Write(message[:min(len(message), maxDatagram)]); err != nil {
			return err
		}
	}
	if s.network == "udp" {
		return nil
	}
	if _, err := conn.Write(stream); err != nil {
		return err
	}
	return finish(conn)
}

func (s *Syslog) dial(ctx context.Context) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: syslogTimeout}
	if s.tls != nil {
		return (&tls.Dialer{NetDialer: dialer, Config: s.tls}).DialContext(ctx, "tcp", s.address)
	}
	return dialer.DialContext(ctx, s.network, s.address)
}

// finish says that nothing more comes and waits a little for the other end to close; one that keeps
// the connection open is taken at its word.
func finish(conn net.Conn) error {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		if err := half.CloseWrite(); err != nil {
			return err
		}
	}
	if err := conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, conn)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return nil
	}
	return err
}

// message is a line as RFC 5424 wants it: when and what is the event's own.
func (s *Syslog) message(line []byte) []byte {
	at, action := gjson.GetBytes(line, "event.at").String(), gjson.GetBytes(line, "event.action").String()
	head := fmt.Sprintf("<%d>1 %s %s aistrale - %s - ", syslogPriority, printable(at, 64), s.host, printable(action, 32))
	return append([]byte(head), line...)
}

// printable gives a field of a header: no space, no control character, not too long; "-" is none.
func printable(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, text)
	if text == "" {
		return "-"
	}
	return text[:min(len(text), most)]
}
