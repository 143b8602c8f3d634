package providertest

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// Ending says where the gateway ends a stream.
type Ending struct {
	Exact bool // the client gets the upstream's events as they come
	After int  // events of the upstream's
}

// CutFrom gives what a client reads of a stream that the gateway ends early, at a usage of 11
// tokens in and 7 out.
func CutFrom(face providers.Face, dialect providers.Dialect, call *providers.Call, body io.Reader, end Ending) ([]byte, error) {
	var out []byte
	var events []providers.Event
	writer, decoder, seen := face.Writer(call), dialect.ReadReply(call), 0
	err := Frames(true, body, func(raw, data []byte) {
		if data == nil || seen == end.After {
			return
		}
		seen++
		if end.Exact {
			out = append(out, raw...)
			writer.Passed(data)
			return
		}
		events = decoder.Decode(events[:0], data)
		for i := range events {
			out = writer.Write(out, &events[i])
		}
	})
	line := providers.UsageLine{}
	line.Set(providers.InputTotal, 11)
	line.Set(providers.OutputTotal, 7)
	usage := providers.Usage{Lines: []providers.UsageLine{line}, Estimated: true}
	return writer.Write(out, &providers.Event{Kind: providers.EventCut, Usage: &usage}), err
}

// Cuts ends the stream of every golden case behind each of its events, and holds what the
// client reads to what a stream is: one finish for each choice that began, then the end mark.
func Cuts(t *testing.T, face providers.Face, dialect providers.Dialect, exact bool) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*", "upstream_response.sse"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no streams under testdata: %v", err)
	}
	for _, file := range files {
		c := &golden{t: t, dir: filepath.Dir(file), face: face, dialect: dialect}
		c.load()
		body, _ := c.read("upstream_response.sse")
		events := 0
		if err := Frames(true, bytes.NewReader(body), func(_, data []byte) { events += min(1, len(data)) }); err != nil {
			continue // garbled on purpose
		}
		for after := 1; after < events; after++ {
			out, err := CutFrom(face, dialect, &c.call, bytes.NewReader(body), Ending{Exact: exact, After: after})
			if err != nil {
				t.Errorf("%s: %v", file, err)
			}
			if wrong := illFormed(out); wrong != "" {
				t.Errorf("%s cut behind event %d: %s\n%s", file, after, wrong, out)
			}
		}
	}
}

// illFormed says what is wrong with a stream of OpenAI's chunks; "" is nothing. One that an
// error has ended needs no finish and no end mark.
func illFormed(stream []byte) string {
	begun, finished, done := map[int64]bool{}, map[int64]int{}, false
	fault, wrong := false, ""
	err := Frames(true, bytes.NewReader(stream), func(_, data []byte) {
		switch {
		case done:
			wrong = "something behind the end mark"
		case string(data) == "[DONE]":
			done = true
		case data != nil:
			fault = fault || gjson.GetBytes(data, "error").Exists()
			for _, c := range gjson.GetBytes(data, "choices").Array() {
				i := c.Get("index").Int()
				begun[i] = true
				if c.Get("finish_reason").Str != "" {
					finished[i]++
				}
			}
		}
	})
	for i := range begun {
		if finished[i] != 1 && !fault {
			wrong = fmt.Sprintf("choice %d has %d finishes", i, finished[i])
		}
	}
	switch {
	case err != nil:
		return err.Error()
	case !done && !fault:
		return "no end mark"
	}
	return wrong
}
