package outlet

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
)

const auditLines = `{"seq":1,"event":{"at":"2026-11-26T12:00:00.000001Z","action":"keys.write"}}` + "\n" +
	`{"seq":2,"event":{"at":"2026-11-26 evil","action":"a b\nc"}}` + "\n"

func wantMessages() []string {
	lines := strings.Split(auditLines, "\n")
	return []string{
		"<109>1 2026-11-26T12:00:00.000001Z node-1 aistrale - keys.write - " + lines[0],
		"<109>1 2026-11-26evil node-1 aistrale - abc - " + lines[1],
	}
}

// frames reads messages with octet counting until the end, and closes then.
func frames(t *testing.T, conn net.Conn) (all []string) {
	defer conn.Close()
	for r := bufio.NewReader(conn); ; {
		var n int
		if _, err := fmt.Fscanf(r, "%d ", &n); err != nil {
			return all
		}
		text := make([]byte, n)
		if _, err := io.ReadFull(r, text); err != nil {
			t.Error(err)
			return all
		}
		all = append(all, string(text))
	}
}

func TestSyslog_Stream(t *testing.T) {
	web := httptest.NewTLSServer(nil) // for its certificate
	defer web.Close()
	for _, network := range []string{"tcp", "tls"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if network == "tls" {
			l = tls.NewListener(l, &tls.Config{Certificates: web.TLS.Certificates})
		}
		s, err := NewSyslog(network+"://"+l.Addr().String(), "node-1")
		if err != nil {
			t.Fatal(err)
		}
		if s.tls != nil {
			s.tls.RootCAs = x509.NewCertPool()
			s.tls.RootCAs.AddCert(web.Certificate())
		}
		got := make(chan []string, 1)
		go func() {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			got <- frames(t, conn)
		}()
		if err := s.Put(t.Context(), "", []byte(auditLines)); err != nil {
			t.Fatal(network, err)
		}
		if all := <-got; strings.Join(all, "|") != strings.Join(wantMessages(), "|") {
			t.Errorf("%s: got %q", network, all)
		}
	}
}

func TestSyslog_Datagrams(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s, err := NewSyslog("udp://"+conn.LocalAddr().String(), "node-1")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), "", []byte(auditLines)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1<<16)
	for _, want := range wantMessages() {
		n, _, err := conn.ReadFrom(buf)
		if err != nil || string(buf[:n]) != want {
			t.Errorf("got %q, error %v", buf[:n], err)
		}
	}
}

func TestSyslog_Refused(t *testing.T) {
	for _, address := range []string{"", "tcp://x", "http://x:1", "tcp://x:1/path", "x:514"} {
		if _, err := NewSyslog(address, "n"); err == nil {
			t.Errorf("%q was taken", address)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	s, err := NewSyslog("tcp://"+address, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), "", []byte(auditLines)); err == nil {
		t.Error("nobody was there, and it went well")
	}
}
