package proxy

import (
	"cmp"
	"errors"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// refuse is the one exit for errors: it says the error in the caller's language and closes the
// record.
func (f *flight) refuse(err error) {
	out := f.fault(err)
	status, body := f.endpoint.Face.Refuse(out)
	f.rec.Status, f.rec.Fault, f.rec.Asked = status, code(out), storage.MaskBearers(f.rec.Asked)
	if f.rec.Outcome == "" {
		f.rec.Outcome = f.refusal(out)
	}
	f.confess(status, err)
	resp := &f.fc.Response
	resp.Reset()
	f.writeHeaders()
	resp.SetStatusCode(status)
	resp.Header.SetContentType("application/json")
	retryHeaders(&resp.Header, out)
	resp.SetBody(body)
	f.g.hurry(f.fc, len(body))
	f.letGo()
	f.offerContent(body, false)
	f.settle(err, len(body))
	f.keepPayload(body, false)
	f.g.end(f)
}

// confess reports a refusal that is our own failure. A panic was reported where it was met, and to
// end is no failure.
func (f *flight) confess(status int, err error) {
	if d := f.g.options.Defects; d != nil && status >= 500 && f.rec.Outcome == storage.OutcomeRefused && !errors.Is(err, errDraining) {
		d.Failed(&f.rec, err)
	}
}

// code is a fault's name in records.
func code(out *providers.Fault) string { return cmp.Or(out.Code, out.Kind.String()) }

// fault gives any error of the road as what the client of this request will read.
func (f *flight) fault(err error) *providers.Fault {
	out := *fault(err) // it may be several requests'
	out.RequestID, out.Message = f.rec.ID, storage.MaskBearers(out.Message)
	return &out
}

func (f *flight) refusal(out *providers.Fault) storage.Outcome {
	if len(f.rec.Attempts) > 0 && f.left() == nil { // who left in between may have waited for another attempt
		if o := f.lastAttempt().Outcome; o != storage.OutcomeOK && o != "" {
			return o
		}
	}
	return outcome(out)
}

// longestWait is the wait from which a retry by the client's SDK is in vain: SDKs cap theirs.
const longestWait = 60 * time.Second

func retryHeaders(h *fasthttp.ResponseHeader, out *providers.Fault) {
	if out.RetryAfter > 0 {
		seconds := int64((out.RetryAfter + time.Second - 1) / time.Second)
		h.Set("retry-after", strconv.FormatInt(seconds, 10))
		if out.RetryAfter < longestWait {
			h.Set("retry-after-ms", strconv.FormatInt(int64((out.RetryAfter+time.Millisecond-1)/time.Millisecond), 10))
		}
	}
	if out.NoRetry || out.Kind == providers.FaultProviderAuth || out.RetryAfter > longestWait {
		h.Set("x-should-retry", "false")
	}
}

// refuseEarly answers a request that fasthttp could not read: no flight has begun, and no
// record is kept of it.
func (g *Gateway) refuseEarly(fc *fasthttp.RequestCtx, err error) {
	out := providers.Invalid("", "The request could not be parsed as HTTP.")
	switch {
	case isSmallBuffer(err):
		out = &providers.Fault{Kind: providers.FaultHeaderTooLarge, Message: "The request header is too large."}
	case timedOut(err):
		out = &providers.Fault{Kind: providers.FaultInvalid, Status: fasthttp.StatusRequestTimeout, Message: "The request did not arrive in time."}
	}
	out.NoRetry, out.RequestID = true, newID(time.Now()).String()
	status, body := g.endpoints.face(fc.Path()).Refuse(out)
	fc.Response.Reset()
	fc.SetStatusCode(status)
	fc.SetContentType("application/json")
	fc.Response.Header.Set("x-request-id", out.RequestID)
	if s := g.state.Load(); s != nil {
		s.CORS.write(fc)
	}
	fc.SetBody(body)
}
