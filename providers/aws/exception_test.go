package aws

import (
	"testing"
	"time"

	"github.com/aistrale/aistrale/providers"
)

func TestFault(t *testing.T) {
	f := func(status int, name, body string, kind providers.FaultKind, code, message string, retry bool) {
		t.Helper()
		header := func(n string) string {
			return map[string]string{"x-amzn-errortype": name, "retry-after": "2"}[n]
		}
		got := Fault(status, header, []byte(body))
		if got.Kind != kind || got.Code != code || got.Message != message || got.Retryable != retry || got.RetryAfter != 2*time.Second {
			t.Errorf("%d %s: %+v", status, name, got)
		}
	}
	f(400, "ValidationException:http://internal.amazon.com/coral/", `{"message":"Malformed input request"}`,
		providers.FaultUpstreamRejected, "", "Malformed input request", false)
	f(400, "ValidationException", `{"message":"Input is too long for requested model."}`,
		providers.FaultUpstreamRejected, "context_length_exceeded", "Input is too long for requested model.", false)
	f(403, "AccessDeniedException", `{"Message":"User is not authorized"}`, providers.FaultProviderAuth, "", "User is not authorized", true)
	f(404, "ResourceNotFoundException", `{"message":"no such model"}`, providers.FaultUpstreamRejected, "model_not_found", "no such model", true)
	f(408, "ModelTimeoutException", "", providers.FaultUpstreamTimeout, "", "bedrock answered with ModelTimeoutException", true)
	f(424, "ModelErrorException", `{"message":"m"}`, providers.FaultUpstream, "", "m", true)
	f(429, "ThrottlingException", `{"message":"Too many requests"}`, providers.FaultUpstreamRejected, "rate_limit_exceeded", "Too many requests", true)
	f(500, "", "<html>", providers.FaultUpstream, "", "bedrock answered with status 500", true)
	f(503, "ServiceUnavailableException", "", providers.FaultOverloaded, "", "bedrock answered with ServiceUnavailableException", true)
}
