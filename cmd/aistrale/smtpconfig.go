package main

import (
	"github.com/aistrale/aistrale/internal/outlet"
	"github.com/aistrale/aistrale/storage"
)

// SMTPConfig names the server that webhooks of kind email go by.
type SMTPConfig struct {
	Host     string         `yaml:"host"` // "": no mail is sent
	Port     int            `yaml:"port"`
	User     string         `yaml:"user"`
	Password storage.Secret `yaml:"password"`
	From     string         `yaml:"from"`
	TLS      string         `yaml:"tls"` // starttls, tls or none
}

// mail gives what sends by it, nil where there is none.
func (c *SMTPConfig) mail() (*outlet.Mail, error) {
	if c.Host == "" {
		return nil, nil
	}
	return outlet.NewMail(outlet.MailOptions{
		Host: c.Host, Port: c.Port, User: c.User, Password: c.Password.Reveal(), From: c.From, TLS: c.TLS,
	})
}

func (v *validator) smtp(c *SMTPConfig) {
	if _, err := c.mail(); err != nil {
		v.wrong("smtp", "%s", err)
	}
}
