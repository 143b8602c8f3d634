package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/aistrale/aistrale/storage"
)

// testMailer keeps mails.
type testMailer struct{ sent []string }

func (m *testMailer) Mail(_ context.Context, id string, to []string, subject, text string) error {
	m.sent = append(m.sent, strings.Join([]string{id, strings.Join(to, ","), subject, text}, "\n"))
	return nil
}

// receiver is somebody's server that webhooks go to.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	got    []received
	heard  chan struct{}
}

type received struct {
	header http.Header
	body   string
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{status: 200, heard: make(chan struct{}, 100)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, received{q.Header, string(body)})
		r.heard <- struct{}{}
		w.Header().Set("location", "http://127.0.0.1:1/inside")
		w.WriteHeader(r.status)
		_, _ = io.WriteString(w, strings.Repeat("answer \x00", 1000))
	}))
	t.Cleanup(r.Close)
	return r
}

// send has a courier send all that is due, to its end.
func send(t *testing.T, c *Courier) {
	t.Helper()
	do(t, c.turn(t.Context()))
	c.sending.Wait()
}

func (a *testAPI) hook(url, more string) (id, secret string) {
	a.t.Helper()
	made := a.wants(201, a.root, "POST", "/webhooks", `{"name":"ops","url":"`+url+`"`+more+`}`)
	if s, ok := made.field(a.t, "id").(string); ok {
		id = s
	}
	var body struct{ Secret string }
	do(a.t, json.Unmarshal([]byte(made.body), &body))
	return id, body.Secret
}

// verify checks a signature by the standard's own library.
func verify(t *testing.T, secret string, r received) error {
	t.Helper()
	w, err := standardwebhooks.NewWebhook(secret)
	do(t, err)
	return w.VerifyIgnoringTimestamp([]byte(r.body), r.header)
}

func TestWebhooks(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		to := newReceiver(t)
		id, secret := a.hook(to.URL+"/hook?token=canary", `,"events":["key.created","key.rotated","key.revoked"]`)
		for _, path := range []string{"/webhooks", "/webhooks/" + id} {
			if got := a.wants(200, a.root, "GET", path, ""); strings.Contains(got.body, "canary") || strings.Contains(got.body, secret) || !strings.Contains(got.body, to.URL) {
				t.Errorf("%s shows %s", path, got.body)
			}
		}
		key := a.wants(201, a.root, "POST", "/keys", `{"name":"ci"}`).field(t, "id").(string)
		a.wants(200, a.root, "PATCH", "/keys/"+key, `{"tags":["x"]}`, "If-Match", "*")
		a.clock = a.clock.Add(time.Second)
		a.wants(200, a.root, "POST", "/keys/"+key+"/rotate", `{}`, "If-Match", "*")
		a.clock = a.clock.Add(time.Second)
		a.wants(204, a.root, "DELETE", "/keys/"+key, "", "If-Match", "*")
		send(t, a.courier)
		if behind := a.courier.Behind(); behind != 2*time.Second {
			t.Errorf("the first was due for %s, want 2s", behind)
		}
		send(t, a.courier)
		if behind := a.courier.Behind(); behind != 0 {
			t.Errorf("with nothing in line %s are told", behind)
		}
		if len(to.got) != 3 {
			t.Fatalf("%d were sent, want 3: %v", len(to.got), to.got)
		}
		for _, r := range to.got {
			if err := verify(t, secret, r); err != nil {
				t.Error(err)
			}
			var body struct {
				Type    EventType
				Version int
				Data    KeyNotice
			}
			do(t, json.Unmarshal([]byte(r.body), &body))
			if body.Version != 1 || body.Data.ID != key || body.Data.Name != "ci" || body.Data.Workspace != "default" || strings.Contains(r.body, "sk-ais") {
				t.Errorf("got %s", r.body)
			}
		}
		list := a.wants(200, a.root, "GET", "/webhooks/"+id+"/deliveries?limit=2&state=delivered", "")
		if strings.Count(list.body, `"state":"delivered"`) != 2 || !strings.Contains(list.body, `"type":"key.revoked"`) || !strings.Contains(list.body, "next_cursor") {
			t.Errorf("deliveries: %s", list.body)
		}

		rotated := a.wants(200, a.root, "POST", "/webhooks/"+id+"/rotate", `{"overlap_seconds":60}`, "If-Match", "*").field(t, "secret").(string)
		test := func() received {
			to.got = nil
			a.wants(201, a.root, "POST", "/webhooks/"+id+"/test", "")
			send(t, a.courier)
			return to.got[0]
		}
		r := test()
		if err := verify(t, rotated, r); err != nil || verify(t, secret, r) != nil {
			t.Errorf("in the overlap: %v, %v", err, verify(t, secret, r))
		}
		a.clock = a.clock.Add(time.Minute)
		if r = test(); verify(t, rotated, r) != nil || verify(t, secret, r) == nil {
			t.Error("after the overlap the old secret signs still")
		}
		log := a.wants(200, a.root, "GET", "/webhooks/"+id+"/deliveries", "").body
		do(t, a.auditor.turn(t.Context()))
		log += a.wants(200, a.root, "GET", "/audit?limit=200", "").body
		for _, hidden := range []string{secret, rotated, "canary", "whsec_"} {
			if strings.Contains(log, hidden) {
				t.Errorf("%q shows", hidden)
			}
		}
	})
}

