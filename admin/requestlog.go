package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/aistrale/aistrale/storage"
)

// Request is a call of the data plane, as its last attempt tells of it.
type Request struct {
	ID           string    `json:"id"`
	Time         time.Time `json:"time" doc:"When it began"`
	Workspace    string    `json:"workspace"`
	Project      string    `json:"project,omitempty"`
	Key          string    `json:"key"`
	KeyName      string    `json:"key_name"`
	User         string    `json:"user,omitempty" doc:"The key's owner"`
	EndUser      string    `json:"end_user,omitempty" doc:"The request's user or safety_identifier, as the client said it"`
	Operation    string    `json:"operation"`
	Stream       bool      `json:"stream"`
	Asked        string    `json:"asked" doc:"The model as the client named it"`
	Prompt       string    `json:"prompt,omitempty" doc:"Name and version of a stored prompt"`
	Provider     string    `json:"provider"`
	Model        string    `json:"model" doc:"The provider's own name of it"`
	Status       int       `json:"status" doc:"That the client was given; 499 where it had left"`
	Outcome      string    `json:"outcome"`
	Fault        string    `json:"fault,omitempty" doc:"Code of the error that the client was given"`
	Attempts     int       `json:"attempts"`
	InputTokens  int64     `json:"input_tokens"`
	OutputTokens int64     `json:"output_tokens"`
	CostUSD      string    `json:"cost_usd,omitempty" doc:"Of the last attempt; none where it is not known"`
	FirstByteMS  float64   `json:"first_byte_ms"`
	DurationMS   float64   `json:"duration_ms"`
}

// RequestShown is a request with all that explains its answer.
type RequestShown struct {
	Request
	Node            string              `json:"node"`
	Served          string              `json:"served,omitempty" doc:"The model that the upstream says answered"`
	Tier            string              `json:"tier,omitempty" doc:"Service tier served"`
	Exact           bool                `json:"exact" doc:"The client got the provider's own bytes"`
	Finish          string              `json:"finish,omitempty"`
	Tags            []string            `json:"tags"`
	Metadata        string              `json:"metadata,omitempty" doc:"The request's, a JSON object as text"`
	ClientRequestID string              `json:"client_request_id,omitempty"`
	Retry           int                 `json:"retry,omitempty" doc:"Which of the client's own retries this is"`
	BytesIn         int64               `json:"bytes_in"`
	BytesOut        int64               `json:"bytes_out"`
	OverheadMS      float64             `json:"overhead_ms" doc:"From the request's last byte to the upstream's first"`
	TotalUSD        string              `json:"total_usd,omitempty" doc:"Of all attempts; none where one of them is not known"`
	Tries           []RequestAttempt    `json:"tries" doc:"Each attempt, in order"`
	Candidates      []storage.Candidate `json:"candidates" doc:"Each place that it might have gone to, and why it did or did not"`
}

// RequestAttempt is one attempt at one place.
type RequestAttempt struct {
	Attempt           int            `json:"attempt"`
	Provider          string         `json:"provider"`
	Model             string         `json:"model"`
	Credential        string         `json:"credential,omitempty" doc:"Its name"`
	State             string         `json:"state" enum:"settled,lost" doc:"lost: the gateway died before it ended"`
	Status            int            `json:"status" doc:"The upstream's; 0 where none came"`
	Outcome           string         `json:"outcome"`
	UpstreamRequestID string         `json:"upstream_request_id,omitempty"`
	DurationMS        float64        `json:"duration_ms"`
	InputTokens       int64          `json:"input_tokens"`
	OutputTokens      int64          `json:"output_tokens"`
	Estimated         bool           `json:"estimated,omitempty" doc:"The tokens are the gateway's own count"`
	InputBound        int64          `json:"input_bound" doc:"Tokens that it might have taken at most, when it was sent"`
	OutputBound       int64          `json:"output_bound"`
	CostUSD           string         `json:"cost_usd,omitempty"`
	PriceID           string         `json:"price_id,omitempty" doc:"The price that was charged; of several lines all of them"`
	Unpriced          string         `json:"unpriced,omitempty" doc:"Why there is no cost"`
	Revision          int            `json:"revision" doc:"Above 1: it was corrected"`
	Holds             []storage.Hold `json:"holds" doc:"What it held of each limit and budget that bound it, and what it spent"`
}

