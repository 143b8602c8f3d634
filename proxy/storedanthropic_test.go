package proxy

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/storage"
)

const messageBatches = "/anthropic/v1/messages/batches"

func inlineBatch(params ...string) string {
	var calls []string
	for i, p := range params {
		calls = append(calls, fmt.Sprintf(`{"custom_id":"c%d","params":%s}`, i, p))
	}
	return `{"requests":[` + strings.Join(calls, ",") + `]}`
}

// Each call in a batch's body is held against the key as if it was made by itself, or nothing is
// begun and the call is named.
func TestMessageBatch_CallsAreGoverned(t *testing.T) {
	const good = `{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}`
	with := func(member string) string { return strings.Replace(good, "{", "{"+member+",", 1) }
	f := func(name string, want int, word, body string, change ...func(*storage.Key)) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			w := newTenants(t, func(o *Options, s *Snapshot) {
				o.Headers = catalog.GovernedHeaders()
				for _, k := range s.Keys.All() {
					for _, c := range change {
						c(k)
					}
				}
			})
			w.ownAt("anthropic", "mine", "two", providers.ObjectFile, "file_mine")
			w.ownAt("anthropic", "mine", "one", providers.ObjectFile, "file_elsewhere")
			w.ownAt("anthropic", "theirs", "two", providers.ObjectFile, "file_theirs")
			var headers []string
			if strings.HasPrefix(name, "beta ") {
				headers = []string{"anthropic-beta", strings.TrimPrefix(name, "beta ")}
			}
			status, said := w.ask(t, mine, http.MethodPost, messageBatches, body, headers...)
			calls := w.up.calls()
			if status != want || !strings.Contains(said, word) || (len(calls) == 1) != (want == http.StatusOK) || want != http.StatusOK && gjson.Get(said, "type").String() != "error" {
				t.Errorf("%d %s after %q; want %d with %q", status, said, calls, want, word)
			}
			if want == http.StatusOK && !strings.HasSuffix(calls[0], body) {
				t.Errorf("sent %s, want the client's own bytes", calls[0])
			}
		})
	}
	narrow := func(k *storage.Key) { k.Models, k.Allow = []string{"anthropic/m"}, []string{"batches"} }
	f("good", 200, "", inlineBatch(good, good))
	f("narrow key", 200, "", inlineBatch(good), narrow)
	f("foreign model", 403, "Call 2", inlineBatch(good, strings.Replace(good, `"m"`, `"secret"`, 1)), narrow)
	f("denied model", 403, "Call 1", inlineBatch(good), func(k *storage.Key) { k.DenyModels = []string{"anthropic/m"} })
	f("field", 403, "Call 1", inlineBatch(with(`"mcp_servers":[{"type":"url","url":"https://x"}]`)), narrow)
	f("other tenant's file", 404, "Call 2", inlineBatch(good, strings.Replace(good, `"hi"`, `[{"type":"document","source":{"type":"file","file_id":"file_theirs"}}]`, 1)))
	f("own file", 200, "", inlineBatch(good, strings.Replace(good, `"hi"`, `[{"type":"container_upload","file_id":"file_mine"}]`, 1)))
	f("files of two accounts", 400, "Call 2", inlineBatch(with(`"container":{"id":"file_mine"}`), with(`"container":"file_elsewhere"`)))
	f("another's skill", 404, "Call 1", inlineBatch(with(`"container":{"skills":[{"type":"custom","skill_id":"skill_x"}]}`)))
	f("Anthropic's skill", 200, "", inlineBatch(with(`"container":{"skills":[{"type":"anthropic","skill_id":"xlsx"}]}`)))
	f("no model", 400, "Call 1", inlineBatch(`{"max_tokens":5,"messages":[]}`))
	f("no params", 400, "Call 1", `{"requests":[{"custom_id":"a"}]}`)
	f("twice", 400, "Call 1", `{"requests":[{"params":{},"params":`+good+`}]}`)
	f("twice, inside", 400, "Call 1", `{"requests":[{"params":{"model":"x","model":"m","max_tokens":5,"messages":[]}}]}`)
	f("no list", 400, "requests", `{"requests":{}}`)
	f("nothing", 400, "requests", `{}`)
	f("empty", 400, "", ``)
	f("parameters of the operator", 403, "parameters", inlineBatch(good), func(k *storage.Key) {
		k.Parameters.Force = []storage.Parameter{{Name: "temperature", Value: []byte("0")}}
	})
	f("beta message-batches-2024-09-24", 200, "", inlineBatch(good), narrow)
	f("beta unknown-feature-2030-01-01", 403, "anthropic-beta", inlineBatch(good), narrow)
}

