package proxy

import (
	"bytes"
	"errors"
	"io"
	"net/http/httputil"
	"strings"
	"testing"
)

// unframed gives the body that is in what came on the wire, in pieces of the given size.
func unframed(length int, wire string, piece int) (body string, done bool, err error) {
	f := newFraming(length)
	for wire != "" && err == nil && !f.done() {
		b := []byte(wire[:f.room(min(piece, len(wire)))])
		wire = wire[len(b):]
		var n int
		n, err = f.take(b)
		body += string(b[:n])
	}
	return body, f.done(), err
}

func TestFraming(t *testing.T) {
	f := func(length int, wire, want string, wantDone bool, wantErr error) {
		t.Helper()
		for piece := 1; piece <= len(wire)+1; piece++ {
			body, done, err := unframed(length, wire, piece)
			if piece <= len(wire) && errors.Is(wantErr, errSurplus) { // what comes later is not looked at
				err = errors.Join(err, wantErr)
			}
			if body != want || done != wantDone || !errors.Is(err, wantErr) {
				t.Fatalf("%q in pieces of %d: %q, done %t, %v; want %q, %t, %v", wire, piece, body, done, err, want, wantDone, wantErr)
			}
		}
	}
	const chunks, unknown = -1, -2
	f(0, "", "", true, nil)
	f(5, "hello", "hello", true, nil)
	f(9, "hello", "hello", false, nil)
	f(5, "hello there", "hello", true, nil)
	f(unknown, "hello", "hello", false, nil)
	f(chunks, "5\r\nhello\r\n", "hello", false, nil)
	f(chunks, "0\r\n\r\n", "", true, nil)
	f(chunks, "5\r\nhello\r\n0\r\n\r\n", "hello", true, nil)
	f(chunks, "005\r\nhello\r\nb; name=\"value\"\r\n to the end\r\n0 \t\r\n\r\n", "hello to the end", true, nil)
	f(chunks, "1A\r\n"+strings.Repeat("x", 26)+"\r\n0\r\nx-digest: abc\r\nx-more: d\r\n\r\n", strings.Repeat("x", 26), true, nil)
	f(chunks, "5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK", "hello", true, errSurplus)

	f(chunks, "\r\n", "", false, errFraming)
	f(chunks, "g\r\n", "", false, errFraming)
	f(chunks, "-5\r\nhello", "", false, errFraming)
	f(chunks, "5\nhello", "", false, errFraming)
	f(chunks, "5 ;x\nhello", "", false, errFraming)
	f(chunks, "5\r\nhelloworld", "hello", false, errFraming)
	f(chunks, "5\r\nhello\n5\r\nworld", "hello", false, errFraming)
	f(chunks, "0\r\n\n", "", false, errFraming)
	f(chunks, "0\r\n\rx", "", false, errFraming)
	f(chunks, "ffffffffffffffff\r\n", "", false, errFraming)
}

// Nobody makes the gateway read lines without an end.
func TestFraming_LinesAreBounded(t *testing.T) {
	endless := strings.Repeat("x", 2*maxAnswerHead)
	for _, wire := range []string{"5;" + endless, "5" + strings.Repeat(" ", len(endless)), "0\r\n" + endless, "0\r\n" + strings.Repeat("a: b\r\n", maxAnswerHead), strings.Repeat("0", len(endless))} {
		if _, _, err := unframed(-1, wire, 4096); !errors.Is(err, errFraming) {
			t.Errorf("%.10q… is read to its end: %v", wire, err)
		}
	}
}

// However it is cut, it reads the same, and what the standard library takes it takes alike.
func FuzzFraming(f *testing.F) {
	f.Add("5\r\nhello\r\n0\r\n\r\n", 3)
	f.Add("5;a=b\r\nhello\r\n0\r\nx: y\r\n\r\n", 1)
	f.Add("a \r\nhello worl\r\n00\r\n\r\n", 7)
	f.Fuzz(func(t *testing.T, wire string, piece int) {
		body, done, err := unframed(-1, wire, len(wire)+1)
		cut, cutDone, cutErr := unframed(-1, wire, 1+max(piece, 0)%4096)
		if body != cut || done != cutDone || errors.Is(err, errFraming) != errors.Is(cutErr, errFraming) {
			t.Errorf("whole %q, %t, %v; in pieces %q, %t, %v", body, done, err, cut, cutDone, cutErr)
		}
		if !done {
			return
		}
		want, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader([]byte(wire))))
		if err == nil && string(want) != body {
			t.Errorf("body %q, want %q", body, want)
		}
	})
}