func TestWebhookAddresses(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		for _, url := range []string{
			"http://169.254.169.254/latest", "http://10.0.0.1/", "http://[::1]/", "http://localhost/", "ftp://example.com", "x", "",
			"https://u:canary@example.com/", "http://[::ffff:10.0.0.1]/", "http://0.0.0.0/", "http://%zz/canary",
		} {
			if got := a.wants(422, a.root, "POST", "/webhooks", `{"name":"x","url":"`+url+`"}`); strings.Contains(got.body, "canary") {
				t.Errorf("%s: %s", url, got.body)
			}
		}
		for _, body := range []string{
			`{"name":"x"}`, `{"url":"https://example.com"}`, `{"name":"x","url":"https://example.com","kind":"carrier-pigeon"}`,
			`{"name":"x","url":"https://example.com","events":["key.stolen"]}`, `{"name":"x","url":"https://example.com","secret":"mine"}`,
			`{"name":"x","kind":"email","to":["a@example.com\r\nBcc: b@example.com"]}`, `{"name":"x","kind":"email","to":["Eve <a@example.com>"]}`,
			`{"name":"x","kind":"email","url":"https://example.com"}`, `{"name":"x","kind":"email","to":[]}`, `{"name":"x","url":"https://example.com","to":["a@example.com"]}`,
		} {
			a.wants(422, a.root, "POST", "/webhooks", body)
		}
		a.wants(404, a.root, "POST", "/webhooks?workspace=nowhere", `{"name":"x","url":"https://example.com"}`)
		// A name that was public when it was given, and leads inside when it is called.
		id, _ := a.hook("http://rebound.localdomain.example/", "")
		a.wants(422, a.root, "PATCH", "/webhooks/"+id, `{"url":"http://10.0.0.1/"}`, "If-Match", "*")
	})
}

func TestDelivery_Retries(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		to := newReceiver(t)
		id, _ := a.hook(to.URL, "")
		a.wants(201, a.root, "POST", "/webhooks/"+id+"/test", "")
		for n, status := range []int{500, 302, 404, 503, 500, 500, 500, 500, 500, 500} {
			to.status = status
			send(t, a.courier)
			if len(to.got) != n+1 {
				t.Fatalf("attempt %d: %d were sent", n+1, len(to.got))
			}
			send(t, a.courier)                    // not due yet
			a.clock = a.clock.Add(15 * time.Hour) // each wait is shorter than that
		}
		send(t, a.courier)
		if len(to.got) != 10 {
			t.Fatalf("%d were sent, want 10", len(to.got))
		}
		got := a.wants(200, a.root, "GET", "/webhooks/"+id+"/deliveries?state=failed", "")
		if strings.Count(got.body, `"status":`) != 10 || !strings.Contains(got.body, `"error":"it answered 302"`) || len(got.body) > 30_000 {
			t.Fatalf("got %d bytes: %.600s", len(got.body), got.body)
		}
		for _, r := range to.got[1:] {
			if r.header.Get("webhook-id") != to.got[0].header.Get("webhook-id") {
				t.Error("the same event has several ids")
			}
		}
		delivery := got.field(t, "data").([]any)[0].(map[string]any)["id"].(string)
		path := "/webhooks/" + id + "/deliveries/" + delivery
		to.status = 200
		a.wants(200, a.root, "POST", path+"/resend", "")
		a.wants(409, a.root, "POST", path+"/resend", "")
		send(t, a.courier)
		if got := a.wants(200, a.root, "GET", path, ""); !strings.Contains(got.body, `"state":"delivered"`) || strings.Count(got.body, `"at":`) != 11 {
			t.Errorf("sent again: %.600s", got.body)
		}
	})
}

