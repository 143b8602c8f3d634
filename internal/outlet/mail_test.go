package outlet

import (
	"bufio"
	"net"
	"strconv"
	"strings"
	"testing"
)

// mailServer is a server of RFC 5321 for one mail after another. It gives what it was told.
func mailServer(t *testing.T) (host string, port int, said chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	said = make(chan string, 10)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			said <- mailSession(conn)
		}
	}()
	address := l.Addr().(*net.TCPAddr)
	return "127.0.0.1", address.Port, said
}

func mailSession(conn net.Conn) string {
	defer conn.Close()
	var text strings.Builder
	answer := func(line string) { _, _ = conn.Write([]byte(line + "\r\n")) }
	answer("220 test ESMTP")
	lines, inData := bufio.NewScanner(conn), false
	for lines.Scan() {
		line := strings.TrimSuffix(lines.Text(), "\r")
		text.WriteString(line + "\n")
		verb, _, _ := strings.Cut(line, " ")
		switch {
		case inData && line == ".":
			inData = false
			answer("250 queued")
		case inData:
		case verb == "EHLO":
			answer("250-test")
			answer("250 AUTH PLAIN")
		case verb == "AUTH":
			answer("235 fine")
		case verb == "DATA":
			inData = true
			answer("354 go on")
		case verb == "RCPT" && strings.Contains(line, "nobody@"):
			answer("550 no such user")
		case verb == "QUIT":
			answer("221 bye")
			return text.String()
		default:
			answer("250 ok")
		}
	}
	return text.String()
}

func TestMail(t *testing.T) {
	host, port, said := mailServer(t)
	m, err := NewMail(MailOptions{Host: host, Port: port, User: "u", Password: "canary", From: "AISTRALE <gateway@example.com>", TLS: TLSNone})
	if err != nil {
		t.Fatal(err)
	}
	subject := "key.created\r\nBcc: eve@example.com\r\n\r\nbody"
	if err := m.Mail(t.Context(), "msg_1", []string{"ops@example.com", "b@example.com"}, subject, "Ärger\r\n.\r\nRCPT TO:<eve@example.com>"); err != nil {
		t.Fatal(err)
	}
	got := <-said
	envelope, content, _ := strings.Cut(got, "DATA\n")
	headers, _, _ := strings.Cut(content, "\n\n")
	for _, want := range []string{"RCPT TO:<ops@example.com>", "RCPT TO:<b@example.com>", "Message-ID: <msg_1@example.com>", "Subject: key.created Bcc: eve@example.com body", "AUTH PLAIN "} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(envelope, "eve") || strings.Contains(headers, "\nBcc:") {
		t.Errorf("somebody else was written to:\n%s", got)
	}
	err = m.Mail(t.Context(), "msg_2", []string{"nobody@example.com"}, "x", "y")
	if err == nil || !strings.Contains(err.Error(), "550") || strings.Contains(err.Error(), "canary") {
		t.Errorf("error %v", err)
	}
	if err := m.Mail(t.Context(), "msg_3", []string{"a@example.com\r\nRCPT TO:<eve@example.com>"}, "x", "y"); err == nil {
		t.Error("an address with a line end was taken")
	}
	safe, err := NewMail(MailOptions{Host: host, Port: port, From: "a@example.com", TLS: TLSStart})
	if err != nil {
		t.Fatal(err)
	}
	if err := safe.Mail(t.Context(), "msg_4", []string{"a@example.com"}, "x", "y"); err == nil || !strings.Contains(err.Error(), "TLS") {
		t.Errorf("a server without TLS: %v", err)
	}
	for _, o := range []MailOptions{{Host: "x", Port: 25, From: "no address", TLS: TLSNone}, {Host: "x", Port: 25, From: "a@b.c", TLS: "perhaps"}} {
		if _, err := NewMail(o); err == nil {
			t.Errorf("%s was taken", strconv.Quote(o.From+o.TLS))
		}
	}
}
