package aws

import (
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/providers"
)

// TestSign_vectors holds the signatures to those that AWS publishes: the v4 cases of
// https://github.com/awslabs/aws-c-auth, tests/aws-signing-test-suite, by their names. Left out
// are those of headers that stand twice and of paths with dots, neither of which is ever sent.
func TestSign_vectors(t *testing.T) {
	const (
		key     = "AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
		session = ":6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"
		sts     = ":AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/" +
			"qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7Z" +
			"D0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
		sum       = "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"
		unescaped = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	)
	f := func(name, line, body, token, want string, headers ...string) {
		t.Helper()
		method, path, _ := strings.Cut(line, " ")
		r := providers.UpstreamRequest{Method: method, Path: path, Body: []byte(body)}
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ":")
			r.Headers = append(r.Headers, providers.Header{Name: name, Value: value})
		}
		Signer("us-east-1", "service")(&r, providers.Signing{
			Secret: key + token, BaseURL: "https://example.amazonaws.com", Time: time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC),
		})
		if _, got, _ := strings.Cut(r.Headers[len(r.Headers)-1].Value, ", Signature="); got != want {
			t.Errorf("%s: signature %s, want %s", name, got, want)
		}
	}
	f("get-vanilla", "GET /", "", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")
	f("get-vanilla-query-order-key-case", "GET /?Param2=value2&Param1=value1", "", "", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500")
	f("get-vanilla-query-order-encoded", "GET /?Param-3=Value3&Param=Value2&%E1%88%B4=Value1", "", "",
		"371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac")
	f("get-vanilla-query-unreserved", "GET /?"+unescaped+"="+unescaped, "", "", "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197")
	f("get-vanilla-utf8-query", "GET /?ሴ=bar", "", "", "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04")
	f("get-vanilla-empty-query-key", "GET /?Param1=value1", "", "", "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb")
	f("get-vanilla-with-session-token", "GET /", "", session, "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8")
	f("get-unreserved", "GET /"+unescaped, "", "", "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f")
	f("get-utf8", "GET /ሴ", "", "", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85")
	f("get-space-unnormalized", "GET /example space/", "", "", "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741")
	f("get-header-value-trim", "GET /", "", "", "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
		"My-Header1: value1", `My-Header2: "a   b   c"`)
	f("post-vanilla-query", "POST /?Param1=value1", "", "", "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11")
	f("post-header-key-sort", "POST /", "", "", "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c", "My-Header1:value1")
	f("post-header-value-case", "POST /", "", "", "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d", "My-Header1:VALUE1")
	f("post-sts-header-before", "POST /", "", sts, "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead")
	f("post-x-www-form-urlencoded", "POST /", "Param1=value1", "", "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
		"Content-Type:application/x-www-form-urlencoded", "Content-Length:13", "x-amz-content-sha256:"+sum)
	f("post-x-www-form-urlencoded-parameters", "POST /", "Param1=value1", "", "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422",
		"Content-Type:application/x-www-form-urlencoded; charset=utf-8", "Content-Length:13", "x-amz-content-sha256:"+sum)
}

// A model's name is escaped in the path, and its escapes are escaped again in what is signed.
func TestCanonical(t *testing.T) {
	r := providers.UpstreamRequest{Path: "/model/anthropic.claude-v1%3A0/invoke", Headers: []providers.Header{{Name: "accept", Value: "*/*"}}, Body: []byte("{}")}
	request, signed := canonical(&r, "https://10.0.0.1:8443/bedrock/")
	want := "POST\n/bedrock/model/anthropic.claude-v1%253A0/invoke\n\naccept:*/*\nhost:10.0.0.1:8443\n\naccept;host\n" + digest([]byte("{}"))
	if request != want || signed != "accept;host" {
		t.Errorf("%s\nwant\n%s", request, want)
	}
}

func TestSigner_apiKey(t *testing.T) {
	var r providers.UpstreamRequest
	Signer("us-east-1", "bedrock")(&r, providers.Signing{Secret: "ABSKsecret"})
	if len(r.Headers) != 1 || r.Headers[0] != (providers.Header{Name: "authorization", Value: "Bearer ABSKsecret"}) {
		t.Errorf("%v", r.Headers)
	}
}
