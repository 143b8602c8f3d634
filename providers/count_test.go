package providers

import (
	"strconv"
	"testing"
)

func TestAppendCount(t *testing.T) {
	for _, c := range []struct {
		frame, cached string
		input, read   int64
		ok            bool
	}{
		{`{"total":7}`, "", 7, 0, true},
		{`{"total":7,"read":2}`, "read", 7, 2, true},
		{`{"total":7,"read":2}`, "", 7, 0, true},
		{`{"total":"7"}`, "", 0, 0, false},
		{`{"other":7}`, "", 0, 0, false},
		{`{"total":7`, "", 0, 0, false},
		{``, "", 0, 0, false},
	} {
		events, ok := AppendCount(nil, []byte(c.frame), "total", c.cached)
		if ok != c.ok || ok != (len(events) == 2) {
			t.Errorf("%s: %d events, %t", c.frame, len(events), ok)
			continue
		}
		said := CountWriter{Say: func(dst []byte, n Normal) []byte {
			return strconv.AppendInt(append(strconv.AppendInt(dst, n.Input(), 10), ' '), n.CacheRead, 10)
		}}
		var text []byte
		for i := range events {
			text = said.Write(text, &events[i])
		}
		if want := strconv.FormatInt(c.input, 10) + " " + strconv.FormatInt(c.read, 10); ok && string(text) != want {
			t.Errorf("%s: %q, want %q", c.frame, text, want)
		}
	}
}
