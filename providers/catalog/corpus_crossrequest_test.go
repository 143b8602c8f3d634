package catalog_test

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/responses"
)

// What clients asked in one language keeps the rules of every other, and loses none of its words.
func TestCorpus_crossRequests(t *testing.T) {
	folder := corpusFolder(t)
	all := append(targets(), target{"gpt-5", "/responses", responses.Dialect{}, providers.Capabilities{}, validResponses})
	for _, l := range listeners {
		t.Run(l.face.Language(), func(t *testing.T) {
			t.Parallel()
			said, refusals := 0, map[string]int{}
			for _, name := range corpusFiles {
				eachLine(t, folder, name, func(line []byte) {
					o := gjson.ParseBytes(line)
					body := o.Get("request_body")
					r := &record{ID: o.Get("id").Str, Kind: o.Get("kind").Str}
					if tongueOf(r) == nil || !l.own(r) || !body.IsObject() || o.Get("status").Int() != 200 || !sampled(name, r.ID) {
						return
					}
					for i := range all {
						to := &all[i]
						if speaks(to.dialect) == l.face.Language() {
							continue
						}
						switch why := l.ask(t, r.ID, body.Raw, to); why {
						case "":
							said++
						default:
							refusals[why]++
						}
					}
				})
			}
			refused := 0
			for _, why := range slices.Sorted(maps.Keys(refusals)) {
				t.Logf("%4d refused: %s", refusals[why], why)
				refused += refusals[why]
			}
			if t.Logf("%d said, %d refused", said, refused); said < 500 || refused*4 > said {
				t.Errorf("%d said, %d refused", said, refused)
			}
		})
	}
}

func speaks(d providers.Dialect) string {
	for _, l := range listeners {
		if strings.HasPrefix(fmt.Sprintf("%T", d), strings.TrimSuffix(fmt.Sprintf("%T", l.face), "Face")) {
			return l.face.Language()
		}
	}
	return ""
}

// ask says a request to a target. It gives the reason for a refusal, which must be the client's
// own fault, or the language's lack of a word.
func (l *listener) ask(t *testing.T, id, raw string, to *target) (refused string) {
	t.Helper()
	var doc providers.Document
	if err := doc.Scan([]byte(raw), nil); err != nil {
		t.Errorf("%s: %v", id, err)
		return ""
	}
	call := providers.Call{
		Op: providers.OpChat, Doc: &doc, Asked: "asked", Model: to.name, Provider: "p", Path: to.path, ID: "req_0",
		Created: time.Unix(1_700_000_000, 0), EndUser: "user-hash", Can: to.can,
	}
	req, err := l.face.ReadRequest(&doc)
	var plan providers.Plan
	if err == nil {
		plan, err = to.dialect.WriteRequest(req, &call)
	}
	if err == nil && len(plan.Fetch) > 0 {
		call.Fetched = map[string]providers.Media{}
		for _, url := range plan.Fetch {
			call.Fetched[url] = providers.Media{Type: fetchedType(url), Data: pixel}
		}
		plan, err = to.dialect.WriteRequest(req, &call)
	}
	if err != nil {
		var fault *providers.Fault
		if !errors.As(err, &fault) || fault.Message == "" || fault.Kind != providers.FaultInvalid {
			t.Errorf("%s to %s: refused with %v", id, to.name, err)
		}
		return general.ReplaceAllString(err.Error(), "…")
	}
	sent := string(plan.Requests[0].Whole())
	for _, wrong := range append(to.valid(parse(sent)), l.lost(parse(raw), sent)...) {
		t.Errorf("%s to %s: %s", id, to.name, wrong)
	}
	return ""
}

// general takes the names and numbers out of a message.
var general = regexp.MustCompile(`'[^']{12,}'|"[^"]*"|\[?\d+\]?`)

func fetchedType(url string) string {
	if strings.Contains(url, ".pdf") {
		return "application/pdf"
	}
	return "image/png"
}

// lost names the words of a request that are not in its translation.
func (l *listener) lost(asked object, sent string) (wrong []string) {
	there := squash("\x00" + strings.Join(leaves(parse(sent)), "\x00") + "\x00")
	for _, one := range words(asked) {
		pieces := []string{one}
		if inner := parse(one); inner != nil { // a result that is an object may be sent as one
			pieces = leaves(inner)
		}
		for _, one := range pieces {
			if one = squash(one); one != "" && !strings.Contains(there, one) {
				wrong = append(wrong, "lost "+brief(one))
			}
		}
	}
	return wrong
}

// words lists what people, models and tools said in a request of any language, and its tools.
func words(v any) (out []string) {
	switch x := v.(type) {
	case []any:
		for _, one := range x {
			out = append(out, words(one)...)
		}
	case object:
		kind := str(x["type"])
		if kind == "thinking" || kind == "reasoning" || x["thought"] == true || kind == "server_tool_use" || strings.HasSuffix(kind, "_tool_result") {
			return nil // which other models do not get
		}
		for _, name := range slices.Sorted(maps.Keys(x)) {
			switch said := x[name].(type) {
			case string:
				if name == "text" || name == "system" || name == "instructions" || name == "content" && kind != "document" {
					out = append(out, said)
				}
			default:
				if name != "input_schema" && name != "parameters" && name != "parametersJsonSchema" && name != "schema" && name != "responseSchema" &&
					name != "response" && name != "args" && name != "prediction" && name != "reasoning_details" && name != "input" || name == "input" && x["model"] != nil {
					out = append(out, words(said)...)
				}
			}
		}
	}
	return out
}
