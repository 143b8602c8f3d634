package proxy

import (
	"net/http"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
)

// state waits for a place's state to be as wanted.
func (g *testGateway) state(t *testing.T, want policy.State, p policy.Place) {
	t.Helper()
	until(t, p.Provider+"/"+p.Model+" is "+want.String(), func() bool {
		for _, a := range g.options.Health.Ailing(time.Now()) {
			if a.Place == p && a.State == want {
				return true
			}
		}
		return false
	})
}

// Where one key alone sees a provider fail, our own look at it decides.
func TestProbe_OfAPlace(t *testing.T) {
	only := newStage(t, says(500), says(500))
	g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m")}, []*Account{only.account(t, "one", "c")})
	for range 5 {
		g.as(t, 3, itWhole)
	}
	g.state(t, policy.StateOpen, policy.Place{Provider: "one", Credential: "c", Model: "m"})
	if n := only.probes.Load(); n != 1 {
		t.Errorf("%d probes", n)
	}
}

// A credential is set aside where it is refused to us too, and used all the same where there is
// no other.
func TestProbe_OfACredential(t *testing.T) {
	refuses := func(w http.ResponseWriter, r *http.Request, body string) {
		if r.Header.Get("authorization") == "Bearer secret-bad" {
			says(401)(w, r, body)
			return
		}
		well(w, r, body)
	}
	only := newStage(t, refuses, refuses)
	bad, good := only.account(t, "one", "bad"), only.account(t, "one", "good")
	bad.Weight = 1 // the other one only steps in
	g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m")}, []*Account{bad, good})
	if status, h, body := g.as(t, 0, itWhole); status != 200 || h.Get("x-aistrale-attempts") != "2" {
		t.Errorf("status %d: %s", status, body)
	}
	g.state(t, policy.StateAside, policy.Place{Provider: "one", Credential: "bad"})
	for range 5 {
		if status, h, body := g.as(t, 0, itWhole); status != 200 || h.Get("x-aistrale-attempts") != "1" {
			t.Errorf("status %d after %s attempts: %s", status, h.Get("x-aistrale-attempts"), body)
		}
	}
	g = newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m")}, []*Account{only.account(t, "one", "bad")})
	calls := only.calls.Load()
	for range 5 {
		if status, _, body := g.as(t, 0, itWhole); status != 502 {
			t.Errorf("status %d: %s", status, body)
		}
	}
	if n := only.calls.Load() - calls; n != 5 {
		t.Errorf("%d of 5 calls were sent by the only credential", n)
	}
}

// A model that a credential may not use says nothing of the credential.
func TestProbe_CredentialThatIsGood(t *testing.T) {
	probed := make(chan struct{}, 100)
	only := newStage(t, says(403), func(w http.ResponseWriter, r *http.Request, body string) {
		well(w, r, body)
		probed <- struct{}{}
	})
	g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m")}, []*Account{only.account(t, "one", "a"), only.account(t, "one", "b")})
	for i := range 10 {
		g.as(t, i, itWhole)
	}
	<-probed
	g.Gateway.probes.wg.Wait()
	if list := g.options.Health.Ailing(time.Now()); len(list) > 0 {
		t.Errorf("%+v", list)
	}
	if n := only.probes.Load(); n > 2 {
		t.Errorf("%d probes of two credentials", n)
	}
}

// The gateway's end ends its probes.
func TestProbe_EndsWithTheGateway(t *testing.T) {
	begun := make(chan struct{}, 1)
	only := newStage(t, says(401), func(w http.ResponseWriter, r *http.Request, body string) {
		begun <- struct{}{}
		hangs(w, r, body)
	})
	g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m")}, []*Account{only.account(t, "one", "c")})
	g.as(t, 0, itWhole)
	<-begun
	g.Gateway.probes.close()
	if list := g.options.Health.Ailing(time.Now()); len(list) > 0 {
		t.Errorf("a probe that we broke off says: %+v", list)
	}
}

// What is asked is a list of models, in the provider's language.
func TestProbe_Languages(t *testing.T) {
	asked := make(chan *http.Request, 1)
	only := newStage(t, says(401), func(w http.ResponseWriter, r *http.Request, body string) {
		asked <- r
		well(w, r, body)
	})
	a := only.account(t, "one", "c")
	a.Sign = providers.HeaderKey("x-api-key")
	a.Routes = map[providers.Op][]providers.Route{providers.OpChat: {{Language: "anthropic", Dialect: anthropic.Dialect{}, Path: "/v1/messages"}}}
	g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m")}, []*Account{a})
	g.as(t, 0, itWhole)
	r := <-asked
	if r.URL.Path != "/v1/models" || r.Header.Get("x-api-key") != "secret-c" || r.Header.Get("anthropic-version") == "" || r.ContentLength > 0 {
		t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
	}
}
