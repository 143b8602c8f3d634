package openai_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
)

func TestRefuse(t *testing.T) {
	f := func(fault providers.Fault, status int, kind, code string) {
		t.Helper()
		fault.Message, fault.Cause = "say <this>", errors.New("operator's secret")
		got, body := openai.Face{}.Refuse(&fault)
		e := gjson.GetBytes(body, "error")
		if got != status || e.Get("type").Str != kind || e.Get("code").Str != code || e.Get("message").Str != "say <this>" || !e.Get("param").Exists() {
			t.Errorf("kind %d: %d %s, want %d %s %s", fault.Kind, got, body, status, kind, code)
		}
		broken := string(openai.Face{}.Broken(&fault))
		if !strings.HasPrefix(broken, `data: {"error":{`) || !strings.HasSuffix(broken, "}}\n\n") || strings.Contains(broken, "DONE") {
			t.Errorf("broken: %q", broken)
		}
		if strings.Contains(string(body)+broken, "secret") {
			t.Errorf("the cause reached the client: %s %s", body, broken)
		}
	}
	const invalid, server = "invalid_request_error", "server_error"
	f(providers.Fault{Kind: providers.FaultInvalid, Param: "n"}, 400, invalid, "")
	f(providers.Fault{Kind: providers.FaultUnauthorized}, 401, invalid, "invalid_api_key")
	f(providers.Fault{Kind: providers.FaultForbidden}, 403, invalid, "")
	f(providers.Fault{Kind: providers.FaultNoRoute}, 404, invalid, "unknown_url")
	f(providers.Fault{Kind: providers.FaultNoModel}, 404, invalid, "model_not_found")
	f(providers.Fault{Kind: providers.FaultTooLarge}, 413, invalid, "request_too_large")
	f(providers.Fault{Kind: providers.FaultMediaType}, 415, invalid, "unsupported_media_type")
	f(providers.Fault{Kind: providers.FaultHeaderTooLarge}, 431, invalid, "request_header_too_large")
	f(providers.Fault{Kind: providers.FaultRequestRate}, 429, "requests", "rate_limit_exceeded")
	f(providers.Fault{Kind: providers.FaultTokenRate}, 429, "tokens", "rate_limit_exceeded")
	f(providers.Fault{Kind: providers.FaultQuota}, 429, "insufficient_quota", "insufficient_quota")
	f(providers.Fault{Kind: providers.FaultUnavailable}, 503, server, "unavailable")
	f(providers.Fault{Kind: providers.FaultInternal}, 500, server, "internal_error")
	f(providers.Fault{Kind: providers.FaultUpstream, Status: 500, Type: "api_error"}, 502, server, "upstream_error")
	f(providers.Fault{Kind: providers.FaultUpstreamTimeout}, 504, server, "upstream_timeout")
	f(providers.Fault{Kind: providers.FaultCircuitOpen}, 503, server, "circuit_open")
	f(providers.Fault{Kind: providers.FaultOverloaded, Status: 529}, 503, server, "overloaded")
	f(providers.Fault{Kind: providers.FaultProviderAuth, Status: 400}, 400, "invalid_request_error", "provider_auth")
	f(providers.Fault{Kind: providers.FaultProviderAuth, Status: 401, Code: "invalid_api_key"}, 502, server, "provider_auth")
	f(providers.Fault{Kind: providers.FaultClientGone}, 499, invalid, "client_closed_request")
	f(providers.Fault{Kind: providers.FaultUpstreamRejected}, 400, invalid, "")
	f(providers.Fault{Kind: providers.FaultUpstreamRejected, Status: 404}, 404, invalid, "model_not_found")
	f(providers.Fault{Kind: providers.FaultUpstreamRejected, Status: 429}, 429, "requests", "rate_limit_exceeded")
	f(providers.Fault{Kind: providers.FaultUpstreamRejected, Status: 400, Code: "content_policy_violation"}, 400, invalid, "content_policy_violation")
	f(providers.Fault{Kind: providers.FaultUpstreamRejected, Status: 422, Type: "odd"}, 422, "odd", "")
	// A body of another language, or of another kind of fault, is never handed on.
	f(providers.Fault{Kind: providers.FaultUpstreamRejected, Status: 400, Language: "anthropic", Body: []byte("x")}, 400, invalid, "")
	f(providers.Fault{Kind: providers.FaultProviderAuth, Language: "openai", Body: []byte("x")}, 502, server, "provider_auth")
}
