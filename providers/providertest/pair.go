package providertest

import (
	"bytes"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
)

// GoldenPair walks testdata/<folder>/<case>/ of the calling package: operations that a language
// serves by a pair of functions. The files are those of Golden, but that a second and third
// request of a plan, and their answers, stand in upstream_request_2.json and so on, that an answer
// that is no JSON ends with .bin, and that usage.json is what was counted. A stream is read by the
// dialect.
func GoldenPair(t *testing.T, folder string, face providers.Face, dialect providers.Dialect, pair *providers.Pair) {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join("testdata", folder, "*", "request.json"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no golden cases under testdata/%s: %v", folder, err)
	}
	for _, file := range dirs {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			c := &golden{t: t, dir: dir, face: face, dialect: dialect}
			c.load()
			c.runPair(pair)
		})
	}
}

// pairFace is a face with a pair's way to say streams.
type pairFace struct {
	providers.Face
	pair *providers.Pair
}

// Writer implements providers.Face.
func (p pairFace) Writer(call *providers.Call) providers.Writer { return p.pair.Stream(call) }

func (c *golden) runPair(pair *providers.Pair) {
	c.t.Helper()
	plan, err := pair.Write(&c.call)
	if err != nil {
		c.refused(err)
		return
	}
	c.planned(plan)
	if body, ok := c.read("upstream_response.sse"); ok && pair.Stream != nil {
		c.face = pairFace{c.face, pair}
		c.replied(plan, body)
		return
	}
	replies := make([][]byte, len(plan.Requests))
	for i := range replies {
		name := "upstream_response" + suffix(i)
		reply, ok := c.read(name)
		if !ok {
			reply, ok = c.read(strings.TrimSuffix(name, ".json") + ".bin")
		}
		if !ok {
			c.t.Fatalf("%s is missing", filepath.Join(c.dir, name))
		}
		replies[i] = bytes.TrimSuffix(reply, []byte("\n"))
	}
	said, err := pair.Read(&c.call, replies)
	c.optional("usage.json", count(said.Usage))
	if err != nil {
		c.refused(err)
		return
	}
	c.compare("response"+extension(said.Type), said.Body)
}

// extension ends the name of a file of a content type.
func extension(kind string) string {
	switch kind, _, _ = strings.Cut(kind, ";"); {
	case kind == "" || kind == "application/json":
		return ".json"
	case kind == "text/event-stream":
		return ".sse"
	case strings.HasPrefix(kind, "text/"):
		return ".txt"
	}
	return ".bin"
}

// suffix ends the name of the n-th request's file.
func suffix(n int) string {
	if n == 0 {
		return ".json"
	}
	return "_" + strconv.Itoa(n+1) + ".json"
}

// count prints usage as a golden file.
func count(u providers.Usage) []byte {
	n := u.Total()
	b := strconv.AppendInt([]byte(`{"input":`), n.Input(), 10)
	b = strconv.AppendInt(append(b, `,"output":`...), n.Output, 10)
	for _, unit := range []struct {
		name string
		n    int64
	}{{"image_in", n.ImageIn}, {"image_out", n.ImageOut}, {"audio_out", n.AudioOut}, {"images", n.Images}, {"characters", n.Characters}, {"audio_in_ms", n.AudioInMs}} {
		if unit.n > 0 {
			b = strconv.AppendInt(append(append(append(b, `,"`...), unit.name...), `":`...), unit.n, 10)
		}
	}
	return append(strconv.AppendBool(append(b, `,"estimated":`...), u.Estimated), '}')
}
