package telemetry

import (
	"encoding/hex"
	"log/slog"
	"net/netip"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// What others wrote is cut, so that no line grows without end.
const (
	maxName  = 256 // bytes of a name
	maxError = 2 << 10
	maxUsage = 8 << 10
)

// levelOf is error where the fault is ours, warn where it is an upstream's.
func levelOf(r *storage.Record) slog.Level {
	switch r.Outcome {
	case storage.OutcomePanic:
		return slog.LevelError
	case storage.OutcomeUpstreamError, storage.OutcomeBrokenStream, storage.OutcomeTimeout:
		return slog.LevelWarn
	case storage.OutcomeOK, storage.OutcomeRefused, storage.OutcomeClientGone, storage.OutcomeHedged, storage.OutcomeLost, storage.OutcomeCached, storage.OutcomeDryRun:
	}
	if r.Status >= 500 {
		return slog.LevelError
	}
	return slog.LevelInfo
}

// line is a JSON object under way. Members whose value is empty are left out, but for those
// that every line has.
type line []byte

// appendLine appends the record as slog's JSON handler would write it, with its line end.
func appendLine(dst []byte, level slog.Level, r *storage.Record) []byte {
	l := line(append(dst, `{"time":"`...))
	l = r.Time.UTC().AppendFormat(l, time.RFC3339Nano)
	l = append(append(l, `","level":"`...), level.String()...)
	l = append(l, `","msg":"request"`...)
	l = l.caller(r).target(r).result(r)
	l = l.attempts(r.Attempts)
	l = l.usage(&r.Usage)
	l = r.AppendCost(append(l, `,"cost_usd":`...))
	l = l.number("bytes_in", r.BytesIn)
	l = l.number("bytes_out", r.BytesOut)
	l = l.number("content_bytes", r.ContentBytes)
	if r.FirstByte > 0 {
		l = l.millis("first_byte_ms", r.FirstByte)
	}
	l = append(l, `,"overhead_us":`...)
	l = strconv.AppendInt(l, r.Overhead.Microseconds(), 10)
	l = l.millis("duration_ms", r.Duration)
	return append(l, '}', '\n')
}

// caller is who asked.
func (l line) caller(r *storage.Record) line {
	l = l.text("node", r.Node)
	l = l.text("request_id", r.ID)
	l = l.text("client_request_id", r.ClientRequestID)
	l = l.trace(&r.Trace)
	l = l.address("client", r.Client)
	l = l.text("session", r.Session)
	l = l.text("key_id", r.KeyID)
	l = l.text("key", r.KeyName)
	l = l.text("user", r.User)
	l = l.text("project", r.Project)
	l = l.text("workspace", r.Workspace)
	return l.list("tags", r.Tags)
}

// trace is the request's place in a trace, where it has one.
func (l line) trace(t *storage.Trace) line {
	if !t.On() {
		return l
	}
	l = append(hex.AppendEncode(append(l, `,"trace_id":"`...), t.ID[:]), '"')
	l = append(hex.AppendEncode(append(l, `,"span_id":"`...), t.Span[:]), '"')
	return l.truth("sampled", t.Sampled)
}

// target is what was asked, and of whom.
func (l line) target(r *storage.Record) line {
	l = append(append(append(l, `,"op":"`...), r.Op.String()...), '"')
	l = l.truth("stream", r.Stream)
	l = l.truth("exact", r.Exact)
	l = l.text("provider", r.Provider)
	l = l.text("credential", r.Credential)
	l = l.text("model", r.Model)
	l = l.text("asked", r.Asked)
	l = l.text("served", r.Served)
	l = l.text("prompt", r.Prompt)
	l = l.text("tier", r.Tier)
	return l.list("dropped", r.Dropped)
}

// result is how it ended.
func (l line) result(r *storage.Record) line {
	l = append(l, `,"status":`...)
	l = strconv.AppendInt(l, int64(r.Status), 10)
	l = l.text("outcome", string(r.Outcome))
	l = l.long("error", r.Err)
	l = l.text("fault", r.Fault)
	return l.text("finish", r.Finish)
}

func (l line) attempts(attempts []storage.Attempt) line {
	l = append(l, `,"attempts":[`...)
	for i := range attempts {
		a := &attempts[i]
		if i > 0 {
			l = append(l, ',')
		}
		l = append(l, `{"status":`...)
		l = strconv.AppendInt(l, int64(a.Status), 10)
		l = l.text("provider", a.Provider)
		l = l.text("model", a.Model)
		l = l.text("credential", a.Credential)
		l = l.text("outcome", string(a.Outcome))
		l = l.long("error", a.Err)
		l = l.text("upstream_id", a.UpstreamID)
		l = l.truth("reused", a.Reused)
		l = append(l.millis("duration_ms", a.Duration), '}')
	}
	return append(l, ']')
}

func (l line) usage(u *providers.Usage) line {
	if len(u.Lines) == 0 {
		return l
	}
	l = append(l, `,"usage":[`...)
	for i := range u.Lines {
		if i > 0 {
			l = append(l, ',')
		}
		n := u.Lines[i].Normal()
		l = append(l, `{"input_uncached":`...)
		l = strconv.AppendInt(l, n.InputUncached, 10)
		l = append(l, `,"output":`...)
		l = strconv.AppendInt(l, n.Output, 10)
		l = l.number("cache_read", n.CacheRead)
		l = l.number("cache_write_5m", n.CacheWrite5m)
		l = l.number("cache_write_1h", n.CacheWrite1h)
		l = l.number("reasoning", n.Reasoning)
		l = l.number("audio_in", n.AudioIn)
		l = l.number("audio_out", n.AudioOut)
		l = l.number("image_in", n.ImageIn)
		l = l.number("image_out", n.ImageOut)
		l = l.number("images", n.Images)
		l = l.number("searches", n.Searches)
		l = l.number("characters", n.Characters)
		l = l.number("audio_in_ms", n.AudioInMs)
		l = l.number("audio_out_ms", n.AudioOutMs)
		l = l.text("model", n.Model)
		l = l.text("tier", n.Tier)
		l = append(l.text("variant", n.Variant), '}')
	}
	l = append(l, ']')
	if u.Estimated {
		l = append(l, `,"usage_estimated":true`...)
	}
	return l.raw("usage_raw", u.Raw)
}

// raw takes the provider's bytes as they are, but that a line end between two tokens becomes a
// space: a log line is one line.
func (l line) raw(name string, value []byte) line {
	if len(value) == 0 || len(value) > maxUsage || !gjson.ValidBytes(value) || !utf8.Valid(value) {
		return l
	}
	l = l.name(name)
	from := len(l)
	l = append(l, value...)
	for i := from; i < len(l); i++ {
		if l[i] == '\n' || l[i] == '\r' {
			l[i] = ' '
		}
	}
	return l
}

func (l line) name(name string) line {
	return append(append(append(l, ',', '"'), name...), '"', ':')
}

func (l line) text(name, value string) line { return l.cut(name, value, maxName) }

func (l line) address(name string, value netip.Addr) line {
	if !value.IsValid() {
		return l
	}
	return append(value.AppendTo(append(l.name(name), '"')), '"')
}

func (l line) long(name, value string) line { return l.cut(name, value, maxError) }

func (l line) cut(name, value string, most int) line {
	if value == "" {
		return l
	}
	return providers.AppendString(l.name(name), head(value, most))
}

// head cuts at most the given bytes, between characters.
func head(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

func (l line) list(name string, values []string) line {
	if len(values) == 0 {
		return l
	}
	l = append(l.name(name), '[')
	for i, v := range values {
		if i > 0 {
			l = append(l, ',')
		}
		l = providers.AppendString(l, head(v, maxName))
	}
	return append(l, ']')
}

func (l line) truth(name string, value bool) line {
	return strconv.AppendBool(l.name(name), value)
}

func (l line) number(name string, value int64) line {
	if value == 0 {
		return l
	}
	return strconv.AppendInt(l.name(name), value, 10)
}

// millis prints milliseconds with three decimals.
func (l line) millis(name string, d time.Duration) line {
	l = l.name(name)
	micros := max(0, d.Microseconds())
	l = strconv.AppendInt(l, micros/1000, 10)
	dot := len(l)
	// The leading 1 keeps the decimals' zeros, and the point takes its place.
	l = strconv.AppendInt(l, 1000+micros%1000, 10)
	l[dot] = '.'
	return l
}
