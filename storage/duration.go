package storage

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

var errDuration = errors.New("not a duration")

// ParseDuration reads what time.ParseDuration reads, and days of 24 hours before it: 90d, 1d12h.
func ParseDuration(text string) (time.Duration, error) {
	days, rest, ok := strings.Cut(text, "d")
	if !ok {
		return time.ParseDuration(text)
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(days, "-"), 10, 16)
	whole := time.Duration(n) * 24 * time.Hour
	if err != nil || n > math.MaxInt64/uint64(24*time.Hour) {
		return 0, errDuration
	}
	var part time.Duration
	if rest != "" {
		if part, err = time.ParseDuration(rest); err != nil || part < 0 || part >= 24*time.Hour {
			return 0, errDuration
		}
	}
	whole += part
	if strings.HasPrefix(days, "-") {
		whole = -whole
	}
	return whole, nil
}
