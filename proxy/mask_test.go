package proxy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// A provider that quotes our credential tells it to nobody: no client and no record.
func TestGateway_TellsNoCredential(t *testing.T) {
	const secret = "upstream-secret" // the test gateway's
	f := func(name, ask string, status int, says string, answer ...string) {
		t.Helper()
		g := newTestGateway(t, one(t, always(answer...)))
		got, header, body := g.post(t, ask)
		if got != status || !strings.Contains(body, says) {
			t.Errorf("%s: %d %s, want %d and %q", name, got, body, status, says)
		}
		rec := g.records.next(t)
		if all := fmt.Sprintf("%s %s %+v", body, header, rec); strings.Contains(all, secret) || strings.Contains(all, `upstream\/secret`) {
			t.Errorf("%s: the credential is told: %s", name, all)
		}
		if rec.Outcome == storage.OutcomeOK {
			t.Errorf("%s: outcome %s", name, rec.Outcome)
		}
	}
	reply := func(status int, body string) string {
		return fmt.Sprintf("HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s", status, len(body), body)
	}
	const quoted = "Incorrect API key provided: " + secret + "."
	f("401", askWhole, 502, "provided: [redacted].", reply(401, `{"error":{"message":"`+quoted+`","type":"invalid_request_error","code":"invalid_api_key"}}`))
	f("401 that is text", askWhole, 502, "", reply(401, quoted))
	f("400", askWhole, 400, "[redacted]", reply(400, `{"error":{"message":"`+quoted+`","type":"invalid_request_error","param":"`+secret+`","code":"`+secret+`"}}`))
	f("400 beside the message", askWhole, 400, "no", reply(400, `{"error":{"message":"no","type":"invalid_request_error","debug":{"auth":"Bearer `+secret+`"}}}`))
	f("500", askWhole, 502, "[redacted]", reply(500, `{"error":{"message":"`+quoted+`","type":"server_error"}}`))
	f("200 with an error", askWhole, 502, "", reply(200, `{"error":{"message":"`+quoted+`","type":"server_error","code":500}}`))
	event := "data: " + `{"error":{"message":"` + quoted + `","type":"server_error"}}` + "\n\n"
	f("a stream's first event", askStream, 502, "[redacted]", chunkHead, chunk(event), chunkEnd)
	f("a stream's later event", askStream, 200, "[redacted]", chunkHead, chunk(eventRole+eventHi+event), chunkEnd)
	f("an event, beside the message", askStream, 200, `"message":"no"`, chunkHead,
		chunk(eventRole+eventHi+`data: {"error":{"message":"no","type":"server_error","key":"`+secret+`"}}`+"\n\n"), chunkEnd)
}

func TestMask(t *testing.T) {
	f := func(secret, message, body, want string, kept, found bool) {
		t.Helper()
		out := &providers.Fault{Message: message, Language: "openai", Body: []byte(body), Cause: fmt.Errorf("upstream: %s", message)}
		got := mask(out, storage.NewSecret(secret))
		if got != found || out.Message != want || (out.Body != nil) != kept || out.Cause.Error() != "upstream: "+want {
			t.Errorf("%q in %q: %v, %+v", secret, message, got, out)
		}
	}
	f("sk-12345678", "no sk-12345678, no", `{}`, "no [redacted], no", true, true)
	f("sk-12345678", "no", `{"a":"sk-12345678"}`, "no", false, true)
	f("sk/1234+678", "no", `{"a":"sk\/1234+678"}`, "no", false, true)
	f("sk-12345678", "sk-1234567", `{}`, "sk-1234567", true, false)
	f("any", "any model", `any`, "any model", true, false) // a placeholder
	f("", "no", `{}`, "no", true, false)
	if mask(nil, storage.NewSecret("sk-12345678")) {
		t.Error("nothing was found in nothing")
	}
}
