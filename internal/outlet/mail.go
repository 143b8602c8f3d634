package outlet

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// Mail sends mail by an operator's own server.
type Mail struct {
	client *mail.Client
	from   string
	domain string // of message ids
}

// mailTimeout bounds one mail.
const mailTimeout = 15 * time.Second

// How a server is spoken with.
const (
	TLSStart = "starttls" // in the clear until the server's own TLS; none is an error
	TLSOnly  = "tls"      // from the first byte
	TLSNone  = "none"
)

// MailOptions say by which server, and as whom.
type MailOptions struct {
	Host     string
	Port     int
	User     string // "" signs in nowhere
	Password string
	From     string
	TLS      string
}

// NewMail makes one; it connects to nobody yet.
func NewMail(o MailOptions) (*Mail, error) {
	with := []mail.Option{mail.WithPort(o.Port), mail.WithTimeout(mailTimeout), mail.WithTLSPolicy(mail.TLSMandatory)}
	switch o.TLS {
	case TLSOnly:
		with = append(with, mail.WithSSL())
	case TLSNone:
		with = append(with, mail.WithTLSPolicy(mail.NoTLS))
	case TLSStart:
	default:
		return nil, fmt.Errorf("tls: %q is none of %s, %s, %s", o.TLS, TLSStart, TLSOnly, TLSNone)
	}
	if o.User != "" {
		auth := mail.SMTPAuthAutoDiscover
		if o.TLS == TLSNone {
			auth = mail.SMTPAuthPlainNoEnc // the operator's own word
		}
		with = append(with, mail.WithSMTPAuth(auth), mail.WithUsername(o.User), mail.WithPassword(o.Password))
	}
	client, err := mail.NewClient(o.Host, with...)
	if err != nil {
		return nil, err
	}
	if err := mail.NewMsg().From(o.From); err != nil {
		return nil, fmt.Errorf("from: %w", err)
	}
	_, domain, _ := strings.Cut(strings.TrimSuffix(o.From, ">"), "@")
	return &Mail{client, o.From, domain}, nil
}

// Mail implements admin.Mailer. Line ends in the subject are spaces: headers are the gateway's own.
func (m *Mail) Mail(ctx context.Context, id string, to []string, subject, text string) error {
	message := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := message.From(m.from); err != nil {
		return err
	}
	if err := message.To(to...); err != nil {
		return err
	}
	message.Subject(strings.Join(strings.FieldsFunc(subject, func(r rune) bool { return r < ' ' || r == 0x7f }), " "))
	message.SetMessageIDWithValue(id + "@" + m.domain)
	message.SetDate()
	message.SetBodyString(mail.TypeTextPlain, text)
	if err := m.client.DialAndSendWithContext(ctx, message); err != nil {
		return fmt.Errorf("smtp: %w", err)
	}
	return nil
}
