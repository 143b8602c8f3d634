package mock

import (
	"crypto/sha1" //nolint:gosec // the WebSocket's handshake is made of it
	"encoding/base64"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gobwas/ws/wsutil"
	"github.com/tidwall/gjson"
	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/providers"
)

// realtimePath is the path of OpenAI's sessions over a WebSocket.
const realtimePath = OpenAIPath + "/realtime"

// realtime is one session. It answers response.create with a reply of text, and, as voice
// detection would, input_audio_buffer.commit by itself; x-mock of the handshake says how.
// Source: https://platform.openai.com/docs/api-reference/realtime-server-events
type realtime struct {
	server    *Server
	conn      net.Conn
	model     string
	behaviour Behaviour
	events    int
	replies   int
}

func (s *Server) serveRealtime(ctx *fasthttp.RequestCtx) {
	seq := s.calls.begin(&ctx.Request)
	h := &ctx.Request.Header
	r := &realtime{server: s, model: string(ctx.QueryArgs().Peek("model"))}
	refused := openAI{}.authorise(h)
	if header := h.Peek("x-mock"); refused == nil && len(header) > 0 {
		var err error
		if r.behaviour, err = ParseBehaviour(string(header)); err != nil {
			refused = invalid("", err.Error())
		}
	}
	switch {
	case refused != nil:
	case r.behaviour.Status != 0:
		refused = &refusal{status: r.behaviour.Status, wait: r.behaviour.RetryAfter, quota: r.behaviour.Quota}
	case isMissing(r.model) || r.model == "":
		refused = &refusal{status: 404, message: "The model `" + r.model + "` does not exist"}
	case len(h.Peek("sec-websocket-key")) == 0:
		refused = &refusal{status: 426, message: "want a WebSocket"}
	}
	if refused != nil {
		v := &visit{server: s, ctx: ctx, seq: seq, account: &account{server: s, seq: seq, billed: -1}, place: place{language: openAI{}}}
		ctx.SetStatusCode(refused.status)
		ctx.SetContentType("application/json")
		ctx.SetBody(openAI{}.refuse(v, refused))
		s.calls.end(seq, CallRefused, refused.status, 0)
		return
	}
	accept := sha1.Sum(append(append([]byte(nil), h.Peek("sec-websocket-key")...), "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"...)) //nolint:gosec // RFC 6455
	ctx.SetStatusCode(fasthttp.StatusSwitchingProtocols)
	ctx.Response.Header.Set("upgrade", "websocket")
	ctx.Response.Header.Set("connection", "Upgrade")
	ctx.Response.Header.Set("sec-websocket-accept", base64.StdEncoding.EncodeToString(accept[:]))
	ctx.Hijack(func(conn net.Conn) {
		_ = conn.SetDeadline(time.Time{})
		r.conn = conn
		r.run()
		s.calls.end(seq, CallFinished, fasthttp.StatusSwitchingProtocols, int64(r.events))
	})
}

func (r *realtime) run() {
	var watch sync.WaitGroup
	defer watch.Wait() // the library lends the connection to another session after this one
	stop := make(chan struct{})
	defer close(stop)
	watch.Go(func() {
		select {
		case <-r.server.done:
			_ = r.conn.SetReadDeadline(time.Unix(1, 0)) // the library closes it when the reader has ended
		case <-stop:
		}
	})
	r.say(`{"type":"session.created","session":{"type":"realtime","object":"realtime.session","id":"sess_mock","model":` + quoted(r.model) + `}`)
	for {
		event, err := wsutil.ReadClientText(r.conn)
		if err != nil {
			return
		}
		e := gjson.ParseBytes(event)
		switch kind := e.Get("type").Str; kind {
		case "session.update":
			r.say(`{"type":"session.updated","session":` + e.Get("session").Raw)
		case "response.create":
			r.reply(e.Get("event_id").Str)
		case "input_audio_buffer.commit":
			r.say(`{"type":"input_audio_buffer.committed","item_id":"item_in"`)
			r.say(`{"type":"conversation.item.input_audio_transcription.completed","item_id":"item_in","content_index":0,"transcript":"hi","usage":{"type":"tokens","total_tokens":9,"input_tokens":7,"input_token_details":{"text_tokens":0,"audio_tokens":7},"output_tokens":2}`)
			r.reply("")
		case "conversation.item.create":
			r.say(`{"type":"conversation.item.added","item":` + e.Get("item").Raw)
		case "input_audio_buffer.append", "response.cancel":
		default:
			r.fail(e.Get("event_id").Str, "Unknown event type "+strconv.Quote(kind)+".")
		}
	}
}

// reply makes one reply, word by word.
func (r *realtime) reply(about string) {
	if r.behaviour.Error != nil && *r.behaviour.Error <= int64(r.replies) {
		r.fail(about, "The mock was asked to fail.")
		return
	}
	r.replies++
	id := "resp_mock" + strconv.Itoa(r.replies)
	begin := `","response_id":` + quoted(id) + `,"item_id":"item_` + id + `","output_index":0`
	r.say(`{"type":"response.created","response":{"object":"realtime.response","id":` + quoted(id) + `,"status":"in_progress","output":[],"usage":null}`)
	input, output := said(r.behaviour.Input, 19), said(r.behaviour.Output, 5)
	r.server.bill.add(BillLine{Model: r.model, Calls: 1, Input: input, Output: output})
	words := strings.Fields("Hello from the mock.")
	for i, word := range words {
		if i < len(words)-1 {
			word += " "
		}
		r.say(`{"type":"response.output_text.delta` + begin + `,"content_index":0,"delta":` + quoted(word))
	}
	r.say(`{"type":"response.output_text.done` + begin + `,"content_index":0,"text":"Hello from the mock."`)
	r.say(`{"type":"response.done","response":{"object":"realtime.response","id":` + quoted(id) + `,"status":"completed","output":[{"id":"item_` + id +
		`","type":"message","role":"assistant","status":"completed","content":[{"type":"output_text","text":"Hello from the mock."}]}],"usage":{"total_tokens":` +
		strconv.FormatInt(input+output, 10) + `,"input_tokens":` + strconv.FormatInt(input, 10) + `,"output_tokens":` + strconv.FormatInt(output, 10) +
		`,"input_token_details":{"text_tokens":` + strconv.FormatInt(input, 10) + `,"audio_tokens":0,"cached_tokens":0},"output_token_details":{"text_tokens":` +
		strconv.FormatInt(output, 10) + `,"audio_tokens":0}}}`)
}

func (r *realtime) fail(about, message string) {
	id := "null"
	if about != "" {
		id = quoted(about)
	}
	r.say(`{"type":"error","error":{"type":"invalid_request_error","code":"invalid_value","message":` + quoted(message) + `,"param":null,"event_id":` + id + `}`)
}

// say sends an event whose last brace is left out, with an id.
func (r *realtime) say(event string) {
	r.events++
	_ = wsutil.WriteServerText(r.conn, []byte(event+`,"event_id":"event_`+strconv.Itoa(r.events)+`"}`)) // the next read fails where this did
}

func quoted(s string) string { return string(providers.AppendString(nil, s)) }
