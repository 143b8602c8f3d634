package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/storage"
)

const (
	requestListUsage = `usage: aistrale request list [--key K] [--project P] [--user U] [--end-user U] [--provider P] [--model M] [--prompt P] [--tag T]
       [--status 404|4] [--outcome O] [--since 24h|2026-11-01] [--until T] [--limit N] [--workspace W] [--config FILE | --url URL] [--json]
       The newest first. What ends in * stands for all that begin so.`
	requestShowUsage = `usage: aistrale request show ID [--workspace W] [--config FILE | --url URL] [--json]
       ID is x-request-id of the answer.`
	requestPayloadUsage = `usage: aistrale request payload ID [--workspace W] [--config FILE | --url URL] [--json]
       What was asked and answered, redacted, as JSON, where the key has it kept. The audit log says who read it.`
	payloadEraseUsage = `usage: aistrale payload erase USER [--workspace W] [--config FILE | --url URL] [--json]
       USER is the owner of keys, or an end user as clients said it.`
)

// requestCommands tell of requests that have ended.
func requestCommands() []command {
	return []command{
		{name: "list", summary: "list requests, the newest first", run: requestList},
		{name: "show", summary: "explain a request: attempts, limits, prices, every place it might have gone to", run: requestShow},
		{name: "payload", summary: "read what a request asked and was answered, where that is kept", run: requestPayload},
	}
}

// payloadCommands are about what is kept of requests, as a whole.
func payloadCommands() []command {
	return []command{{name: "erase", summary: "erase what is kept of a user", run: payloadErase}}
}

func requestPayload(ctx context.Context, env environment, args []string) error {
	c := newWorkspaceCommand(env, requestPayloadUsage, "requests", storage.DefaultWorkspace, "whose it is")
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		return api.download(ctx, c.path(words[0], "payload"), env.Stdout)
	})
}

func payloadErase(ctx context.Context, env environment, args []string) error {
	c := newWorkspaceCommand(env, payloadEraseUsage, "payloads", storage.DefaultWorkspace, "where")
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		var done admin.Erased
		if err := api.call(ctx, http.MethodPost, c.path("erase"), map[string]string{"user": words[0]}, &done); err != nil {
			return err
		}
		if c.json {
			return printJSON(env.Stdout, []admin.Erased{done})
		}
		_, err := fmt.Fprintf(env.Stdout, "What was kept of %d requests is erased.\n", done.Requests)
		return err
	})
}

func requestList(ctx context.Context, env environment, args []string) error {
	c := newControlCommand(env, requestListUsage)
	asked := url.Values{}
	for _, name := range []string{"key", "project", "user", "end-user", "provider", "model", "prompt", "tag", "status", "outcome", "workspace"} {
		c.flags.Func(name, "only those of this "+strings.ReplaceAll(name, "-", " "), func(text string) error { asked.Set(strings.ReplaceAll(name, "-", "_"), text); return nil })
	}
	since := c.flags.String("since", "24h", "from when: how long ago, a day or a time")
	until := c.flags.String("until", "", "up to when, as --since")
	limit := c.flags.Int("limit", 50, "how many")
	if _, err := c.parse(args, 0); err != nil {
		return err
	}
	for _, end := range []struct{ flag, text, name string }{{"--since", *since, "from"}, {"--until", *until, "to"}} {
		at, err := c.when(end.flag, end.text)
		if err != nil {
			return err
		}
		if !at.IsZero() {
			asked.Set(end.name, at.Format(time.RFC3339Nano))
		}
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		found, err := listOf[admin.Request](ctx, api, "/requests?"+asked.Encode(), *limit)
		if err != nil {
			return err
		}
		if c.json {
			return printJSON(env.Stdout, found)
		}
		table := [][]string{{"WHEN", "REQUEST", "KEY", "USER", "MODEL", "STATUS", "OUTCOME", "ATTEMPTS", "COST USD", "MS"}}
		for i := range found {
			r := &found[i]
			table = append(table, []string{
				r.Time.UTC().Format(time.DateTime), r.ID, r.KeyName, r.User, r.Provider + "/" + r.Model, strconv.Itoa(r.Status), r.Outcome,
				strconv.Itoa(r.Attempts), r.CostUSD, strconv.FormatFloat(r.DurationMS, 'f', 0, 64),
			})
		}
		return printTable(env.Stdout, table)
	})
}

func requestShow(ctx context.Context, env environment, args []string) error {
	c := newWorkspaceCommand(env, requestShowUsage, "requests", storage.DefaultWorkspace, "whose it is")
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		var r admin.RequestShown
		if err := api.call(ctx, http.MethodGet, c.path(words[0]), nil, &r); err != nil {
			return err
		}
		if c.json {
			return printJSON(env.Stdout, []admin.RequestShown{r})
		}
		return c.printRequest(&r)
	})
}

func (c *controlCommand) printRequest(r *admin.RequestShown) error {
	out := c.env.Stdout
	exact := "translated"
	if r.Exact {
		exact = "exact"
	}
	if _, err := fmt.Fprintf(out, "%s  %s  %s asked for %s (%s): %d %s, %s by %s/%s, in %.0f ms, for %s USD\n\n", r.ID, r.Time.UTC().Format(time.DateTime),
		r.KeyName, r.Asked, r.Operation, r.Status, strings.TrimSpace(r.Outcome+" "+r.Fault), exact, r.Provider, r.Model, r.DurationMS, orUnknown(r.TotalUSD)); err != nil {
		return err
	}
	places := [][]string{{"PLACE", "CREDENTIAL", "FATE", "FAULT", "WHY"}}
	for _, p := range r.Candidates {
		places = append(places, []string{p.Provider + "/" + p.Model, p.Credential, string(p.Fate), p.Fault, p.Fate.Says()})
	}
	tries := [][]string{{"ATTEMPT", "PLACE", "STATUS", "OUTCOME", "INPUT", "OUTPUT", "COST USD", "PRICE", "MS"}}
	holds := [][]string{{"ATTEMPT", "LIMIT OR BUDGET", "UNIT", "OF", "HELD", "SPENT"}}
	for i := range r.Tries {
		a := &r.Tries[i]
		n := strconv.Itoa(a.Attempt)
		tries = append(tries, []string{
			n, a.Provider + "/" + a.Model, strconv.Itoa(a.Status), a.Outcome, strconv.FormatInt(a.InputTokens, 10), strconv.FormatInt(a.OutputTokens, 10),
			orUnknown(a.CostUSD), strings.TrimSpace(a.PriceID + " " + a.Unpriced), strconv.FormatFloat(a.DurationMS, 'f', 0, 64),
		})
		for _, h := range a.Holds {
			holds = append(holds, []string{n, h.Counter, string(h.Unit), strconv.FormatInt(h.Limit, 10), strconv.FormatInt(h.Held, 10), strconv.FormatInt(h.Spent, 10)})
		}
	}
	for i, table := range [][][]string{places, tries, holds} {
		if i > 0 && len(table) > 1 {
			if _, err := fmt.Fprintln(out); err != nil {
				return err
			}
		}
		if len(table) > 1 {
			if err := printTable(out, table); err != nil {
				return err
			}
		}
	}
	return nil
}

func orUnknown(usd string) string {
	if usd == "" {
		return "unknown"
	}
	return usd
}
