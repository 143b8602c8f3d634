package main

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/aistrale/aistrale/admin"
)

const (
	logShowUsage  = "usage: aistrale log show [--config FILE | --url URL] [--json]"
	logLevelUsage = `usage: aistrale log level debug|info|warn|error [--for 10m] [--config FILE | --url URL] [--json]
       All running gateways log from this level on, for so long and at most a day; then their
       log_level holds again.`
	logResetUsage = "usage: aistrale log reset [--config FILE | --url URL] [--json]\n       log_level holds again at once."
	logDebugUsage = `usage: aistrale log debug KEY [--for 10m] [--config FILE | --url URL] [--json]
       Running gateways log each step of the key's calls, whatever the level. KEY is its public id, the
       eight characters after sk-ais-. Neither bodies nor secrets are logged.`
	logUndebugUsage = "usage: aistrale log undebug KEY [--config FILE | --url URL] [--json]"
)

// logCommands say what running gateways log.
func logCommands() []command {
	return []command{
		{name: "show", summary: "show what is logged beside the configuration's word", run: logShow},
		{name: "level", summary: "log from another level on, for a time", run: logLevel},
		{name: "reset", summary: "log from the configuration's level on again", run: logReset},
		{name: "debug", summary: "log each step of a key's calls, for a time", run: logDebug},
		{name: "undebug", summary: "log a key's calls like all others again", run: logUndebug},
	}
}

// logFor is how long a rule is wanted unless said otherwise.
const logFor = 10 * time.Minute

func logShow(ctx context.Context, env environment, args []string) error {
	c := newControlCommand(env, logShowUsage)
	if _, err := c.parse(args, 0); err != nil {
		return err
	}
	return c.log(ctx, http.MethodGet, "", nil)
}

func logLevel(ctx context.Context, env environment, args []string) error {
	c := newControlCommand(env, logLevelUsage)
	wanted := newDurationFlag(c.flags, "for", logFor, "how long")
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	return c.log(ctx, http.MethodPut, "", map[string]any{"level": words[0], "seconds": int(wanted.Seconds())})
}

func logReset(ctx context.Context, env environment, args []string) error {
	c := newControlCommand(env, logResetUsage)
	if _, err := c.parse(args, 0); err != nil {
		return err
	}
	return c.log(ctx, http.MethodDelete, "", nil)
}

func logDebug(ctx context.Context, env environment, args []string) error {
	c := newControlCommand(env, logDebugUsage)
	wanted := newDurationFlag(c.flags, "for", logFor, "how long")
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	return c.log(ctx, http.MethodPut, "/keys/"+url.PathEscape(words[0]), map[string]any{"seconds": int(wanted.Seconds())})
}

func logUndebug(ctx context.Context, env environment, args []string) error {
	c := newControlCommand(env, logUndebugUsage)
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	return c.log(ctx, http.MethodDelete, "/keys/"+url.PathEscape(words[0]), nil)
}

// log asks, and prints what is logged from now on.
func (c *controlCommand) log(ctx context.Context, method, path string, body any) error {
	return c.withAPI(ctx, func(api *apiClient) error {
		if method != http.MethodGet {
			if err := api.call(ctx, method, "/log"+path, body, nil); err != nil {
				return err
			}
		}
		var now admin.Log
		if err := api.call(ctx, http.MethodGet, "/log", nil, &now); err != nil {
			return err
		}
		return c.printLog(&now)
	})
}

// logRow is a rule as --json prints one.
type logRow struct {
	What  string `json:"what"` // all, or a key's public id
	Level string `json:"level"`
	Until string `json:"until"`
	By    string `json:"by"`
}

func (c *controlCommand) printLog(now *admin.Log) error {
	rows := []logRow{}
	if now.Level != "" {
		rows = append(rows, logRow{"all", now.Level, now.Until, now.By})
	}
	for _, k := range now.Keys {
		rows = append(rows, logRow{k.Key, "debug", k.Until.UTC().Format(time.RFC3339), k.By})
	}
	if c.json {
		return printJSON(c.env.Stdout, rows)
	}
	table := [][]string{{"WHAT", "LEVEL", "UNTIL", "BY"}}
	for _, r := range rows {
		table = append(table, []string{r.What, r.Level, r.Until, r.By})
	}
	return printTable(c.env.Stdout, table)
}
