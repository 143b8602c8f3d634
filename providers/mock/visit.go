package mock

import (
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/tidwall/gjson"
	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/providers"
)

// A language is one provider's manner around its operations.
type language interface {
	// authorise checks the headers that every request must have.
	authorise(h *fasthttp.RequestHeader) *refusal
	// head sets the headers that every answer has: request id, rate limits.
	head(v *visit)
	// refuse sets an error's headers and gives its body.
	refuse(v *visit, r *refusal) []byte
	// broken ends a film with an error event.
	broken(f *film)
}

// A request is what an operation reads.
type request struct {
	body   []byte
	doc    gjson.Result        // the body, valid JSON
	model  string              // from the path
	stream bool                // by the path
	shelf  *shelf              // what is kept for the caller; nil where nothing is
	files  map[string][]upload // of a form, whose fields are doc
	mime   string              // of a body that is bytes
}

// fields hands the body's members to a reader until it refuses one.
func (r *request) fields(field func(name string, v gjson.Result) *refusal) *refusal {
	var refused *refusal
	r.doc.ForEach(func(name, value gjson.Result) bool {
		refused = field(name.Str, value)
		return refused == nil
	})
	return refused
}

// A visit is one request under way.
type visit struct {
	server    *Server
	ctx       *fasthttp.RequestCtx
	seq       uint64
	place     place
	behaviour Behaviour
	account   *account
	client    *presence
}

func (s *Server) serve(ctx *fasthttp.RequestCtx, at place) {
	seq := s.calls.begin(&ctx.Request)
	v := &visit{
		server: s, ctx: ctx, seq: seq, place: at,
		account: &account{server: s, seq: seq, billed: -1},
		client:  watch(ctx.Conn(), s.done),
	}
	open := false
	defer func() {
		// The emulator runs inside the gateway too, which a defect here may not end.
		if p := recover(); p != nil {
			v.refuse(&refusal{status: 500, message: fmt.Sprintf("the mock has a defect: %v", p)})
		}
		if !open {
			v.account.close()
		}
	}()
	open = v.answer()
}

// answer reports whether the account stays open behind the handler.
func (v *visit) answer() (open bool) {
	h := &v.ctx.Request.Header
	v.place.language.head(v)
	if header := h.Peek("x-mock"); len(header) > 0 {
		var err error
		if v.behaviour, err = ParseBehaviour(string(header)); err != nil {
			return v.refuse(invalid("", err.Error()))
		}
	}
	if r := v.place.language.authorise(h); r != nil {
		return v.refuse(r)
	}
	if v.place.kept != nil && v.behaviour.Status == 0 {
		if err := v.hold(); err != nil {
			return v.drop()
		}
		return v.keep()
	}
	a, ans, refused := v.read()
	if err := v.hold(); err != nil {
		return v.drop()
	}
	switch b := &v.behaviour; {
	case b.Status != 0:
		return v.refuse(&refusal{status: b.Status, wait: b.RetryAfter, quota: b.Quota})
	case refused != nil:
		return v.refuse(refused)
	case b.Cut != nil && *b.Cut == 0:
		return v.drop()
	case a == nil:
		return v.list()
	case a.stream:
		return v.play(a, ans)
	case b.Error != nil:
		return v.refuse(&refusal{status: 500})
	default:
		return v.whole(a, ans)
	}
}

// read understands the request and composes the answer; a nil ask is a models list.
func (v *visit) read() (*ask, *answer, *refusal) {
	at := &v.place
	if at.list != nil {
		return nil, nil, nil
	}
	if at.operation.read == nil {
		return nil, nil, &refusal{status: 404, message: "Invalid URL (" + string(v.ctx.Method()) + " " + string(v.ctx.Path()) + ")"}
	}
	if !v.ctx.IsPost() {
		return nil, nil, &refusal{status: 405, message: "Not allowed to " + string(v.ctx.Method()) + " on " + string(v.ctx.Path())}
	}
	if at.stream && string(v.ctx.QueryArgs().Peek("alt")) != "sse" {
		return nil, nil, invalid("", "The mock streams only with alt=sse.")
	}
	r := &request{body: v.ctx.PostBody(), model: at.model, stream: at.stream}
	if refused := v.parse(r); refused != nil {
		return nil, nil, refused
	}
	if at.operation.keep != nil {
		r.shelf = v.shelf()
	}
	a, refused := at.operation.read(r)
	if refused != nil {
		return nil, nil, refused
	}
	ans := compose(a, &v.behaviour)
	v.account.owe(a, ans)
	return a, ans, nil
}

// parse takes the body for what its content type says.
func (v *visit) parse(r *request) (refused *refusal) {
	h := &v.ctx.Request.Header
	if r.mime = string(h.ContentType()); v.place.operation.raw && !strings.HasPrefix(r.mime, jsonType) {
		return nil
	}
	if isForm(h) {
		if r.body, r.files, refused = v.readForm(); refused != nil {
			return refused
		}
	}
	r.doc = gjson.ParseBytes(r.body)
	if !providers.ValidJSON(r.body) || !r.doc.IsObject() {
		return invalid("", "We could not parse the JSON body of your request.")
	}
	return nil
}

// hold waits as long as x-mock asks before anything is answered.
func (v *visit) hold() error {
	if v.behaviour.Hang {
		return v.client.forever()
	}
	return v.client.wait(v.behaviour.Delay)
}

