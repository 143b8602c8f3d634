package proxy

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/providers"
)

// requestHead is what the heads of all requests to one provider have alike.
type requestHead struct {
	base string // the base URL's path
	tail string // of the request line, and the lines that are always there
}

func newRequestHead(base, host, agent string) requestHead {
	tail := " HTTP/1.1\r\nHost: " + host + "\r\n"
	if agent != "" {
		tail += string(appendLine([]byte("User-Agent: "), agent)) + "\r\n"
	}
	return requestHead{base: strings.TrimRight(base, "/"), tail: tail}
}

// append says the head of a request with a body of so many bytes, or one in chunks where they are
// not known (-1). A header's name is what the gateway or its operator calls it; a value may be
// anybody's, and never becomes two lines.
func (h *requestHead) append(dst []byte, out *providers.UpstreamRequest, size int64) []byte {
	method := cmp.Or(out.Method, fasthttp.MethodPost)
	dst = append(append(dst, method...), ' ')
	dst = appendLine(dst, providers.Under(h.base, out.Path))
	dst = append(dst, h.tail...)
	for i := range out.Headers {
		dst = append(append(dst, out.Headers[i].Name...), ": "...)
		dst = append(appendLine(dst, out.Headers[i].Value), "\r\n"...)
	}
	switch {
	case size < 0:
		dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
	case size > 0 || method != fasthttp.MethodGet && method != fasthttp.MethodHead:
		dst = append(strconv.AppendInt(append(dst, "Content-Length: "...), size, 10), "\r\n"...)
	}
	return append(dst, "\r\n"...)
}

// appendLine adds a text, with blanks in the place of what would end a line.
func appendLine(dst []byte, text string) []byte {
	from := len(dst)
	dst = append(dst, text...)
	if strings.IndexByte(text, '\n') < 0 && strings.IndexByte(text, '\r') < 0 && strings.IndexByte(text, 0) < 0 {
		return dst
	}
	for i, c := range dst[from:] {
		if c == '\n' || c == '\r' || c == 0 {
			dst[from+i] = ' '
		}
	}
	return dst
}
