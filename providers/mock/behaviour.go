package mock

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

// Behaviour is what the header x-mock asks for; see the package comment for the words. The
// zero value is a plain answer. A nil pointer is a setting that was not made.
type Behaviour struct {
	Status      int
	RetryAfter  time.Duration
	Quota       bool
	Delay       time.Duration
	SlowHeaders time.Duration
	Pause       time.Duration
	Chunk       time.Duration
	Hang        bool
	Cut         *int64 // content events
	Stall       *int64 // content events
	Error       *int64 // content events
	Events      int64
	Tools       []string
	Steps       int64
	Thinking    int64 // blocks
	Redacted    bool
	JSON        string
	Refuse      bool
	Finish      string
	Input       *int64 // tokens
	Output      *int64
	Cached      *int64
	Reasoning   *int64
}

const (
	maxEvents = 100_000
	maxWait   = time.Hour
)

// ParseBehaviour reads a header's value. Its error is fit for the client.
func ParseBehaviour(header string) (Behaviour, error) {
	var b Behaviour
	for setting := range strings.SplitSeq(header, ";") {
		setting = strings.TrimSpace(setting)
		if setting == "" {
			continue
		}
		name, value, said := strings.Cut(setting, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !said {
			value = "1"
		}
		if err := b.set(name, value, said); err != nil {
			return Behaviour{}, fmt.Errorf("x-mock: %s: %w", name, err)
		}
	}
	return b, nil
}

func (b *Behaviour) set(name, value string, said bool) (err error) {
	switch name {
	case "status":
		b.Status, err = parseStatus(value)
	case "retry-after":
		b.RetryAfter, err = parseWait(value)
	case "delay":
		b.Delay, err = parseWait(value)
	case "pause":
		b.Pause, err = parseWait(value)
	case "chunk":
		b.Chunk, err = parseWait(value)
	case "slow-headers":
		if !said {
			value = "50ms"
		}
		b.SlowHeaders, err = parseWait(value)
	case "tool":
		b.Tools, err = parseTools(value)
	case "json":
		if b.JSON = value; !gjson.Valid(value) {
			err = fmt.Errorf("%q is not JSON", value)
		}
	case "finish":
		b.Finish, err = parseFinish(value)
	case "quota":
		b.Quota, err = parseFlag(value)
	case "hang":
		b.Hang, err = parseFlag(value)
	case "redacted":
		b.Redacted, err = parseFlag(value)
	case "refuse":
		b.Refuse, err = parseFlag(value)
	default:
		err = b.setCount(name, value)
	}
	return err
}

func (b *Behaviour) setCount(name, value string) (err error) {
	switch name {
	case "cut":
		b.Cut, err = parseCount(value)
	case "stall":
		b.Stall, err = parseCount(value)
	case "error":
		b.Error, err = parseCount(value)
	case "input":
		b.Input, err = parseCount(value)
	case "output":
		b.Output, err = parseCount(value)
	case "cached":
		b.Cached, err = parseCount(value)
	case "reasoning":
		b.Reasoning, err = parseCount(value)
	case "events":
		b.Events, err = parseNumber(value, maxEvents)
	case "steps":
		b.Steps, err = parseNumber(value, 100)
	case "thinking":
		b.Thinking, err = parseNumber(value, 100)
	default:
		err = fmt.Errorf("no such setting")
	}
	return err
}

func parseNumber(value string, most int64) (int64, error) {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 || n > most {
		return 0, fmt.Errorf("%q is not a whole number from 0 to %d", value, most)
	}
	return n, nil
}

func parseCount(value string) (*int64, error) {
	n, err := parseNumber(value, 1<<40)
	if err != nil {
		return nil, err
	}
	return &n, nil
}

func parseStatus(value string) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 400 || n > 599 {
		return 0, fmt.Errorf("%q is not a status from 400 to 599", value)
	}
	return n, nil
}

// parseWait takes a duration, or seconds as retry-after counts them.
func parseWait(value string) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err != nil {
		d, err = time.ParseDuration(value + "s")
	}
	if err != nil || d < 0 || d > maxWait {
		return 0, fmt.Errorf("%q is not a duration from 0 to %s", value, maxWait)
	}
	return d, nil
}

func parseFlag(value string) (bool, error) {
	switch value {
	case "1", "true":
		return true, nil
	case "0", "false":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither 0 nor 1", value)
}

func parseTools(value string) ([]string, error) {
	var names []string
	for name := range strings.SplitSeq(value, ",") {
		if name = strings.TrimSpace(name); !isName(name) {
			return nil, fmt.Errorf("%q is not the name of a tool", name)
		}
		names = append(names, name)
	}
	return names, nil
}

func parseFinish(value string) (string, error) {
	if !isName(value) {
		return "", fmt.Errorf("%q is not a finish reason", value)
	}
	return value, nil
}

// isName reports whether s is a name that all three providers take for a tool.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return s != "" && len(s) <= 64
}
