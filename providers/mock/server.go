package mock

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/valyala/fasthttp"
)

// Server is one emulator of all providers, with one bill.
type Server struct {
	options Options
	http    *fasthttp.Server
	bill    bill
	calls   calls
	films   sync.Pool // of *film
	shelves shelves

	done chan struct{}
	once sync.Once
}

// New makes a server that does not listen yet.
func New(options Options) *Server {
	options = options.normal()
	s := &Server{
		options: options,
		calls:   calls{ring: make([]slot, options.Calls), body: options.Body},
		done:    make(chan struct{}),
	}
	s.films.New = func() any { return new(film) }
	s.http = &fasthttp.Server{
		Handler:               s.Handler,
		Logger:                silence{},
		MaxRequestBodySize:    64 << 20,
		ReadBufferSize:        16 << 10,
		NoDefaultServerHeader: true,
		CloseOnShutdown:       true,
		// A client's body is never a form here, whatever it says.
		DisablePreParseMultipartForm: true,
	}
	return s
}

// Serve answers on a listener until Shutdown.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(l); err != nil {
		return fmt.Errorf("mock provider on %s: %w", l.Addr(), err)
	}
	return nil
}

// Shutdown breaks off what is waiting or streaming, and returns when all connections are
// closed or the context ends.
func (s *Server) Shutdown(ctx context.Context) error {
	s.once.Do(func() { close(s.done) })
	if err := s.http.ShutdownWithContext(ctx); err != nil {
		return fmt.Errorf("mock provider: shutting down: %w", err)
	}
	return nil
}

// Bill gives what was served, by model.
func (s *Server) Bill() []BillLine { return s.bill.list() }

// ResetBill begins a new bill.
func (s *Server) ResetBill() { s.bill.reset() }

// Calls gives the last requests, oldest first.
func (s *Server) Calls() []Call {
	list, _, _ := s.calls.list()
	return list
}

// ForgetCalls has Calls begin anew.
func (s *Server) ForgetCalls() { s.calls.forget() }

// Open is how many requests are being answered, streams and silent ones included.
func (s *Server) Open() int {
	_, open, _ := s.calls.list()
	return open
}

// Handler answers one request.
func (s *Server) Handler(ctx *fasthttp.RequestCtx) {
	switch path := string(ctx.Path()); path {
	case "/bill":
		s.serveBill(ctx)
	case "/calls":
		s.serveCalls(ctx)
	case realtimePath:
		s.serveRealtime(ctx)
	default:
		at := find(path)
		if at.language == nil {
			ctx.SetStatusCode(fasthttp.StatusNotFound)
			ctx.SetContentType("text/plain")
			ctx.SetBodyString("the mock serves " + OpenAIPath + ", " + AnthropicPath + ", " + GeminiPath + ", /bill and /calls\n")
			return
		}
		s.serve(ctx, at)
	}
}

func (s *Server) serveBill(ctx *fasthttp.RequestCtx) {
	if ctx.IsDelete() {
		s.bill.reset()
	}
	ctx.SetContentType("application/json")
	ctx.SetBody(appendBill(nil, s.bill.list()))
}

func (s *Server) serveCalls(ctx *fasthttp.RequestCtx) {
	if ctx.IsDelete() {
		s.calls.forget()
	}
	list, open, total := s.calls.list()
	ctx.SetContentType("application/json")
	ctx.SetBody(appendCalls(nil, list, open, total))
}

// A place is what an address leads to. An operation without functions is an unknown address
// of a known language.
type place struct {
	language  language
	operation operation
	model     string // in the path (Gemini)
	stream    bool   // by the path (Gemini)
	list      []byte // a models list, ready
	// kept answers a call about what the mock keeps; nil where the address is about nothing such.
	kept func(*errand) (body []byte, contentType string, refused *refusal)
}

// An operation is data: how to read a request, and how to write the answer whole or as a film.
type operation struct {
	read  func(r *request) (*ask, *refusal)
	whole func(dst []byte, a *ask, ans *answer) []byte
	film  func(f *film, a *ask, ans *answer)  // nil where it has no stream
	keep  func(s *shelf, a *ask, ans *answer) // nil where no answer is kept
	kind  func(a *ask) string                 // the content type of a whole answer; nil for JSON
	raw   bool                                // the body is bytes, of the request's own content type
}

func find(path string) place {
	if rest, ok := strings.CutPrefix(path, OpenAIPath); ok {
		return findOpenAI(rest)
	}
	if rest, ok := strings.CutPrefix(path, AnthropicPath); ok {
		return findAnthropic(rest)
	}
	if strings.HasPrefix(path, googleUpload) {
		return place{language: gemini{}, kept: (*errand).takeGoogle}
	}
	if rest, ok := strings.CutPrefix(path, GeminiPath); ok {
		return findGemini(rest)
	}
	if rest, ok := strings.CutPrefix(path, inferencePath); ok {
		return findInference(rest)
	}
	return place{}
}

// silence drops what fasthttp would log: clients that leave are what the mock is for.
type silence struct{}

func (silence) Printf(string, ...any) {}

// isMissing reports whether a model's name stands for one that does not exist.
func isMissing(model string) bool { return strings.HasPrefix(model, "missing") }

// isBad reports whether a credential stands for a wrong one.
func isBad(key []byte) bool { return bytes.Equal(key, []byte("bad")) }
