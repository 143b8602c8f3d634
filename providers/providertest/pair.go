package providertest

import (
	"path/filepath"
	"strconv"
	"testing"

	"github.com/aistrale/aistrale/providers"
)

// GoldenPair walks testdata/pairs/<case>/ of the calling package: operations that a language
// serves by a pair of functions. The files are those of Golden, but that a second and third
// request of a plan, and their answers, stand in upstream_request_2.json and so on, and that
// usage.json is what was counted.
func GoldenPair(t *testing.T, face providers.Face, pair *providers.Pair) {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join("testdata", "pairs", "*", "request.json"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no golden cases under testdata/pairs: %v", err)
	}
	for _, file := range dirs {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			c := &golden{t: t, dir: dir, face: face}
			c.load()
			c.runPair(pair)
		})
	}
}

func (c *golden) runPair(pair *providers.Pair) {
	c.t.Helper()
	plan, err := pair.Write(c.call)
	if err != nil {
		c.refused(err)
		return
	}
	c.planned(plan)
	replies := make([][]byte, len(plan.Requests))
	for i := range replies {
		name := "upstream_response" + suffix(i)
		reply, ok := c.read(name)
		if !ok {
			c.t.Fatalf("%s is missing", filepath.Join(c.dir, name))
		}
		replies[i] = reply
	}
	body, usage, err := pair.Read(c.call, replies)
	if err != nil {
		c.refused(err)
		return
	}
	c.compare("response.json", body)
	c.compare("usage.json", count(usage))
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
	return append(strconv.AppendBool(append(b, `,"estimated":`...), u.Estimated), '}')
}
