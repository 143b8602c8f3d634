package proxy

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/bedrock"
	"github.com/aistrale/aistrale/providers/providertest"
	"github.com/aistrale/aistrale/storage"
)

// tokens gives one token, or why there is none.
type tokens struct {
	token string
	err   error
}

func (s tokens) Token(context.Context) (storage.Secret, error) {
	return storage.NewSecret(s.token), s.err
}

// What is sent is the token, never the secret that it was minted with; an upstream that quotes the
// token is masked. Where none can be had nothing is sent, and another account serves the call.
func TestSign_tokens(t *testing.T) {
	only := newStage(t, func(w http.ResponseWriter, r *http.Request, body string) {
		if sent := r.Header.Get("authorization"); sent != "Bearer minted-token" {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error":{"message":"bad credential ` + sent + `","type":"invalid_request_error"}}`))
			return
		}
		well(w, r, body)
	}, well)
	f := func(want int, said string, sources ...tokens) {
		t.Helper()
		var accounts []*Account
		for i, s := range sources {
			a := only.account(t, "one", string(rune('a'+i)))
			a.Tokens = s
			accounts = append(accounts, a)
		}
		g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m")}, accounts)
		status, _, body := g.as(t, 0, itWhole)
		if status != want || !strings.Contains(body, said) || strings.Contains(body, "another-token") || strings.Contains(body, "secret-") {
			t.Errorf("%d %s, want %d", status, body, want)
		}
	}
	f(200, `"choices"`, tokens{token: "minted-token"})
	f(400, "bad credential Bearer "+storage.Redacted, tokens{token: "another-token"})
	f(502, "no valid credential", tokens{err: errors.New("invalid_grant")})
	f(200, `"choices"`, tokens{err: errors.New("invalid_grant")}, tokens{token: "minted-token"})
}

// A framed stream that ends in an exception is broken off as any other is: told where content was
// sent, and moved on from where none was.
func TestFramed_exceptions(t *testing.T) {
	framed := func(frames ...[]byte) *stage {
		return newStage(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
			w.Header().Set("content-type", "application/vnd.amazon.eventstream")
			for _, f := range frames {
				_, _ = w.Write(f)
			}
		}, well)
	}
	account := func(s *stage, credential string) *Account {
		a := s.account(t, "one", credential)
		a.Routes = map[providers.Op][]providers.Route{providers.OpChat: {
			{Language: bedrock.Language, Dialect: bedrock.Dialect{}, Path: "/converse", StreamPath: "/converse-stream", Framed: true},
		}}
		return a
	}
	start := providertest.EventFrame("messageStart", `{"role":"assistant"}`)
	text := providertest.EventFrame("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"hi"}}`)
	stop := providertest.EventFrame("messageStop", `{"stopReason":"end_turn"}`)
	busy := providertest.ExceptionFrame("serviceUnavailableException", "Try later.")
	good := account(framed(start, text, stop), "good")
	f := func(first *Account, want string, not string) {
		t.Helper()
		first.Weight = 1 // the other one only steps in
		g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m")}, []*Account{first, good})
		status, _, body := g.as(t, 0, itStream)
		if status != 200 || !strings.Contains(body, want) || strings.Contains(body, not) {
			t.Errorf("%d %s", status, body)
		}
	}
	f(account(framed(start, busy), "early"), "data: [DONE]", "error")
	f(account(framed(start, text, busy), "late"), `"error":{`, "[DONE]")
	f(account(framed(start, text[:len(text)-3]), "cut"), "data: [DONE]", "error")
	f(account(framed(start, text, stop[:20]), "cut late"), `"error":{`, "[DONE]")
}
