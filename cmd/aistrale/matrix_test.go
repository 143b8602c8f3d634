package main_test

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers/providertest"
)

// A matrix is every scenario asked by the clients of every language of every upstream, whole and
// streamed, and what became of each.
type matrix struct {
	verdicts map[spot]map[bool]string // by scenario and pair, then by whether it was streamed
	replies  map[spot][]*reply        // of the mode that came first
}

// spot is where a scenario stands: who asks whom.
type spot struct{ face, upstream, scenario string }

// A cell is one scenario under way.
type cell struct {
	*testing.T
	*running
	face   *clientFace
	up     *wordsOf
	stream bool
	told   string // x-mock
	marker string // in what the client says, so that no two cells ask the same

	refused         string
	dropped, absent []string
	replies         []*reply
}

// What the matrix shows stands in docs/compatibility.md, which this test writes (make golden).
func TestCompatibilityGolden(t *testing.T) {
	t.Parallel()
	codex := `  - {name: openai, base_url: "http://EMULATOR/openai/v1", api_key: any, forward: [x-mock]}`
	r := startWith(t, codex, "retry: {max: 0}\n") // what fails, fails at once
	m := matrix{map[spot]map[bool]string{}, map[spot][]*reply{}}
	for _, face := range clientFaces {
		for i := range scenarios {
			for j := range upstreams {
				for _, stream := range []bool{false, true} {
					s, up := &scenarios[i], &upstreams[j]
					c := &cell{running: r, face: face, up: up, stream: stream, told: s.told + counted}
					c.marker = fmt.Sprintf("%s asks %s for %s, streamed %t", face.name, up.name, s.name, stream)
					t.Run(c.marker, func(t *testing.T) {
						c.T = t
						m.run(c, s)
					})
				}
			}
		}
	}
	m.excused(t)
	providertest.GoldenFile(t, "../../docs/compatibility.md", m.page())
}

// run plays a scenario in a cell. Whole and streamed, the same must have been said.
func (m *matrix) run(c *cell, s *scenario) {
	at := spot{c.face.name, c.up.name, s.name}
	s.play(c)
	if m.verdicts[at] == nil {
		m.verdicts[at] = map[bool]string{}
	}
	m.verdicts[at][c.stream] = c.verdict()
	for _, r := range c.replies {
		r.turn = nil
		for i := range r.calls {
			r.calls[i].id = "" // made of the request's bytes
		}
	}
	before, ran := m.replies[at]
	if m.replies[at] = c.replies; ran && !s.breaks && !reflect.DeepEqual(before, c.replies) {
		c.Errorf("whole and streamed differ:\n%s\n%s", spell(before), spell(c.replies))
	}
}

func spell(replies []*reply) string {
	var b strings.Builder
	for _, r := range replies {
		fmt.Fprintf(&b, "%+v %+v\n", *r, r.fault)
	}
	return b.String()
}

// verdict puts what was seen in a word, as the list of excuses has it.
func (c *cell) verdict() string {
	var all []string
	if c.refused != "" {
		all = append(all, "refused: "+c.refused)
	}
	if len(c.absent) > 0 {
		all = append(all, "absent: "+strings.Join(c.absent, ", "))
	}
	if len(c.dropped) > 0 {
		all = append(all, "dropped: "+strings.Join(c.dropped, ", "))
	}
	if all == nil {
		return holds
	}
	return strings.Join(all, "; ")
}

// need is a condition that no excuse is taken for.
func (c *cell) need(ok bool, format string, args ...any) {
	c.Helper()
	if !ok {
		c.Errorf(format, args...)
	}
}

// want notes what is missing where it is.
func (c *cell) want(ok bool, what string) {
	if !ok {
		c.absent = append(c.absent, what)
	}
}

// ask sends a question and reads the reply as the language's clients do. It reports whether the
// question was taken.
func (c *cell) ask(q *question) (*reply, bool) {
	c.Helper()
	q.model, q.stream = c.up.model, c.stream
	q.system += " " + c.marker
	status, header, body := c.pose(q)
	got := &reply{}
	c.replies = append(c.replies, got)
	if status != http.StatusOK {
		got.fault = c.face.readFault(gjson.Parse(body))
		c.need(got.fault != nil, "%d is no error of %s: %s", status, c.face.name, body)
		if got.fault == nil {
			got.fault = &toldFault{}
		}
		got.fault.status = status
		c.refused = got.fault.message
		return got, false
	}
	if dropped := header.Get("x-aistrale-dropped"); dropped != "" {
		c.dropped = strings.Split(dropped, ",")
	}
	fidelity := map[bool]string{true: "exact", false: "translated"}[c.face.language == c.up.language]
	c.need(header.Get("x-aistrale-fidelity") == fidelity, "fidelity %q, want %q", header.Get("x-aistrale-fidelity"), fidelity)
	whole, ended := gjson.Parse(body), true
	var broken *toldFault
	if c.stream {
		c.need(strings.HasPrefix(header.Get("content-type"), "text/event-stream"), "a stream of type %q", header.Get("content-type"))
		whole, broken, ended = c.assemble(body)
	} else {
		c.need(gjson.Valid(body), "no JSON: %s", body)
	}
	*got = *c.face.read(whole)
	got.fault, got.ended = broken, ended
	return got, true
}

// answer is ask where the reply must come to its end.
func (c *cell) answer(q *question) (*reply, bool) {
	c.Helper()
	got, ok := c.ask(q)
	if ok {
		c.need(got.ended && got.fault == nil, "the reply does not end properly: %+v", got)
	}
	return got, ok
}

// assemble puts a stream together and holds it against the grammar of its language.
func (c *cell) assemble(body string) (whole gjson.Result, broken *toldFault, ended bool) {
	c.Helper()
	s := c.face.stream()
	err := providertest.Frames(true, strings.NewReader(body), func(raw, data []byte) {
		if data != nil {
			s.event(string(raw), string(data))
		}
	})
	c.need(err == nil, "no stream of events: %v", err)
	raw, fault, ended, wrong := s.end()
	if len(wrong) > 0 {
		c.Errorf("the stream breaks the grammar: %q\n%s", wrong, body)
	}
	if fault.Exists() {
		broken = c.face.readFault(fault)
		c.need(broken != nil, "no error of %s: %s", c.face.name, fault.Raw)
	}
	return raw, broken, ended
}

func (c *cell) pose(q *question) (status int, header http.Header, body string) {
	c.Helper()
	c.mock.ForgetCalls()
	req, err := http.NewRequest(http.MethodPost, c.url+c.face.path(q), strings.NewReader(jsonOf(c.face.ask(q))))
	if err != nil {
		c.Fatal(err)
	}
	req.Header.Set("content-type", "application/json")
	for name, value := range c.face.headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("x-mock", c.told)
	return do(c.T, req)
}

// sent is what the upstream was asked last.
func (c *cell) sent() gjson.Result {
	c.Helper()
	calls := c.mock.Calls()
	if len(calls) == 0 {
		c.Fatal("the upstream was not asked")
	}
	last := calls[len(calls)-1]
	c.need(strings.HasPrefix(last.URI, c.up.prefix), "the upstream was asked at %s", last.URI)
	c.need(strings.Contains(string(last.Body), c.marker), "the upstream was asked %s", last.Body)
	return gjson.ParseBytes(last.Body)
}