type requestQuery struct {
	InWorkspace
	Page
	Key      string    `query:"key" maxLength:"128" doc:"Id or name; a * at its end stands for all that begin so, here and below"`
	Project  string    `query:"project" maxLength:"128"`
	User     string    `query:"user" maxLength:"128" doc:"The key's owner"`
	EndUser  string    `query:"end_user" maxLength:"256" doc:"As the client said it"`
	Provider string    `query:"provider" maxLength:"128"`
	Model    string    `query:"model" maxLength:"256" doc:"The provider's own name of it"`
	Prompt   string    `query:"prompt" maxLength:"256"`
	Tag      string    `query:"tag" maxLength:"128"`
	Status   int       `query:"status" minimum:"0" maximum:"599" doc:"404, or 4 for all of 400 to 499"`
	Outcome  string    `query:"outcome" maxLength:"32"`
	From     time.Time `query:"from" doc:"None: the last day"`
	To       time.Time `query:"to"`
}

// where gives the filters by what the ledger has an index of.
func (q *requestQuery) where() []storage.Filter {
	where := []storage.Filter{{Dimension: storage.ByWorkspace, Values: []string{q.Workspace}}}
	for _, said := range []struct {
		dimension storage.Dimension
		value     string
	}{
		{storage.ByKey, q.Key}, {storage.ByProject, q.Project}, {storage.ByUser, q.User}, {storage.ByProvider, q.Provider},
		{storage.ByModel, q.Model}, {storage.ByPrompt, q.Prompt}, {storage.ByTag, q.Tag},
	} {
		if said.value != "" {
			where = append(where, storage.Filter{Dimension: said.dimension, Values: []string{said.value}})
		}
	}
	return where
}

func (q *requestQuery) takes(e *storage.Entry) bool {
	status := q.Status == 0 || q.Status == e.Status || q.Status < 10 && q.Status == e.Status/100
	return e.Final && status && (q.Outcome == "" || q.Outcome == string(e.Outcome)) && (q.EndUser == "" || q.EndUser == e.EndUser)
}

// errEnough ends a reading of the ledger that has all that was asked for.
var errEnough = errors.New("enough")

