package proxy

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/storage"
)

// captures keeps what a gateway hands over.
type captures struct {
	mu  sync.Mutex
	all []*Captured
}

// Content is what traces take; they are not in this package's tests.
func (c *captures) Content(*Captured) storage.Content { return nil }

func (c *captures) Keep(one *Captured) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, one)
}

func (c *captures) take() []*Captured {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() { c.all = nil }()
	return c.all
}

func capturing(t *testing.T, to *captures, s storage.PayloadSettings) setting {
	return func(o *Options, state *Snapshot) {
		o.Payloads = to
		var keys []storage.Key
		for i, settings := range []storage.PayloadSettings{s, {}} {
			key, err := storage.KeyOf("test", keyNumber(i))
			if err != nil {
				t.Fatal(err)
			}
			key.Models, key.Owner, key.Payloads = []string{"*"}, "ada", settings
			keys = append(keys, key)
		}
		state.Keys = policy.NewKeyring(keys)
	}
}

const splitCanary = `{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"%"},"finish_reason":null}]}`

func pieceOf(text string) string {
	return "data: " + strings.Replace(splitCanary, "%", text, 1) + "\n\n"
}

func TestPayload_Captured(t *testing.T) {
	kept := &captures{}
	up := newStage(t, func(w http.ResponseWriter, r *http.Request, body string) {
		if strings.Contains(body, `"stream":true`) {
			begins(eventRole+pieceOf("ann@exa")+pieceOf("mple.com")+eventStop+eventDone, func(http.ResponseWriter, *http.Request, string) {})(w, r, body)
			return
		}
		well(w, r, body)
	}, well)
	g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m")}, []*Account{up.account(t, "one", "")},
		capturing(t, kept, storage.PayloadSettings{Keep: time.Hour, Request: true, Response: true}))
	g.as(t, 1, itWhole)
	g.records.next(t)
	if n := len(kept.take()); n != 0 {
		t.Errorf("%d payloads of a key that wants none", n)
	}
	_, h, body := g.as(t, 0, `{"model":"it","user":"u1","messages":[{"role":"user","content":"hi"}]}`)
	all := kept.take()
	if len(all) != 1 || all[0].ID != h.Get("x-request-id") || all[0].User != "ada" || all[0].EndUser != "u1" || all[0].Streamed || string(all[0].Response) != body || !strings.Contains(string(all[0].Request), `"user":"u1"`) {
		t.Fatalf("%+v", all)
	}
	g.records.next(t)
	g.as(t, 0, itStream)
	g.records.next(t)
	for deadline := time.Now().Add(10 * time.Second); len(all) != 1 || !all[0].Streamed; all = kept.take() {
		if time.Now().After(deadline) {
			t.Fatal("the stream was not handed over")
		}
	}
	if strings.Contains(string(all[0].Response), "ann@example.com") {
		t.Fatal("the stream has it in one piece")
	}
	whole, err := all[0].Assemble(catalog.DialectOf)
	if err != nil || !json.Valid(whole) || !strings.Contains(string(whole), "ann@example.com") {
		t.Errorf("%s %v", whole, err)
	}
	if _, err := all[0].Assemble(func(string) providers.Dialect { return nil }); err == nil {
		t.Error("a stream that nobody can read was put together")
	}
	g.as(t, 0, `{"model":"none","messages":[]}`)
	g.records.next(t)
	if n := len(kept.take()); n != 0 {
		t.Errorf("%d payloads of a call that nobody was asked for", n)
	}
}

// Streams of every client's language are put together, also those that broke off.
func TestPayload_Assemble(t *testing.T) {
	faces := map[string]providers.Face{}
	for _, s := range catalog.Surfaces() {
		for _, at := range append(s.Endpoints, providers.Endpoint{Face: s.Face}) {
			if at.Face != nil {
				faces[at.Face.Language()] = at.Face
			}
		}
	}
	if len(faces) != 4 {
		t.Fatalf("%d languages", len(faces))
	}
	events := []providers.Event{
		{Kind: providers.EventStart, ID: "r1", Model: "m"},
		{Kind: providers.EventBlockStart, Block: &providers.Block{Kind: providers.KindText}},
		{Kind: providers.EventDelta, Text: "card 4111 1111"}, {Kind: providers.EventDelta, Text: " 1111 1111"}, {Kind: providers.EventBlockStop},
		{Kind: providers.EventFinish, Finish: providers.FinishStop}, {Kind: providers.EventEnd},
	}
	const asked = `{"model":"m","stream":true,"messages":[],"input":[],"contents":[]}`
	for language, face := range faces {
		for _, n := range []int{len(events), 4} { // whole, and broken off in mid-answer
			doc := &providers.Document{}
			if err := doc.Scan([]byte(asked), nil); err != nil {
				t.Fatal(err)
			}
			call := providers.Call{Op: providers.OpChat, Doc: doc, Asked: "m", Model: "m", Stream: true, ID: "id", Created: time.Unix(1, 0)}
			w := face.Writer(&call)
			var stream []byte
			for i := range events[:n] {
				stream = w.Write(stream, &events[i])
			}
			call.Doc, call.Stream = nil, false
			c := &Captured{Response: stream, Streamed: true, face: face, call: call, body: []byte(asked)}
			whole, err := c.Assemble(catalog.DialectOf)
			if err != nil || !json.Valid(whole) || !strings.Contains(string(whole), "card 4111 1111 1111 1111") {
				t.Errorf("%s, %d events: %v\n%s\nof\n%s", language, n, err, whole, stream)
			}
		}
	}
}