// drop closes the connection without an answer. What was understood is billed for its input.
func (v *visit) drop() bool {
	if v.account.model == "" {
		v.account.leave()
	} else {
		v.account.settle(CallAborted, 0, 0)
	}
	v.ctx.HijackSetNoResponse(true)
	v.ctx.Hijack(func(net.Conn) {})
	return false
}

func (v *visit) refuse(r *refusal) bool {
	if r.wait == 0 {
		r.wait = v.behaviour.RetryAfter
	}
	v.ctx.SetStatusCode(r.status)
	v.ctx.SetContentType("application/json")
	body := v.place.language.refuse(v, r)
	v.account.refuse(r.status)
	return v.send(body)
}

func (v *visit) list() bool {
	v.ctx.SetContentType("application/json")
	v.server.calls.end(v.seq, CallFinished, 200, 0)
	return v.send(v.place.list)
}

func (v *visit) whole(a *ask, ans *answer) bool {
	v.ctx.SetContentType(jsonType)
	if kind := v.place.operation.kind; kind != nil {
		v.ctx.SetContentType(kind(a))
	}
	body := v.place.operation.whole(make([]byte, 0, 1024), a, ans)
	if a.counts {
		v.server.calls.end(v.seq, CallFinished, 200, 0)
		return v.send(body)
	}
	v.account.owe(a, ans)
	if v.place.operation.keep != nil {
		v.place.operation.keep(v.shelf(), a, ans)
	}
	if b := &v.behaviour; b.Cut != nil || b.Stall != nil {
		v.account.settle(CallAborted, 0, ans.total) // the model has made it all, and it is billed
	} else {
		v.account.settle(CallFinished, 0, ans.total)
	}
	return v.send(body)
}

// send answers with a whole body, broken up as x-mock asks.
func (v *visit) send(body []byte) (open bool) {
	b := &v.behaviour
	if b.SlowHeaders == 0 && b.Pause == 0 && b.Cut == nil && b.Stall == nil {
		v.ctx.Response.SetBodyRaw(body)
		return false
	}
	v.ctx.Response.Header.SetContentLength(len(body))
	if b.Cut != nil || b.Stall != nil {
		body = body[:len(body)/2]
	}
	conn := v.ctx.Conn()
	v.script(func(head []byte) error {
		if err := v.slowly(conn, head); err != nil {
			return err
		}
		if _, err := conn.Write(body); err != nil {
			return err
		}
		if b.Stall != nil {
			return v.client.forever()
		}
		return nil
	})
	return true
}

// slowly writes a head, in two pieces where it shall be slow, and pauses behind it.
func (v *visit) slowly(conn net.Conn, head []byte) error {
	if err := conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	half := len(head) / 2
	if _, err := conn.Write(head[:half]); err != nil {
		return err
	}
	if err := v.client.wait(v.behaviour.SlowHeaders); err != nil {
		return err
	}
	if _, err := conn.Write(head[half:]); err != nil {
		return err
	}
	return v.client.wait(v.behaviour.Pause)
}

// script answers by hand what fasthttp would answer in one go. The connection closes then, and
// so an error needs no telling: the account is settled by whoever wrote.
func (v *visit) script(write func(head []byte) error) {
	v.ctx.Response.Header.SetConnectionClose()
	head := append([]byte(nil), v.ctx.Response.Header.Header()...)
	v.ctx.HijackSetNoResponse(true)
	v.ctx.Hijack(func(net.Conn) {
		defer v.account.close()
		_ = write(head)
	})
}

// play answers with a stream.
func (v *visit) play(a *ask, ans *answer) bool {
	if !v.ctx.Request.Header.IsHTTP11() {
		return v.refuse(&refusal{status: fasthttp.StatusHTTPVersionNotSupported, message: "Streams need HTTP/1.1."})
	}
	b := &v.behaviour
	f := v.server.films.Get().(*film)
	f.reset()
	v.place.operation.film(f, a, ans)
	v.account.owe(a, ans)
	s := &stream{
		film: f, conn: v.ctx.Conn(), client: v.client, account: v.account,
		pause: b.Pause, chunk: b.Chunk,
	}
	switch {
	case b.Cut != nil:
		s.cut = f.cut(*b.Cut)
	case b.Stall != nil:
		s.stall = f.cut(*b.Stall)
	case b.Error != nil:
		if s.failed = f.cut(*b.Error); s.failed {
			v.place.language.broken(f)
		}
	case v.place.operation.keep != nil:
		v.place.operation.keep(v.shelf(), a, ans)
	}
	v.ctx.SetContentType("text/event-stream; charset=utf-8")
	if b.SlowHeaders > 0 {
		v.playSlowly(s)
		return true
	}
	v.ctx.Response.ImmediateHeaderFlush = b.Pause > 0 || len(f.marks) == 0
	v.ctx.Response.SetBodyStream(s, -1)
	return true
}

func (v *visit) playSlowly(s *stream) {
	s.pause = 0 // slowly does it
	v.ctx.Response.Header.SetContentLength(-1)
	v.script(func(head []byte) error {
		defer s.Close()
		if err := v.slowly(s.conn, head); err != nil {
			return err
		}
		err := s.play(func() error {
			_, err := s.conn.Write(s.film.frames[:s.film.at(1)])
			return err
		})
		if err == nil {
			_, err = s.conn.Write([]byte("0\r\n\r\n"))
		}
		return err
	})
}
