package responses_test

import (
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/responses"
)

// Only a reply that is over is an answer.
func TestReadReply_Status(t *testing.T) {
	for status, last := range map[string]providers.EventKind{
		"completed": providers.EventEnd, "incomplete": providers.EventEnd,
		"queued": providers.EventFault, "in_progress": providers.EventFault,
		"failed": providers.EventFault, "cancelled": providers.EventFault,
	} {
		d := responses.Dialect{}.ReadReply(&providers.Call{})
		events := d.Decode(nil, []byte(`{"object":"response","id":"resp_1","status":"`+status+`","output":[]}`))
		events = d.Close(events)
		if n := len(events); n == 0 || events[n-1].Kind != last {
			t.Errorf("%s: %+v", status, events)
		}
	}
}