// listRequests lists requests, the newest first.
func (a *api) listRequests(ctx context.Context, in *requestQuery) (*listed[Request], error) {
	before, err := in.after()
	if err != nil {
		return nil, err
	}
	if in.From.IsZero() {
		in.From = a.Now().Add(-24 * time.Hour)
	}
	if _, err := uuid.Parse(before); before != "" && err != nil {
		return nil, huma.Error400BadRequest("cursor: it is none that a list gave")
	}
	found := []storage.Entry{}
	err = a.entries(ctx, storage.EntryQuery{From: in.From, To: in.To, Where: in.where(), Newest: true, Before: before}, func(e *storage.Entry) error {
		if !in.takes(e) {
			return nil
		}
		if found = append(found, *e); len(found) > in.Limit {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	return listOf(in.Page, found, func(e storage.Entry) string { return e.RequestID.String() }, func(e storage.Entry) Request { return showRequest(&e) }), nil
}

// entries asks the ledger, where there is one.
func (a *api) entries(ctx context.Context, q storage.EntryQuery, f func(*storage.Entry) error) error {
	if a.Ledger == nil {
		return huma.Error404NotFound("no ledger is kept: journal.store is off")
	}
	return a.Ledger.Entries(ctx, q, f)
}

// RequestID names a request of a workspace.
type RequestID struct {
	InWorkspace
	ID string `path:"id" maxLength:"36" doc:"x-request-id of its answer"`
}

func (a *api) getRequest(ctx context.Context, in *RequestID) (*one[RequestShown], error) {
	attempts, err := a.attemptsOf(ctx, in)
	if err != nil {
		return nil, err
	}
	return &one[RequestShown]{Body: explain(attempts)}, nil
}

// attemptsOf gives the entries of a request, the one that tells of it last. There is one at least.
func (a *api) attemptsOf(ctx context.Context, in *RequestID) ([]storage.Entry, error) {
	if _, err := uuid.Parse(in.ID); err != nil {
		return nil, fmt.Errorf("request %q: %w", in.ID, storage.ErrNotFound)
	}
	var all []storage.Entry
	where := (&requestQuery{InWorkspace: in.InWorkspace}).where()
	err := a.entries(ctx, storage.EntryQuery{RequestID: in.ID, Where: where}, func(e *storage.Entry) error {
		all = append(all, *e)
		return nil
	})
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("request %q: %w; what was refused before it was sent is not in the ledger", in.ID, storage.ErrNotFound)
	}
	slices.SortStableFunc(all, func(x, y storage.Entry) int { return rank(&x) - rank(&y) })
	return all, err
}

// rank puts the attempt that served behind a hedge that came to nothing.
func rank(e *storage.Entry) int {
	if e.Final {
		return 1
	}
	return 0
}

// explain puts together what the attempts of a request tell of it.
func explain(attempts []storage.Entry) RequestShown {
	last := &attempts[len(attempts)-1]
	shown := RequestShown{
		Request: showRequest(last), Node: last.Node, Served: last.Served, Tier: last.Tier, Exact: last.Exact, Finish: last.Finish,
		Tags: some(last.Tags), Metadata: last.Metadata, ClientRequestID: last.ClientID, Retry: last.Retry,
		BytesIn: last.BytesIn, BytesOut: last.BytesOut, OverheadMS: millis(last.Overhead), Candidates: last.Plan, Tries: []RequestAttempt{},
	}
	shown.Attempts = len(attempts)
	total, known := int64(0), true
	for i := range attempts {
		e := &attempts[i]
		total, known = total+e.CostNano, known && e.Known()
		shown.Tries = append(shown.Tries, showAttempt(e))
	}
	if known {
		shown.TotalUSD = storage.FormatUSD(total)
	}
	if len(shown.Candidates) == 0 { // there was one place only
		only := storage.Candidate{Provider: last.Provider, Model: last.Model, Credential: last.Credential, Fate: storage.FateServed}
		if last.Status >= 400 {
			only.Fate, only.Fault = storage.FateFailed, last.Fault
		}
		shown.Candidates = []storage.Candidate{only}
	}
	return shown
}

func showRequest(e *storage.Entry) Request {
	t := storage.TotalsOf(e) // as the sums count them
	return Request{
		ID: e.RequestID.String(), Time: e.Time, Workspace: e.Workspace, Project: e.Project, Key: e.Key, KeyName: e.KeyName,
		User: e.User, EndUser: e.EndUser, Operation: e.Op, Stream: e.Stream, Asked: e.Asked, Prompt: e.Prompt,
		Provider: e.Provider, Model: e.Model, Status: e.Status, Outcome: string(e.Outcome), Fault: e.Fault, Attempts: e.Attempt,
		InputTokens: t[storage.InputTokens], OutputTokens: t[storage.OutputTokens], CostUSD: costOf(e),
		FirstByteMS: millis(e.FirstByte), DurationMS: millis(e.Duration),
	}
}

func showAttempt(e *storage.Entry) RequestAttempt {
	t, state := storage.TotalsOf(e), "settled"
	if e.State == storage.EntryLost {
		state = "lost"
	}
	holds := e.Holds
	if holds == nil {
		holds = []storage.Hold{}
	}
	return RequestAttempt{
		Attempt: e.Attempt, Provider: e.Provider, Model: e.Model, Credential: e.Credential, State: state, Status: e.UpstreamStatus,
		Outcome: string(e.Outcome), UpstreamRequestID: e.UpstreamID, DurationMS: millis(e.Duration),
		InputTokens: t[storage.InputTokens], OutputTokens: t[storage.OutputTokens], Estimated: e.Estimated,
		InputBound: e.Bound.Input, OutputBound: e.Bound.Output, CostUSD: costOf(e), PriceID: e.PriceID, Unpriced: e.Unpriced,
		Revision: e.Revision, Holds: holds,
	}
}

func costOf(e *storage.Entry) string {
	if !e.Known() {
		return ""
	}
	return storage.FormatUSD(e.CostNano)
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