func TestDelivery_Gone(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		to := newReceiver(t)
		to.status = http.StatusGone
		id, _ := a.hook(to.URL, "")
		a.wants(201, a.root, "POST", "/webhooks/"+id+"/test", "")
		send(t, a.courier)
		if got := a.wants(200, a.root, "GET", "/webhooks/"+id, ""); !strings.Contains(got.body, `"state":"disabled","reason":"its receiver answered 410"`) {
			t.Errorf("got %s", got.body)
		}
		a.wants(201, a.root, "POST", "/keys", `{"name":"ci"}`)
		a.wants(409, a.root, "POST", "/webhooks/"+id+"/test", "")
		a.clock = a.clock.Add(24 * time.Hour)
		send(t, a.courier)
		if len(to.got) != 1 {
			t.Errorf("%d were sent to who is gone", len(to.got))
		}
		do(t, a.auditor.turn(t.Context()))
		if got := a.wants(200, a.root, "GET", "/audit?actor=gateway", ""); !strings.Contains(got.body, "webhook/"+id) {
			t.Errorf("the audit log lacks it: %s", got.body)
		}
		a.wants(200, a.root, "PATCH", "/webhooks/"+id, `{"disabled":false}`, "If-Match", "*")
		a.wants(201, a.root, "POST", "/webhooks/"+id+"/test", "")
		a.wants(204, a.root, "DELETE", "/webhooks/"+id, "", "If-Match", "*")
		send(t, a.courier)
		if len(to.got) != 1 {
			t.Errorf("%d were sent of a webhook that is removed", len(to.got))
		}
	})
}

// Two nodes send each delivery once; one that dies amid an attempt is followed by the other.
func TestDelivery_TwoNodes(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		to := newReceiver(t)
		id, _ := a.hook(to.URL, "")
		for range 12 {
			a.wants(201, a.root, "POST", "/webhooks/"+id+"/test", "")
		}
		other := NewCourier(a.courier.CourierOptions)
		for range 4 {
			var both sync.WaitGroup
			for _, c := range []*Courier{a.courier, other} {
				both.Go(func() {
					if err := c.turn(t.Context()); err != nil {
						t.Error(err)
					}
					c.sending.Wait()
				})
			}
			both.Wait()
		}
		seen := map[string]int{}
		for _, r := range to.got {
			seen[r.header.Get("webhook-id")]++
		}
		if len(to.got) != 12 || len(seen) != 12 {
			t.Fatalf("%d were sent, of %d events", len(to.got), len(seen))
		}

		a.wants(201, a.root, "POST", "/webhooks/"+id+"/test", "")
		line, err := a.notices.line.list(t.Context(), storage.DocumentQuery{})
		do(t, err)
		if len(line) != 1 {
			t.Fatalf("%d are in line", len(line))
		}
		_, err = other.claim(t.Context(), line[0]) // and is killed
		do(t, err)
		send(t, a.courier)
		if len(to.got) != 12 {
			t.Fatal("a claim that holds was passed over")
		}
		a.clock = a.clock.Add(leaseLasts)
		send(t, a.courier)
		if len(to.got) != 13 {
			t.Fatal("what a dead node had claimed was not sent")
		}
	})
}

