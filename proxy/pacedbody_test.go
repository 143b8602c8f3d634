package proxy

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestWriteSource(t *testing.T) {
	const body = "all that was said"
	failure := errors.New("the client has gone")
	for _, c := range []struct {
		name, want string
		body       io.Reader
		size       int64
		err        string
	}{
		{"known", body, strings.NewReader(body), int64(len(body)), ""},
		{"empty", "", strings.NewReader(""), 0, ""},
		{"with its last byte", body, iotest.DataErrReader(strings.NewReader(body)), int64(len(body)), ""},
		{"short", body, strings.NewReader(body), 20, "read the request's body: 17 of 20 bytes: unexpected EOF"},
		{"long", body[:5], strings.NewReader(body), 5, "read the request's body: more than 5 bytes"},
		{"broken", body, io.MultiReader(strings.NewReader(body), iotest.ErrReader(failure)), 20, failure.Error()},
		{"broken at its end", body, io.MultiReader(strings.NewReader(body), iotest.ErrReader(failure)), 17, failure.Error()},
		{"chunks", "11\r\n" + body + "\r\n0\r\n\r\n", strings.NewReader(body), -1, ""},
		{"no chunk", "0\r\n\r\n", strings.NewReader(""), -1, ""},
		{"broken chunks", "11\r\n" + body + "\r\n", io.MultiReader(strings.NewReader(body), iotest.ErrReader(failure)), -1, failure.Error()},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got bytes.Buffer
			bw := bufio.NewWriter(&got)
			err := writeSource(bw, c.body, c.size)
			if flushed := bw.Flush(); flushed != nil && err == nil {
				t.Fatal(flushed)
			}
			if got.String() != c.want {
				t.Errorf("wrote %q, want %q", got.String(), c.want)
			}
			if c.err == "" && err != nil || c.err != "" && (err == nil || err.Error() != c.err) {
				t.Errorf("error %v, want %q", err, c.err)
			}
		})
	}
}

// A chunk leaves when it has come, and not when a buffer is full.
func TestWriteSource_AtOnce(t *testing.T) {
	body, write := io.Pipe()
	read, conn := io.Pipe()
	done := make(chan error, 1)
	go func() {
		bw := bufio.NewWriterSize(conn, 16<<10)
		done <- errors.Join(writeSource(bw, body, -1), bw.Flush(), conn.Close())
	}()
	for _, piece := range []string{"one", "two"} {
		go func() { _, _ = io.WriteString(write, piece) }()
		want := "3\r\n" + piece + "\r\n"
		got := make([]byte, len(want))
		if _, err := io.ReadFull(read, got); err != nil || string(got) != want {
			t.Fatalf("%q, %v; want %q", got, err, want)
		}
	}
	_ = write.Close()
	if rest, err := io.ReadAll(read); err != nil || string(rest) != "0\r\n\r\n" {
		t.Errorf("%q, %v", rest, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