// A batch's results are its tenant's, at the gateway's own address, and in the ledger at the batch
// tier's price when it has ended.
func TestMessageBatch_Booked(t *testing.T) {
	w := newTenants(t, func(_ *Options, s *Snapshot) {
		one, two, half, tenth := int64(1_000_000_000), int64(2_000_000_000), int64(500_000_000), int64(50_000_000)
		s.Prices = policy.NewPriceBook([]storage.Price{{ID: "p", Provider: "anthropic", Model: "m", Rates: []storage.Rate{
			{Input: &one, Output: &two}, {Tier: "batch", Input: &half, Output: &one, CacheRead: &tenth},
		}}})
	})
	result := `{"custom_id":"a","result":{"type":"succeeded","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":"end_turn","usage":{"input_tokens":1000,"cache_read_input_tokens":200,"output_tokens":100,"service_tier":"batch"}}}}` + "\n" +
		`{"custom_id":"b","result":{"type":"errored","error":{"type":"error","error":{"type":"invalid_request_error","message":"x"}}}}` + "\n"
	w.up.answers(func(r *http.Request) string {
		state, url := "in_progress", "null"
		switch {
		case strings.HasSuffix(r.URL.Path, "/results"):
			return result
		case r.Method == http.MethodGet:
			state, url = "ended", `"https://api.anthropic.com/v1/messages/batches/msgbatch_1/results"`
		}
		if r.Header.Get("anthropic-version") == "" {
			t.Errorf("%s has no version", r.URL)
		}
		return `{"id":"msgbatch_1","type":"message_batch","processing_status":"` + state + `","results_url":` + url + `,"expires_at":"2100-01-01T00:00:00Z"}`
	})
	if status, body := w.ask(t, mine, http.MethodPost, messageBatches, inlineBatch(`{"model":"m","max_tokens":5,"messages":[]}`)); status != http.StatusOK || !strings.Contains(body, `"results_url":null`) {
		t.Fatalf("%d %s", status, body)
	}
	if status, _ := w.ask(t, theirs, http.MethodGet, messageBatches+"/msgbatch_1/results", ""); status != http.StatusNotFound {
		t.Errorf("another tenant's results: %d", status)
	}
	status, body := w.ask(t, also, http.MethodGet, messageBatches+"/msgbatch_1", "")
	url := gjson.Get(body, "results_url").String()
	if status != http.StatusOK || url != w.url+messageBatches+"/msgbatch_1/results" {
		t.Fatalf("%d %s", status, body)
	}
	if status, body := w.ask(t, mine, http.MethodGet, strings.TrimPrefix(url, w.url), ""); status != http.StatusOK || body != result {
		t.Errorf("%d %s", status, body)
	}
	until(t, "the batch is settled", func() bool { return !w.shelf.find("msgbatch_1").Owed })
	var entries []storage.Entry
	for _, kept := range w.pages.take() {
		entries = append(entries, kept...)
	}
	if len(entries) != 1 || entries[0].CostNano != 1000*500+200*50+100*1000 || entries[0].Tier != "batch" || entries[0].Provider != "anthropic" || entries[0].Op != "batches" {
		t.Errorf("entries: %+v", entries)
	}
	if _, body := w.ask(t, mine, http.MethodGet, messageBatches, "", "x-forwarded-proto", "https", "x-forwarded-host", "ai.example.org"); gjson.Get(body, "data.0.results_url").String() != "https://ai.example.org"+messageBatches+"/msgbatch_1/results" {
		t.Errorf("listed: %s", body)
	}
	if status, body := w.ask(t, mine, http.MethodDelete, messageBatches+"/msgbatch_1", ""); status != http.StatusOK || w.shelf.find("msgbatch_1") != nil {
		t.Errorf("%d %s", status, body)
	}
}