func TestDelivery_SlackAndMail(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		to := newReceiver(t)
		_, secret := a.hook(to.URL+"/services/canary", `,"kind":"slack"`)
		if secret != "" {
			t.Error("Slack has a secret")
		}
		a.wants(201, a.root, "POST", "/webhooks", `{"name":"mail","kind":"email","to":["ops@example.com","b@example.com"]}`)
		do(t, a.notices.tell(t.Context(), &Event{Type: EventKeyCreated, Workspace: "default", Text: "Key <!channel> & co (x)"}))
		send(t, a.courier)
		var said slackText
		do(t, json.Unmarshal([]byte(to.got[0].body), &said))
		if want := "Key &lt;!channel&gt; &amp; co (x)"; !strings.HasPrefix(said.Text, want) || said.Blocks[0].Text.Text != said.Text || said.Blocks[0].Text.Type != "mrkdwn" {
			t.Errorf("Slack got %s", to.got[0].body)
		}
		if len(a.mails.sent) != 1 || !strings.Contains(a.mails.sent[0], "\nops@example.com,b@example.com\nAISTRALE: key.created\nKey <!channel>") {
			t.Errorf("mails: %q", a.mails.sent)
		}
	})
}

// Webhooks hear of their own workspace; those of "*" of all, and of the installation.
func TestNotices_WhoHears(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		a.wants(201, a.root, "POST", "/workspaces", `{"name":"team"}`)
		hears := map[string]*receiver{}
		for _, workspace := range []string{"default", "team", "*"} {
			hears[workspace] = newReceiver(t)
			a.wants(201, a.root, "POST", "/webhooks?workspace="+workspace, `{"name":"x","url":"`+hears[workspace].URL+`"}`)
		}
		admin := a.user("ada", "team", storage.RoleAdmin)
		a.wants(403, admin, "POST", "/webhooks?workspace=*", `{"name":"x","url":"https://example.com"}`)
		send(t, a.courier)
		soon := a.clock.Add(20 * time.Hour).Format(time.RFC3339)
		a.wants(201, a.root, "POST", "/keys?workspace=team", `{"name":"ci","expires_at":"`+soon+`"}`)
		a.wants(201, a.root, "POST", "/audit/checkpoints", "")
		for range 2 {
			do(t, a.notices.tell(t.Context(), &Event{Type: EventBudget, Workspace: "team", Once: "x", Data: BudgetNotice{Percent: 80}}))
			do(t, a.notices.expiring(t.Context()))
		}
		do(t, a.notices.tell(t.Context(), &Event{Type: EventBreakerOpened, Data: PlaceNotice{Node: "n"}}))
		send(t, a.courier)
		send(t, a.courier)
		for workspace, want := range map[string]int{"default": 0, "team": 3, "*": 5} {
			if got := hears[workspace].got; len(got) != want {
				t.Errorf("%s heard of %d, want %d: %v", workspace, len(got), want, got)
			}
		}
	})
}

// What comes faster than it can be kept is counted, and nobody waits.
func TestNotices_Overflow(t *testing.T) {
	n := NewNotices(NoticesOptions{})
	for range maxQueued + 7 {
		n.Post(Event{Type: EventBreakerOpened})
	}
	if n.Dropped() != 7 {
		t.Errorf("%d were counted", n.Dropped())
	}
}

// A receiver that hangs keeps no other from being sent to, and ends by its timeout.
func TestDelivery_Hangs(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		release := make(chan struct{})
		hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}))
		defer hanging.Close()
		defer close(release)
		a.hook(hanging.URL, `,"events":["key.created"]`)
		to := newReceiver(t)
		id, _ := a.hook(to.URL, `,"events":["key.revoked"]`)
		for n := range mostPerHook + 2 {
			a.wants(201, a.root, "POST", "/keys", fmt.Sprintf(`{"name":"k%d"}`, n))
		}
		a.wants(201, a.root, "POST", "/webhooks/"+id+"/test", "")
		ctx, cancel := context.WithCancel(t.Context())
		ran := make(chan struct{})
		go func() { a.courier.Run(ctx); close(ran) }()
		<-to.heard
		cancel() // who hangs is given up, and comes again
		<-ran
		a.clock = a.clock.Add(leaseLasts)
		line, err := a.notices.line.list(t.Context(), storage.DocumentQuery{})
		do(t, err)
		if len(line) < mostPerHook+2 {
			t.Errorf("%d are in line", len(line))
		}
	})
}
