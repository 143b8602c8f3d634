package aws

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// Signer signs with Signature Version 4 for a service in a region. The secret is the access key
// as ID:SECRET, with :TOKEN behind it where it is a session's; a secret without a colon is an API
// key, which is sent as a bearer token.
//
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func Signer(region, service string) providers.Signer {
	return func(r *providers.UpstreamRequest, with providers.Signing) {
		if !strings.Contains(with.Secret, ":") {
			providers.Bearer(r, with)
			return
		}
		sign(r, with, region, service)
	}
}

// sign adds the date, the session's token and the signature. All headers that the request has by
// now are signed, each of which must be there once.
func sign(r *providers.UpstreamRequest, with providers.Signing, region, service string) {
	id, rest, _ := strings.Cut(with.Secret, ":")
	key, token, _ := strings.Cut(rest, ":")
	stamp := with.Time.UTC().Format("20060102T150405Z")
	r.Headers = append(r.Headers, providers.Header{Name: "x-amz-date", Value: stamp})
	if token != "" {
		r.Headers = append(r.Headers, providers.Header{Name: "x-amz-security-token", Value: token})
	}
	request, signed := canonical(r, with.BaseURL)
	scope := stamp[:8] + "/" + region + "/" + service + "/aws4_request"
	text := "AWS4-HMAC-SHA256\n" + stamp + "\n" + scope + "\n" + digest([]byte(request))
	derived := []byte("AWS4" + key)
	for _, part := range [...]string{stamp[:8], region, service, "aws4_request", text} {
		derived = mac(derived, part)
	}
	r.Headers = append(r.Headers, providers.Header{
		Name: "authorization",
		Value: "AWS4-HMAC-SHA256 Credential=" + id + "/" + scope + ", SignedHeaders=" + signed +
			", Signature=" + hex.EncodeToString(derived),
	})
}

// canonical gives the form of a request that is signed, and the names of the headers in it.
func canonical(r *providers.UpstreamRequest, baseURL string) (request, signed string) {
	host, base := "", ""
	if u, err := url.Parse(baseURL); err == nil { // the pool refused one that is no URL
		host, base = u.Host, strings.TrimRight(u.EscapedPath(), "/")
	}
	path, query, _ := strings.Cut(providers.Under(base, r.Path), "?")
	headers := []providers.Header{{Name: "host", Value: host}}
	for _, h := range r.Headers {
		headers = append(headers, providers.Header{Name: strings.ToLower(h.Name), Value: strings.Join(strings.Fields(h.Value), " ")})
	}
	slices.SortFunc(headers, func(a, b providers.Header) int { return strings.Compare(a.Name, b.Name) })
	var b strings.Builder
	b.WriteString(method(r) + "\n" + escape(path, true) + "\n" + canonicalQuery(query) + "\n")
	names := make([]string, len(headers))
	for i, h := range headers {
		b.WriteString(h.Name + ":" + h.Value + "\n")
		names[i] = h.Name
	}
	signed = strings.Join(names, ";")
	body := sha256.New()
	_ = r.WriteBody(body) // a hash never fails
	b.WriteString("\n" + signed + "\n" + hex.EncodeToString(body.Sum(nil)))
	return b.String(), signed
}

func method(r *providers.UpstreamRequest) string {
	if r.Method == "" {
		return http.MethodPost
	}
	return r.Method
}

// canonicalQuery sorts a query by its names and escapes it anew.
func canonicalQuery(query string) string {
	if query == "" {
		return ""
	}
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		pairs[i] = escape(plain(name), false) + "\x00" + escape(plain(value), false) // sorts before any longer name
	}
	slices.Sort(pairs)
	return strings.ReplaceAll(strings.Join(pairs, "&"), "\x00", "=")
}

func plain(s string) string {
	if text, err := url.PathUnescape(s); err == nil {
		return text
	}
	return s
}

// escape escapes every byte but the unreserved ones, and but slashes where those separate.
func escape(s string, slashes bool) string {
	const digits = "0123456789ABCDEF"
	b := make([]byte, 0, len(s)+16)
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-_.~", c) >= 0, slashes && c == '/':
			b = append(b, c)
		default:
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	return string(b)
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text)) // a hash never fails
	return h.Sum(nil)
}
