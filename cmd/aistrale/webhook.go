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
	webhookCreateUsage = `usage: aistrale webhook create NAME [--kind standard|slack|email] [--to a@example.com,…] [--events key.created,…]
       [--from-env VAR] [--workspace W] [--config FILE | --url URL] [--json]
       The address that is called may be a secret: it is read from stdin (a pipe, or a prompt) or from the variable VAR.
       Of kind email there is none, but --to. Without --events it is told of all. --workspace '*' hears of every workspace.`
	webhookListUsage       = "usage: aistrale webhook list [--workspace W] [--config FILE | --url URL] [--json]"
	webhookShowUsage       = "usage: aistrale webhook show ID [--workspace W] [--config FILE | --url URL] [--json]"
	webhookRotateUsage     = "usage: aistrale webhook rotate ID [--overlap 24h] [--workspace W] [--config FILE | --url URL] [--json]"
	webhookTestUsage       = "usage: aistrale webhook test ID [--workspace W] [--config FILE | --url URL] [--json]"
	webhookDeliveriesUsage = "usage: aistrale webhook deliveries ID [--state pending|delivered|failed] [--limit N] [--workspace W] [--config FILE | --url URL] [--json]"
	webhookResendUsage     = "usage: aistrale webhook resend ID DELIVERY [--workspace W] [--config FILE | --url URL] [--json]"
	webhookRemoveUsage     = "usage: aistrale webhook remove ID [--workspace W] [--config FILE | --url URL] [--json]"
)

// webhookCommands manage who is told of what happens.
func webhookCommands() []command {
	return []command{
		{name: "create", summary: "have somebody told of events", run: webhookCreate},
		{name: "list", summary: "list webhooks", run: webhookList},
		{name: "show", summary: "show a webhook", run: webhookShow},
		{name: "rotate", summary: "give a webhook a new secret", run: webhookRotate},
		{name: "test", summary: "send a webhook a test", run: webhookTest},
		{name: "deliveries", summary: "list what was sent to a webhook, the newest first", run: webhookDeliveries},
		{name: "resend", summary: "send a delivery again", run: webhookResend},
		{name: "remove", summary: "remove a webhook", run: webhookRemove},
	}
}

// webhookCommand is a command about webhooks of a workspace.
type webhookCommand struct{ *workspaceCommand }

func newWebhookCommand(env environment, usage string) *webhookCommand {
	return &webhookCommand{newWorkspaceCommand(env, usage, "webhooks", storage.DefaultWorkspace, "whose webhooks; * are those that hear of every workspace")}
}

func webhookCreate(ctx context.Context, env environment, args []string) error {
	c := newWebhookCommand(env, webhookCreateUsage)
	kind := c.flags.String("kind", "standard", "standard, slack or email")
	to := c.flags.String("to", "", "addresses, of kind email")
	events := c.flags.String("events", "", "what it is told of")
	fromEnv := c.flags.String("from-env", "", "the environment variable that holds the address")
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	body := map[string]any{"name": words[0], "kind": *kind}
	if *events != "" {
		body["events"] = split(*events)
	}
	if *to != "" {
		body["to"] = split(*to)
	} else {
		address, err := env.secret(ctx, *fromEnv, "URL of "+words[0]+": ")
		if err != nil {
			return err
		}
		body["url"] = address.Reveal()
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		var made admin.Webhook
		if err := api.call(ctx, http.MethodPost, c.path(), body, &made); err != nil {
			return err
		}
		return c.printMade(made, "Webhook "+made.Name+" is made: "+made.ID+".")
	})
}

// printMade prints the bare secret to stdout, for scripts, and all else to stderr.
func (c *webhookCommand) printMade(made admin.Webhook, sentence string) error {
	if c.json {
		return c.printWebhooks([]admin.Webhook{made})
	}
	if made.Secret != "" {
		sentence += " Its secret is shown once and cannot be shown again:"
	}
	if _, err := fmt.Fprintln(c.env.Stderr, sentence); err != nil || made.Secret == "" {
		return err
	}
	_, err := fmt.Fprintln(c.env.Stdout, made.Secret)
	return err
}

func webhookList(ctx context.Context, env environment, args []string) error {
	c := newWebhookCommand(env, webhookListUsage)
	if _, err := c.parse(args, 0); err != nil {
		return err
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		all, err := listOf[admin.Webhook](ctx, api, c.path(), 0)
		if err != nil {
			return err
		}
		return c.printWebhooks(all)
	})
}

func webhookShow(ctx context.Context, env environment, args []string) error {
	c := newWebhookCommand(env, webhookShowUsage)
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		var found admin.Webhook
		if err := api.call(ctx, http.MethodGet, c.path(words...), nil, &found); err != nil {
			return err
		}
		return c.printWebhooks([]admin.Webhook{found})
	})
}