// A list has what is kept in the client's language, and is read on by the names that its SDKs have
// for that; the gateway's own questions have the headers that the provider wants.
func TestStored_ListsByLanguage(t *testing.T) {
	w := newTenants(t)
	for i := range 5 {
		w.ownAt("anthropic", "mine", []string{"one", "two"}[i%2], providers.ObjectFile, fmt.Sprintf("file_%d", i))
		w.own("mine", "one", providers.ObjectFile, fmt.Sprintf("file-%d", i))
	}
	w.ownAt("anthropic", "theirs", "one", providers.ObjectFile, "file_theirs")
	w.up.answers(func(r *http.Request) string {
		if strings.HasPrefix(r.URL.Path, "/v1/files") && (r.Header.Get("anthropic-version") == "" || r.Header.Get("anthropic-beta") != "files-api-2025-04-14") {
			t.Errorf("%s with %v", r.URL, r.Header)
		}
		return fmt.Sprintf(`{"id":%q,"type":"file"}`, r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:])
	})
	f := func(path, last, next string, want ...string) {
		t.Helper()
		status, body := w.ask(t, mine, http.MethodGet, path, "")
		var got []string
		for _, id := range gjson.Get(body, "data.#.id").Array() {
			got = append(got, id.String())
		}
		if status != http.StatusOK || strings.Join(got, " ") != strings.Join(want, " ") || gjson.Get(body, "last_id").String() != last || gjson.Get(body, "next_page").String() != next {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	f("/anthropic/v1/files?limit=3&beta=true", "file_2", "file_2", "file_4", "file_3", "file_2")
	f("/anthropic/v1/files?limit=3&after_id=file_2", "file_0", "", "file_1", "file_0")
	f("/anthropic/v1/files?limit=3&page=file_2", "file_0", "", "file_1", "file_0")
	f("/anthropic/v1/files?ids=file_1&ids=file_3", "file_1", "", "file_3", "file_1")
	f("/v1/files?limit=3", "file-2", "", "file-4", "file-3", "file-2")
	if status, body := w.ask(t, mine, http.MethodGet, "/v1/files/file_1", ""); status != http.StatusBadRequest || !strings.Contains(body, "by this path") {
		t.Errorf("by another language: %d %s", status, body)
	}
	if status, _ := w.ask(t, mine, http.MethodGet, "/anthropic/v1/files?before_id=file_1", ""); status != http.StatusBadRequest {
		t.Errorf("backwards: %d", status)
	}
}

// A batch whose cost nobody has read yet is read before it is deleted, and not deleted where it
// cannot be.
func TestMessageBatch_BookedBeforeItIsDeleted(t *testing.T) {
	w := newTenants(t)
	w.ownAt("anthropic", "mine", "one", providers.ObjectBatch, "msgbatch_1")
	w.shelf.all[0].Owed = true
	results, state := "", "ended"
	w.up.answers(func(r *http.Request) string {
		if strings.HasSuffix(r.URL.Path, "/results") {
			if results == "" {
				panic(http.ErrAbortHandler)
			}
			return results
		}
		return `{"id":"msgbatch_1","processing_status":"` + state + `","results_url":"https://x/"}`
	})
	f := func(status, entries int, last string) {
		t.Helper()
		got, body := w.ask(t, mine, http.MethodDelete, messageBatches+"/msgbatch_1", "")
		calls := w.up.calls()
		if kept := len(w.pages.take()); got != status || kept != entries || !strings.Contains(calls[len(calls)-1], last) {
			t.Errorf("%d %s after %q, %d entries", got, body, calls, kept)
		}
	}
	f(http.StatusServiceUnavailable, 0, "/results")
	if w.shelf.find("msgbatch_1") == nil {
		t.Fatal("it has no owner any more")
	}
	w.up.mu.Lock()
	results = `{"result":{"type":"succeeded","message":{"type":"message","model":"m","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}}`
	w.up.mu.Unlock()
	f(http.StatusOK, 1, "DELETE ")
	if w.shelf.find("msgbatch_1") != nil {
		t.Error("it still has an owner")
	}
}
