package defect

import (
	"errors"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strings"

	"github.com/getsentry/sentry-go"
)

// event says a defect in Sentry's words. What groups it is its cause, not its words: the place where
// it panicked, or the error's code with the types of its chain.
func (r *Reporter) event(d *Defect) *sentry.Event {
	e := sentry.NewEvent()
	e.Timestamp, e.Level, e.Transaction = r.o.Now(), sentry.LevelError, d.What
	e.Tags = map[string]string{"plane": d.Plane, "request_id": d.RequestID, "code": d.Code}
	for name, value := range d.Tags {
		if value != "" {
			e.Tags[name] = value
		}
	}
	if d.Trace.On() {
		e.Contexts["trace"] = sentry.Context{"trace_id": d.Trace.ID.String(), "span_id": d.Trace.Span.String()}
	}
	said := sentry.Exception{Type: d.Code, Value: r.chain(d.Cause)}
	e.Fingerprint = []string{d.Plane, d.Code, said.Value}
	if d.Panicked {
		e.Level = sentry.LevelFatal
		said.Type, said.Value = panicked(d.Cause)
		said.Stacktrace = &sentry.Stacktrace{Frames: frames()}
		e.Fingerprint = []string{d.Plane, "panic", said.Type, place(said.Stacktrace.Frames)}
	}
	e.Exception = []sentry.Exception{said}
	return e
}

// panicked says what a panic was called with: the words only where they are the runtime's.
func panicked(cause any) (kind, words string) {
	kind = fmt.Sprintf("%T", cause)
	var own runtime.Error
	if err, ok := cause.(error); ok && errors.As(err, &own) {
		return fmt.Sprintf("%T", own), own.Error()
	}
	return kind, "its words stand in the gateway's log under the request id"
}

// mostFrames bounds a stack.
const mostFrames = 64

// frames gives the stack of the panic that is being recovered, the outermost first as Sentry wants
// it, without what handles it. Files are named by their package: nothing of the machine is in them.
func frames() []sentry.Frame {
	counters := make([]uintptr, 2*mostFrames)
	all := runtime.CallersFrames(counters[:runtime.Callers(2, counters)])
	var out []sentry.Frame
	inside := false // of what panicked
	for {
		f, more := all.Next()
		switch {
		case f.Function == "runtime.gopanic":
			inside, out = true, nil
		case inside && len(out) == 0 && strings.HasPrefix(f.Function, "runtime."): // the runtime's way to it
		case inside && len(out) < mostFrames:
			out = append(out, frame(f))
		}
		if !more {
			break
		}
	}
	slices.Reverse(out)
	return out
}

// ours is the path of the module.
const ours = "github.com/aistrale/aistrale"

func frame(f runtime.Frame) sentry.Frame {
	folder, name := path.Split(f.Function)
	pkg, function, _ := strings.Cut(name, ".")
	pkg = folder + pkg
	return sentry.Frame{
		Function: function, Module: pkg, Filename: pkg + "/" + path.Base(f.File), Lineno: f.Line,
		InApp: pkg == "main" || strings.HasPrefix(pkg, ours),
	}
}

// place is the innermost function of ours.
func place(frames []sentry.Frame) string {
	for _, f := range slices.Backward(frames) {
		if f.InApp {
			return f.Module + "." + f.Function
		}
	}
	return ""
}
