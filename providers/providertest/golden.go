package providertest

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/providers"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Golden walks testdata/<case>/ of the calling package. A case is a folder:
//
//	request.json            what the client sends
//	call.json               optional: how the gateway calls (see Setting)
//	upstream_request.json   what the upstream is sent
//	plan.json               optional: path, headers, what was dropped, URLs to fetch
//	upstream_response.json  what the upstream answers; .sse for a stream
//	response.json           what the client reads; .sse for a stream
//	observed.json           optional: what Observe saw, merged
//	fault.json              optional: the refusal in the hub's words, with the client's status
//
// A case without upstream_response ends with the request; one whose request is refused has
// only request, response and fault. Every stream is read whole, one byte at a time and cut at
// random, and must give the same bytes. With -update the files behind request and
// upstream_response are written anew; read the diff.
func Golden(t *testing.T, face providers.Face, dialect providers.Dialect) {
	t.Helper()
	GoldenIn(t, "testdata", face, dialect)
}

// GoldenIn is Golden for the cases under another folder, for a package with more than one pair
// of a face and a dialect.
func GoldenIn(t *testing.T, folder string, face providers.Face, dialect providers.Dialect) {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(folder, "*", "request.json"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no golden cases under %s: %v", folder, err)
	}
	for _, file := range dirs {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			c := &golden{t: t, dir: dir, face: face, dialect: dialect}
			c.run()
		})
	}
}

type golden struct {
	t       *testing.T
	dir     string
	face    providers.Face
	dialect providers.Dialect
	set     Setting
	call    providers.Call
	doc     providers.Document
}

func (c *golden) run() {
	c.t.Helper()
	c.load()
	plan, err := c.plan()
	if err != nil {
		c.refused(err)
		return
	}
	c.planned(plan)
	body, ok := c.read("upstream_response" + c.ext())
	switch {
	case c.set.Status >= 400:
		if body, ok = c.read("upstream_response.json"); !ok {
			c.t.Fatal("a status without upstream_response.json")
		}
		c.refused(c.dialect.Fault(c.set.Status, c.header, body))
	case ok:
		c.replied(plan, body)
	}
}

func (c *golden) load() {
	c.t.Helper()
	raw, _ := c.read("request.json")
	if err := c.doc.Scan(bytes.TrimSpace(raw), nil); err != nil {
		c.t.Fatal(err)
	}
	if set, ok := c.read("call.json"); ok {
		if err := json.Unmarshal(set, &c.set, json.RejectUnknownMembers(true)); err != nil {
			c.t.Fatal(err)
		}
	}
	call, err := c.set.Call(&c.doc)
	if err != nil {
		c.t.Fatal(err)
	}
	c.call = call
}

func (c *golden) ext() string {
	if c.call.Stream {
		return ".sse"
	}
	return ".json"
}

func (c *golden) plan() (providers.Plan, error) {
	if c.set.Exact {
		return c.dialect.Splice(&c.call)
	}
	req, err := c.face.ReadRequest(&c.doc)
	if err != nil {
		return providers.Plan{}, err
	}
	return c.dialect.WriteRequest(req, &c.call)
}

func (c *golden) planned(plan providers.Plan) {
	c.t.Helper()
	for i := range plan.Requests {
		name := "upstream_request" + suffix(i)
		got := plan.Requests[i].Whole()
		if len(got) == 0 {
			continue // a file, and nothing else
		}
		if !c.set.Exact {
			got = indent(c.t, got)
		}
		c.compare(name, got)
	}
	c.optional("plan.json", summarize(plan))
}

func (c *golden) replied(plan providers.Plan, body []byte) {
	c.t.Helper()
	for how, open := range Cut(body, 42) {
		got, err := c.relay(plan, open())
		if err != nil {
			c.t.Fatalf("%s: %v", how, err)
		}
		if !c.call.Stream && !c.set.Exact {
			got = indent(c.t, got)
		}
		c.compare("response"+c.ext(), got)
		c.optional("observed.json", observed(c.t, c.dialect, c.call.Stream, open()))
		if !c.call.Stream {
			break // a whole reply is read at once
		}
	}
}

// relay gives what the client reads of a reply.
func (c *golden) relay(plan providers.Plan, body io.Reader) (got []byte, err error) {
	switch {
	case c.set.Cut > 0:
		return CutFrom(c.face, c.dialect, &c.call, body, Ending{Exact: c.set.Exact, After: c.set.Cut})
	case !c.set.Exact:
		return RelayFrom(c.face, c.dialect, &c.call, body)
	}
	err = Frames(c.call.Stream, body, func(raw, data []byte) {
		if !plan.HideUsage || !c.dialect.Observe(data).UsageOnly {
			got = append(got, raw...)
		}
	})
	return got, err
}

func (c *golden) refused(err error) {
	c.t.Helper()
	var fault *providers.Fault
	if !errors.As(err, &fault) {
		c.t.Fatalf("not a *providers.Fault: %v", err)
	}
	status, body := c.face.Refuse(fault)
	c.compare("response.json", indent(c.t, body))
	c.optional("fault.json", describe(fault, status))
}

func (c *golden) header(name string) string {
	for k, v := range c.set.Headers {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return ""
}

func (c *golden) read(name string) ([]byte, bool) {
	c.t.Helper()
	b, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		c.t.Fatal(err)
	}
	return b, err == nil
}

// compare holds got against a golden file, which must exist.
func (c *golden) compare(name string, got []byte) {
	c.t.Helper()
	GoldenFile(c.t, filepath.Join(c.dir, name), got)
}

// GoldenFile holds got against a file that is checked in, or with -update writes it.
func GoldenFile(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if !bytes.HasSuffix(got, []byte("\n")) {
			got = append(bytes.Clone(got), '\n')
		}
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with -update and read it. got:\n%s", err, got)
	}
	if !bytes.Equal(bytes.TrimRight(want, "\n"), bytes.TrimRight(got, "\n")) {
		t.Errorf("%s\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

// optional compares a file that a case need not have.
func (c *golden) optional(name string, got []byte) {
	c.t.Helper()
	if _, ok := c.read(name); ok || *update {
		c.compare(name, got)
	}
}

// indent makes JSON readable and leaves its order and its strings alone.
func indent(t *testing.T, raw []byte) []byte {
	t.Helper()
	v := jsontext.Value(bytes.Clone(raw))
	if err := v.Indent(jsontext.WithIndent("  ")); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, raw)
	}
	return v
}