// webhookRow is a webhook as --json prints one: flat.
type webhookRow struct {
	admin.Webhook `json:",inline"`
	Events        string `json:"events"` // "key.created,key.revoked"
}

func (c *webhookCommand) printWebhooks(all []admin.Webhook) error {
	rows := make([]webhookRow, 0, len(all))
	table := [][]string{{"ID", "NAME", "KIND", "TARGET", "EVENTS", "STATE", "REASON", "CREATED"}}
	for _, w := range all {
		names := make([]string, len(w.Events))
		for i, e := range w.Events {
			names[i] = string(e)
		}
		events := strings.Join(names, ",")
		w.Events = nil
		rows = append(rows, webhookRow{w, events})
		if events == "" {
			events = "all"
		}
		table = append(table, []string{w.ID, w.Name, w.Kind, w.Target, events, w.State, w.Reason, day(&w.CreatedAt)})
	}
	return c.print(rows, table, "")
}

func webhookRotate(ctx context.Context, env environment, args []string) error {
	c := newWebhookCommand(env, webhookRotateUsage)
	overlap := newDurationFlag(c.flags, "overlap", 24*time.Hour, "how long the secret of before signs too")
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		var made admin.Webhook
		if err := api.call(ctx, http.MethodPost, c.path(words[0], "rotate"), map[string]any{"overlap_seconds": int64(overlap.Seconds())}, &made); err != nil {
			return err
		}
		return c.printMade(made, "Webhook "+made.Name+" has a new secret.")
	})
}

func webhookTest(ctx context.Context, env environment, args []string) error {
	c := newWebhookCommand(env, webhookTestUsage)
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		var made admin.Delivery
		if err := api.call(ctx, http.MethodPost, c.path(words[0], "test"), nil, &made); err != nil {
			return err
		}
		return c.printDeliveries([]admin.Delivery{made})
	})
}

func webhookDeliveries(ctx context.Context, env environment, args []string) error {
	c := newWebhookCommand(env, webhookDeliveriesUsage)
	state := c.flags.String("state", "", "pending, delivered or failed")
	limit := c.flags.Int("limit", 50, "how many")
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		path := c.path(words[0], "deliveries")
		if *state != "" {
			path += "&state=" + url.QueryEscape(*state)
		}
		all, err := listOf[admin.Delivery](ctx, api, path, *limit)
		if err != nil {
			return err
		}
		return c.printDeliveries(all)
	})
}

// deliveryRow is a delivery as --json prints one: flat.
type deliveryRow struct {
	ID       string              `json:"id"`
	Webhook  string              `json:"webhook"`
	Event    string              `json:"event"`
	Type     admin.EventType     `json:"type"`
	State    admin.DeliveryState `json:"state"`
	Payload  string              `json:"payload"`
	Attempts int                 `json:"attempts"`
	Status   int                 `json:"last_status"`
	Error    string              `json:"last_error"`
	Created  string              `json:"created_at"`
	Next     string              `json:"next_at"`
}

func (c *webhookCommand) printDeliveries(all []admin.Delivery) error {
	rows := make([]deliveryRow, 0, len(all))
	table := [][]string{{"ID", "CREATED", "TYPE", "STATE", "ATTEMPTS", "LAST STATUS", "LAST ERROR", "NEXT"}}
	for _, d := range all {
		row := deliveryRow{
			ID: d.ID, Webhook: d.Webhook, Event: d.Event, Type: d.Type, State: d.State, Payload: string(d.Payload),
			Attempts: len(d.Attempts), Created: day(&d.CreatedAt), Next: day(d.NextAt),
		}
		status := ""
		if n := len(d.Attempts); n > 0 {
			row.Status, row.Error = d.Attempts[n-1].Status, d.Attempts[n-1].Error
		}
		if row.Status > 0 {
			status = strconv.Itoa(row.Status)
		}
		rows = append(rows, row)
		table = append(table, []string{row.ID, row.Created, string(row.Type), string(row.State), strconv.Itoa(row.Attempts), status, row.Error, row.Next})
	}
	return c.print(rows, table, "")
}

func webhookResend(ctx context.Context, env environment, args []string) error {
	c := newWebhookCommand(env, webhookResendUsage)
	words, err := c.parse(args, 2)
	if err != nil {
		return err
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		var again admin.Delivery
		if err := api.call(ctx, http.MethodPost, c.path(words[0], "deliveries", words[1], "resend"), nil, &again); err != nil {
			return err
		}
		return c.printDeliveries([]admin.Delivery{again})
	})
}

func webhookRemove(ctx context.Context, env environment, args []string) error {
	c := newWebhookCommand(env, webhookRemoveUsage)
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		if err := api.call(ctx, http.MethodDelete, c.path(words[0]), nil, nil); err != nil {
			return err
		}
		return c.printDone(words[0], "Webhook "+words[0]+" is removed.")
	})
}
