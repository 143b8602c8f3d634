package admin

import (
	"context"
	"errors"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// Log is what is logged at the moment, beside what each node's configuration says.
type Log struct {
	Level string   `json:"level,omitempty" enum:"debug,info,warn,error" doc:"Of all nodes, in the place of their log_level; none where that holds"`
	Until string   `json:"until,omitempty" format:"date-time" doc:"When log_level holds again"`
	By    string   `json:"by,omitempty" doc:"Who wanted it"`
	Keys  []LogKey `json:"keys" doc:"Keys of whose calls all is logged"`
}

// LogKey is a key of whose calls all is logged.
type LogKey struct {
	Key   string    `json:"key" doc:"Its public id"`
	Until time.Time `json:"until"`
	By    string    `json:"by"`
}

func (a *api) logRules() shelf[storage.LogRule] {
	return shelf[storage.LogRule]{a.Store, storage.LogRuleKind()}
}

func (a *api) getLog(ctx context.Context, _ *struct{}) (*struct{ Body Log }, error) {
	rules, err := a.logRules().list(ctx, storage.DocumentQuery{})
	if err != nil {
		return nil, err
	}
	out := Log{Keys: []LogKey{}}
	for _, r := range rules {
		rule := r.Noun
		switch {
		case !a.Now().Before(rule.Until):
		case rule.Key != "":
			out.Keys = append(out.Keys, LogKey{rule.Key, rule.Until, rule.By})
		default:
			out.Level, out.Until, out.By = rule.Level, rule.Until.UTC().Format(time.RFC3339), rule.By
		}
	}
	return &struct{ Body Log }{out}, nil
}

// LogFor bounds a rule: what is turned on for a look must not stay on.
type LogFor struct {
	Seconds int `json:"seconds,omitempty" minimum:"1" maximum:"86400" default:"600" doc:"For how long"`
}

type logLevelChange struct {
	Body struct {
		Level string `json:"level" enum:"debug,info,warn,error"`
		LogFor
	}
}

func (a *api) setLogLevel(ctx context.Context, in *logLevelChange) (*struct{ Body Log }, error) {
	return a.putLogRule(ctx, storage.LogRule{Level: in.Body.Level}, in.Body.Seconds)
}

func (a *api) resetLogLevel(ctx context.Context, _ *struct{}) (*nothing, error) {
	return nil, a.dropLogRule(ctx, storage.LogRule{})
}

// LogKeyName names a key.
type LogKeyName struct {
	ID string `path:"id" pattern:"^[A-Za-z0-9]{8}$" doc:"The key's public id, of the store or of the configuration"`
}

type logKeyChange struct {
	LogKeyName
	Body LogFor
}

func (a *api) debugKey(ctx context.Context, in *logKeyChange) (*struct{ Body Log }, error) {
	return a.putLogRule(ctx, storage.LogRule{Key: in.ID}, in.Body.Seconds)
}

func (a *api) undebugKey(ctx context.Context, in *LogKeyName) (*nothing, error) {
	return nil, a.dropLogRule(ctx, storage.LogRule{Key: in.ID})
}

// mostDebugged bounds the keys of whose calls all is logged at once.
const mostDebugged = 32

// putLogRule keeps a rule, in the place of one before.
func (a *api) putLogRule(ctx context.Context, rule storage.LogRule, seconds int) (*struct{ Body Log }, error) {
	now := a.Now()
	rule.By, rule.Until = callerOf(ctx).actor(), now.Add(time.Duration(seconds)*time.Second).UTC().Truncate(time.Second)
	c := change{action: policy.LogWrite, target: "log/" + rule.ID(), after: rule}
	err := a.apply(ctx, &c, func(ctx context.Context) error {
		k, err := a.logRules().get(ctx, "", rule.ID())
		old := err == nil
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		k.Noun, k.ExpiresAt = rule, &rule.Until
		if old {
			return a.logRules().change(ctx, &k, now)
		}
		all, err := a.logRules().list(ctx, storage.DocumentQuery{})
		if err != nil {
			return err
		}
		if len(all) > mostDebugged {
			return huma.Error409Conflict("all is logged of as many keys as may be at once")
		}
		k.ID = rule.ID()
		return a.logRules().add(ctx, &k, now)
	})
	if err != nil {
		return nil, err
	}
	return a.getLog(ctx, nil)
}

func (a *api) dropLogRule(ctx context.Context, rule storage.LogRule) error {
	c := change{action: policy.LogWrite, target: "log/" + rule.ID()}
	return a.apply(ctx, &c, func(ctx context.Context) error {
		k, err := a.logRules().get(ctx, "", rule.ID())
		if err != nil {
			return err
		}
		c.before = k.Noun
		return a.logRules().remove(ctx, k)
	})
}
