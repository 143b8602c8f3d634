package proxy

import (
	"bufio"
	"bytes"
	"crypto/sha1" //nolint:gosec // the WebSocket's handshake is made of it, and it guards nothing
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gobwas/ws"
	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
)

// converse opens a conversation of events: key, model and upstream are settled before the client
// is answered. The flight then belongs to the session, which ends it.
func (f *flight) converse() error {
	h := &f.fc.Request.Header
	if !bytes.EqualFold(h.Peek("upgrade"), []byte("websocket")) || len(h.Peek("sec-websocket-key")) == 0 || string(h.Peek("sec-websocket-version")) != "13" {
		return &providers.Fault{Kind: providers.FaultInvalid, Status: http.StatusUpgradeRequired, NoRetry: true,
			Message: "This path opens a WebSocket: connect to it with one (version 13)."}
	}
	f.received = time.Now()
	f.asked = providers.Asked{Model: f.query("model"), Stream: true}
	if f.asked.Model == "" {
		return providers.Invalid("model", "you must provide a model parameter")
	}
	if err := f.label(); err != nil {
		return err
	}
	f.rec.Asked, f.rec.Stream = f.asked.Model, true
	f.call = providers.Call{Op: f.endpoint.Op, Doc: &f.doc, Asked: f.asked.Model, Stream: true, ID: f.rec.ID, Created: f.start}
	if err := f.admitModel(); err != nil {
		return err
	}
	targets, err := f.route()
	if err != nil {
		return err
	}
	s := &session{f: f, events: f.endpoint.Session, open: map[string]*sessionReply{}}
	if err := f.own(sessionEnd{s: s}); err != nil {
		return f.broken(err)
	}
	if err := s.dialFirst(targets); err != nil {
		return err
	}
	f.upgrade(s)
	return nil
}

// upgrade answers the client's handshake and hands its connection to the session.
func (f *flight) upgrade(s *session) {
	accept := sha1.Sum(append(bytes.Clone(f.fc.Request.Header.Peek("sec-websocket-key")), "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"...)) //nolint:gosec // as RFC 6455 has it
	f.rec.Status = fasthttp.StatusSwitchingProtocols
	f.writeHeaders()
	resp := &f.fc.Response
	resp.SetStatusCode(fasthttp.StatusSwitchingProtocols)
	resp.Header.Set("upgrade", "websocket")
	resp.Header.Set("connection", "Upgrade")
	resp.Header.Set("sec-websocket-accept", base64.StdEncoding.EncodeToString(accept[:]))
	if said := protocols(f.fc); len(said) > 0 && !strings.HasPrefix(said[0], f.endpoint.Session.KeyProtocol) {
		resp.Header.Set("sec-websocket-protocol", said[0])
	}
	f.g.hurry(f.fc, 0)
	limits := &f.g.options.Limits
	f.fc.Hijack(func(conn net.Conn) {
		_ = conn.SetDeadline(time.Time{}) // on a closed connection the first read fails
		s.run(&socket{conn: conn, r: bufio.NewReader(conn), state: ws.StateServerSide, limit: limits.MaxBody, wait: limits.ClientWrite})
	})
	f.fc = nil // the library's again
}

// protocols lists the subprotocols that a client offers.
func protocols(fc *fasthttp.RequestCtx) []string {
	var list []string
	for name := range strings.SplitSeq(string(fc.Request.Header.Peek("sec-websocket-protocol")), ",") {
		if name = strings.TrimSpace(name); name != "" {
			list = append(list, name)
		}
	}
	return list
}

// keyProtocol gives the key that stands among the subprotocols, where browsers have to put it.
func (f *flight) keyProtocol() []byte {
	for _, name := range protocols(f.fc) {
		if key, ok := strings.CutPrefix(name, f.endpoint.Session.KeyProtocol); ok {
			return []byte(key)
		}
	}
	return nil
}

// dialFirst connects to the first target that takes the session.
func (s *session) dialFirst(targets []target) error {
	f := s.f
	var last error
	for i := range targets {
		t := &targets[i]
		now := time.Now()
		if state, _ := t.standing(now); state == policy.StateOpen && i < len(targets)-1 {
			continue
		}
		f.target = *t
		f.rec.Provider, f.rec.Model, f.rec.Credential = t.Provider, t.Model, t.account.Credential
		if last = t.locked(); last == nil {
			last = s.dial(t)
		}
		if last == nil {
			f.rec.Exact = true
			return nil
		}
		if cause := f.left(); cause != nil {
			return f.broken(cause)
		}
		if out := fault(last); !out.Retryable && out.Kind != providers.FaultProviderAuth {
			return last
		}
	}
	return last
}

// dial opens the upstream's end.
func (s *session) dial(t *target) error {
	f := s.f
	f.prepare(t)
	req := providers.UpstreamRequest{Method: fasthttp.MethodGet, Path: f.call.Path + "?model=" + url.QueryEscape(t.Model)}
	req.Headers = append(req.Headers, f.call.Forwarded...)
	if err := f.sign(t, &req); err != nil {
		return err
	}
	f.propagate(&req, f.rec.Trace.Span)
	address, err := socketURL(t.account.BaseURL, req.Path)
	if err != nil {
		return err
	}
	var refused *providers.Fault
	header := http.Header{}
	for _, line := range req.Headers {
		header.Set(line.Name, line.Value)
	}
	dialer := ws.Dialer{
		Header:  ws.HandshakeHeaderHTTP(header),
		Timeout: max(t.account.FirstByte, time.Second),
		NetDial: t.account.Way.Dial, TLSConfig: t.account.Way.TLS(""),
		OnStatusError: func(_ int, _ []byte, r io.Reader) {
			refused = refusedHandshake(t, r)
		},
	}
	conn, br, _, err := dialer.Dial(lifetime{f}, address)
	if refused != nil {
		maskError(refused, t.account.Secret)
		return refused
	}
	if err != nil {
		return f.broken(err)
	}
	up := &socket{conn: conn, r: bufio.NewReader(conn), state: ws.StateClientSide, masks: true, limit: f.g.options.Limits.MaxReply, wait: f.g.options.Limits.ClientWrite}
	if br != nil {
		up.r = br // it holds what came with the handshake
	}
	s.upstream = up
	return nil
}

// refusedHandshake reads an upstream's answer that is no handshake.
func refusedHandshake(t *target, r io.Reader) *providers.Fault {
	resp, err := http.ReadResponse(bufio.NewReader(r), nil)
	if err != nil {
		return &providers.Fault{Kind: providers.FaultUpstream, Retryable: true, Cause: err, Message: "The provider's answer could not be read."}
	}
	defer func() { _ = resp.Body.Close() }()
	const enough = 64 << 10
	body, err := io.ReadAll(io.LimitReader(resp.Body, enough))
	if err != nil && len(body) == 0 {
		body = nil // the status says what there is to say
	}
	return t.route.Dialect.Fault(resp.StatusCode, resp.Header.Get, body)
}

// socketURL is the WebSocket's address of a path under a base URL.
func socketURL(base, path string) (string, error) {
	u, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	scheme := "wss"
	if u.Scheme == "http" {
		scheme = "ws"
	}
	return scheme + "://" + u.Host + providers.Under(u.EscapedPath(), path), nil
}

// sessionEnd lets a client that leaves, or the end of a drain, end a session.
type sessionEnd struct {
	Exchange
	s *session
}

// Cancel implements Exchange. The flight's lock is held.
func (e sessionEnd) Cancel(cause error) { e.s.stop(cause) }
