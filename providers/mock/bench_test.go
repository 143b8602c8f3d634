package mock

import (
	"net"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

// plain gives a request as a gateway sends it, of about the given size.
func plain(size int) *fasthttp.Request {
	req := new(fasthttp.Request)
	req.Header.SetMethod("POST")
	req.SetRequestURI("http://mock" + chatPath)
	req.Header.SetContentType("application/json")
	req.Header.Set("Authorization", "Bearer key")
	req.Header.Set("User-Agent", "bench")
	text := strings.Repeat("Some words to fill the prompt with. ", size/36+1)
	req.SetBodyString(`{"model":"gpt","temperature":0.5,"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"` + text + `"}]}`)
	return req
}

func benchmarkHandler(b *testing.B, size int) {
	s := New(Options{})
	var ctx fasthttp.RequestCtx
	req := plain(size)
	b.SetBytes(int64(len(req.Body())))
	b.ReportAllocs()
	for b.Loop() {
		ctx.Init(req, &net.TCPAddr{}, silence{})
		req.CopyTo(&ctx.Request)
		ctx.Response.Reset()
		s.Handler(&ctx)
	}
	if ctx.Response.StatusCode() != 200 {
		b.Fatalf("%d %s", ctx.Response.StatusCode(), ctx.Response.Body())
	}
}

func BenchmarkHandler_Small(b *testing.B)  { benchmarkHandler(b, 200) }
func BenchmarkHandler_Medium(b *testing.B) { benchmarkHandler(b, 8200) }
func BenchmarkHandler_Large(b *testing.B)  { benchmarkHandler(b, 400_000) }

func BenchmarkFilm(b *testing.B) {
	a := newAsk([]byte(chatBody), "gpt")
	var f film
	b.ReportAllocs()
	for b.Loop() {
		f.reset()
		filmChat(&f, a, compose(a, &Behaviour{Events: 100}))
	}
}
