package main

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/aistrale/aistrale/proxy"
)

// CORSConfig says which pages of other sites may call the data plane from a browser; without an
// origin none may.
type CORSConfig struct {
	Origins     []string      `yaml:"origins"`
	Headers     []string      `yaml:"headers"` // that pages may send; empty: whatever they ask for
	MaxAge      time.Duration `yaml:"max_age"`
	Credentials bool          `yaml:"credentials"` // certificates of clients may be shown
}

func (c *CORSConfig) cors() *proxy.CORS {
	if len(c.Origins) == 0 {
		return nil
	}
	return &proxy.CORS{Origins: c.Origins, Headers: c.Headers, MaxAge: strconv.Itoa(int(c.MaxAge.Seconds())), Credentials: c.Credentials}
}

func (v *validator) cors(c *CORSConfig) {
	if c.Credentials && slices.Contains(c.Origins, "*") {
		v.wrong("cors.credentials", "cannot be had with the origin *: name the origins")
	}
	if c.MaxAge < 0 {
		v.wrong("cors.max_age", "is negative")
	}
	for i, origin := range c.Origins {
		u, err := url.Parse(origin)
		if origin != "*" && (err != nil || u.Host == "" || u.Scheme+"://"+u.Host != origin) {
			v.wrong(element("cors.origins", i), "%q is no origin such as https://app.example.com, and not *", origin)
		}
	}
	for i, header := range c.Headers {
		if !headerName.MatchString(header) {
			v.wrong(element("cors.headers", i), "%q is no header's name in lower case", header)
		}
	}
}
