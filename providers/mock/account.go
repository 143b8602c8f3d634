package mock

import "sync"

// An account settles one request, in the bill and in the list of calls.
type account struct {
	server  *Server
	seq     uint64
	model   string
	usage   usage
	total   int64 // pieces that usage.output stands for
	billed  int64 // output tokens billed so far, -1 before the first time
	aborted bool
	once    sync.Once
}

// owe notes what the answer will cost when it is written; writing it may correct the usage.
func (a *account) owe(asked *ask, ans *answer) {
	a.model, a.usage, a.total = asked.model, ans.usage, ans.total
}

// refuse settles an error answer, which is free.
func (a *account) refuse(status int) {
	a.server.calls.end(a.seq, CallRefused, status, 0)
}

// leave settles a request whose client left before it was known what to bill.
func (a *account) leave() {
	a.server.calls.end(a.seq, CallAborted, 0, 0)
}

// settle bills the input and the output of the pieces written. A second call corrects the
// first: a stream is settled before its last bytes are written, so that whoever has read it
// finds it billed, and again where that write fails.
func (a *account) settle(state CallState, events, pieces int64) {
	output := a.usage.output
	if pieces < a.total {
		output = (output*pieces + a.total - 1) / a.total
	}
	line := BillLine{Model: a.model, Output: output}
	if a.billed < 0 {
		line.Calls, line.Input = 1, a.usage.input
		line.Characters, line.Seconds, line.Images = a.usage.characters, a.usage.seconds, a.usage.images
	} else {
		line.Output -= a.billed
	}
	if state == CallAborted && !a.aborted {
		line.Aborted = 1
		a.aborted = true
	}
	a.billed = output
	a.server.bill.add(line)
	a.server.calls.end(a.seq, state, 200, events)
}

// close counts the request as no longer open.
func (a *account) close() { a.once.Do(a.server.calls.leave) }
