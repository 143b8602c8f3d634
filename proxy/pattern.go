package proxy

import (
	"bytes"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// pattern is a path with variables, cut into what stands between them.
type pattern struct {
	endpoint *providers.Endpoint
	head     string // before the first variable
	names    []string
	tails    []string // after each variable
}

// maxVars bounds the variables of one path.
const maxVars = 3

// pathVars are what a request's path says for the variables of its endpoint. The values point
// into the request.
type pathVars struct {
	names  []string
	values [maxVars][]byte
}

// get gives a variable's value, "" where the path has none of that name.
func (v *pathVars) get(name string) string {
	for i := range v.names {
		if v.names[i] == name {
			return string(v.values[i])
		}
	}
	return ""
}

// model is the name of a model. Google's clients write it as that of a resource, and then some.
func (v *pathVars) model() string { return strings.TrimPrefix(v.get("model"), "models/") }

func newPattern(at *providers.Endpoint) pattern {
	p := pattern{endpoint: at}
	var rest string
	p.head, rest, _ = strings.Cut(at.Path, "{")
	for rest != "" {
		name, after, _ := strings.Cut(rest, "}")
		tail, more, _ := strings.Cut(after, "{")
		p.names, p.tails = append(p.names, name), append(p.tails, tail)
		rest = more
	}
	if len(p.names) > maxVars {
		panic("proxy: too many variables in " + at.Path)
	}
	return p
}

// match reads the variables from a path. A "{model}" takes all it can, others no slash.
func (p *pattern) match(path []byte) (vars pathVars, ok bool) {
	rest, ok := bytes.CutPrefix(path, []byte(p.head))
	if !ok {
		return vars, false
	}
	vars.names = p.names
	for i, tail := range p.tails {
		end := len(rest)
		switch last := i == len(p.tails)-1; {
		case last && !bytes.HasSuffix(rest, []byte(tail)):
			return vars, false
		case last:
			end -= len(tail)
		default:
			if end = bytes.Index(rest, []byte(tail)); end < 0 {
				return vars, false
			}
		}
		value := rest[:max(end, 0)]
		if len(value) == 0 || p.names[i] != "model" && bytes.IndexByte(value, '/') >= 0 {
			return vars, false
		}
		vars.values[i] = value
		rest = rest[end+len(tail):]
	}
	return vars, true
}
