package admin

import (
	"cmp"
	"context"
	"slices"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
)

type topQuery struct {
	UsageWhere
	By      string `query:"by" required:"true" enum:"project,key,user,provider,model,prompt,tag,operation" doc:"Whose sums"`
	Measure string `query:"measure" enum:"cost,requests,errors,input_tokens,output_tokens" default:"cost" doc:"What they are sorted by, the most first"`
	Limit   int    `query:"limit" minimum:"1" maximum:"200" default:"10"`
}

// Top are the sums that have most of something, and all of it.
type Top struct {
	Data  []UsageRow      `json:"data"`
	Total storage.Figures `json:"total" doc:"Of everybody; where tags are asked for, an attempt counts in it once"`
}

func measureOf(name string) storage.Measure {
	switch name {
	case "requests":
		return storage.Requests
	case "errors":
		return storage.Errors
	case "input_tokens":
		return storage.InputTokens
	case "output_tokens":
		return storage.OutputTokens
	}
	return storage.CostNano
}

func (a *api) topUsage(ctx context.Context, in *topQuery) (*one[Top], error) {
	q, err := in.ask(a.Now(), []string{in.By}, "")
	if err != nil {
		return nil, err
	}
	found, err := a.sums(ctx, &q)
	if err != nil {
		return nil, err
	}
	all := found
	if in.By == string(storage.ByTag) {
		whole := q
		whole.By = nil
		if all, err = a.sums(ctx, &whole); err != nil {
			return nil, err
		}
	}
	top := Top{Data: []UsageRow{}, Total: totalOf(all)}
	m := measureOf(in.Measure)
	slices.SortStableFunc(found, func(a, b ledger.Sum) int { return cmp.Compare(b.Totals[m], a.Totals[m]) })
	for i := range found[:min(len(found), in.Limit)] {
		top.Data = append(top.Data, showSum(&q, &found[i]))
	}
	return &one[Top]{Body: top}, nil
}

func totalOf(sums []ledger.Sum) storage.Figures {
	var total storage.Totals
	for i := range sums {
		total.Add(&sums[i].Totals)
	}
	return total.Figures()
}

type errorsQuery struct {
	UsageWhere
	By []string `query:"by" maxItems:"2" enum:"project,key,user,provider,model,operation" doc:"And for each of these"`
}

// ErrorCount is how often something went wrong in one way.
type ErrorCount struct {
	Outcome  string  `json:"outcome" doc:"refused, upstream_error, timeout, broken_stream, client_gone, lost, …"`
	Status   string  `json:"status" doc:"HTTP status that the client was given"`
	Fault    string  `json:"fault" doc:"Code of the error that the client was given"`
	Requests int64   `json:"requests" doc:"Those that the client saw fail so"`
	Attempts int64   `json:"attempts" doc:"All that failed so, those too that another attempt made good"`
	Project  *string `json:"project,omitempty"`
	Key      *string `json:"key,omitempty"`
	KeyName  *string `json:"key_name,omitempty"`
	User     *string `json:"user,omitempty"`
	Provider *string `json:"provider,omitempty"`
	Model    *string `json:"model,omitempty"`
	Op       *string `json:"operation,omitempty"`
}

// UsageErrors are what went wrong, the most frequent first.
type UsageErrors struct {
	Data     []ErrorCount `json:"data"`
	Requests int64        `json:"requests" doc:"All requests of the time, those that went well too"`
}

// usageErrors counts failures from rows. What was refused before it was sent to anybody has none.
func (a *api) usageErrors(ctx context.Context, in *errorsQuery) (*one[UsageErrors], error) {
	q, err := in.ask(a.Now(), append(in.By, "outcome", "status", "fault"), "")
	if err != nil {
		return nil, err
	}
	found, err := a.sums(ctx, &q)
	if err != nil {
		return nil, err
	}
	out := UsageErrors{Data: []ErrorCount{}}
	for i := range found {
		s := &found[i]
		out.Requests += s.Totals[storage.Requests]
		row := showSum(&q, s)
		if e := (storage.Entry{Outcome: storage.Outcome(*row.Outcome)}); !e.Failed() || e.Outcome == storage.OutcomeHedged {
			continue
		}
		out.Data = append(out.Data, ErrorCount{
			Outcome: *row.Outcome, Status: *row.Status, Fault: *row.Fault, Requests: s.Totals[storage.Errors], Attempts: s.Totals[storage.Attempts],
			Project: row.Project, Key: row.Key, KeyName: row.KeyName, User: row.User, Provider: row.Provider, Model: row.Model, Op: row.Operation,
		})
	}
	slices.SortStableFunc(out.Data, func(a, b ErrorCount) int { return cmp.Compare(b.Attempts, a.Attempts) })
	return &one[UsageErrors]{Body: out}, nil
}
