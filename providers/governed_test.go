package providers

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

var testRules = []Governed{
	{Path: "models", Effect: NamesModel},
	{Path: "service_tier", Effect: ChangesPrice, Except: []string{"auto", "default"}},
	{Path: "tools.#.type", Effect: ReachesNetwork, Except: []string{"function", "custom"}},
	{Path: "messages.#.content.#.file.file_id", Effect: NamesObject},
	{Path: "compound.models.*", Effect: NamesModel},
}

// hits scans a body and prints what the watch found, in order.
func hits(t *testing.T, w *Watch, body string) string {
	t.Helper()
	var d Document
	if err := d.Scan([]byte(body), w); err != nil {
		t.Fatalf("scan %s: %v", body, err)
	}
	var out []string
	for _, h := range d.Hits {
		out = append(out, h.Rule.Path+"="+string(h.Value))
	}
	return strings.Join(out, " ")
}

func TestWatch(t *testing.T) {
	w := NewWatch(testRules)
	f := func(body, want string) {
		t.Helper()
		if got := hits(t, w, body); got != want {
			t.Errorf("%s\n got %s\nwant %s", body, got, want)
		}
	}
	f(`{"model":"m","messages":[]}`, "")
	f(`{"models":["a","b"]}`, `models=["a","b"]`)
	f(`{"models":null}`, "")
	f(`{"models":false}`, `models=false`)
	f(`{"service_tier":"auto"}`, "")
	f(`{"service_tier":"\u0061uto"}`, "")
	f(`{"service_tier":"flex"}`, `service_tier="flex"`)
	f(`{"service_tier":["auto"]}`, `service_tier=["auto"]`)
	f(`{"service_tier":"Auto"}`, `service_tier="Auto"`)

	f(`{"tools":[{"type":"function"},{"type":"web_search"}]}`, `tools.#.type="web_search"`)
	f(`{"tools":[{"type":"function","type":"web_search"}]}`, `tools.#.type="web_search"`)
	f(`{"tools":{"type":"web_search"}}`, "")
	f(`{"tools":[[{"type":"web_search"}]]}`, "")
	f(`{"tools":[{"function":{"parameters":{"type":"object"}}}]}`, "")
	f(`{"x":{"tools":[{"type":"web_search"}]}}`, "")

	f(`{"messages":[{"content":"s"},{"content":[{"file":{"file_id":"f1"}},{"file":{"file_id":"f2"}}]}]}`,
		`messages.#.content.#.file.file_id="f1" messages.#.content.#.file.file_id="f2"`)
	f(`{"messages":[{"content":[{"file":{"file_id":null}}]}]}`, "")
	f(`{"compound":{"models":{"a":"x","b":["y"],"c":null}}}`, `compound.models.*="x" compound.models.*=["y"]`)
}

func TestWatch_spellings(t *testing.T) {
	w := NewWatch(testRules)
	f := func(body string) {
		t.Helper()
		if hits(t, w, body) == "" {
			t.Errorf("%s slips past", body)
		}
	}
	f(`{"\u006dodels":["a"]}`)
	f(`{"\u006D\u006F\u0064\u0065\u006C\u0073":["a"]}`)
	f(`{"Models":["a"]}`)
	f(`{"MODEL\u0053":["a"]}`)
	f(`{"modelſ":["a"]}`)
	f(`{"model\u017f":["a"]}`)
	f(`{"to\u006fls":[{"typ\u0065":"web_search"}]}`)
	f(`{"Tools":[{"TYPE":"web_search"}]}`)
	f(`{"compound":{"models":{"":"x"}}}`)
	f(`{"compound":{"\u006dodels":{"\\":"x"}}}`)
}

func TestNewWatch_merges(t *testing.T) {
	w := NewWatch(
		[]Governed{{Path: "service_tier", Effect: ChangesPrice, Except: []string{"auto"}}, {Path: "route", Effect: NamesModel}},
		[]Governed{{Path: "service_tier", Effect: ChangesPrice, Except: []string{"on_demand"}}, {Path: "route", Effect: ReachesNetwork}},
	)
	f := func(body, want string) {
		t.Helper()
		if got := hits(t, w, body); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
	f(`{"service_tier":"auto"}`, "")
	f(`{"service_tier":"on_demand"}`, "")
	f(`{"service_tier":"flex"}`, `service_tier="flex"`)
	f(`{"route":"x"}`, `route="x" route="x"`) // two effects, each told
	rules := []Governed{{Path: "a", Effect: NamesModel, Except: []string{"x"}}}
	NewWatch(rules, []Governed{{Path: "a", Effect: NamesModel, Except: []string{"y"}}})
	if len(rules[0].Except) != 1 {
		t.Error("compiling a watch changed its caller's rules")
	}
}

func TestHit_Names(t *testing.T) {
	f := func(value string, want ...string) {
		t.Helper()
		if got := (Hit{Value: []byte(value)}).Names(); !slices.Equal(got, want) {
			t.Errorf("names in %s: %q, want %q", value, got, want)
		}
	}
	f(`"a"`, "a")
	f(`["a","b\n","\u0063"]`, "a", "b\n", "c")
	f(`{"model":"a","more" : ["b",{"c":"d"}],"n":1}`, "a", "b", "d")
	f(`{"a\":\"":"x"}`, "x")
	f(`["a:","b"]`, "a:", "b")
	f(`7`)
	f(`[]`)
}

// leaves lists the string leaves of a value as another parser reads them.
func leaves(value []byte) (out []string, ok bool) {
	dec := jsontext.NewDecoder(strings.NewReader(string(value)), jsontext.AllowDuplicateNames(true))
	for {
		tok, err := dec.ReadToken()
		if err != nil {
			return out, err.Error() == "EOF"
		}
		kind, n := dec.StackIndex(dec.StackDepth())
		if tok.Kind() == '"' && (kind != '{' || n%2 == 0) {
			out = append(out, tok.String())
		}
	}
}

func FuzzWatch(f *testing.F) {
	for _, seed := range scanSeeds {
		f.Add([]byte(seed))
	}
	f.Add([]byte(`{"Tools":[{"typ\u0065":"web_search","x":{"type":1}}],"compound":{"models":{"a":["b",{"c":"d"}]}}}`))
	w := NewWatch(testRules)
	f.Fuzz(func(t *testing.T, raw []byte) {
		var d Document
		if d.Scan(raw, w) != nil {
			return
		}
		var got []string
		for _, h := range d.Hits {
			got = append(got, fmt.Sprintf("%s=%s", h.Rule.Path, h.Value))
			if want, ok := leaves(h.Value); ok && fmt.Sprint(h.Names()) != fmt.Sprint(want) {
				t.Fatalf("names in %s: %q, want %q", h.Value, h.Names(), want)
			}
		}
		var want []string
		walk(jsontext.Value(raw), "", func(path, value string) {
			for _, r := range testRules {
				if matches(r.Path, path) && !excepted(r.Except, value) {
					want = append(want, r.Path+"="+value)
				}
			}
		})
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("%s\n got %q\nwant %q", raw, got, want)
		}
	})
}

// walk calls found with the path and the raw value of every member, names joined by \x00.
func walk(value jsontext.Value, path string, found func(path, value string)) {
	dec := jsontext.NewDecoder(strings.NewReader(string(value)), jsontext.AllowDuplicateNames(true))
	open := dec.PeekKind()
	if open != '{' && open != '[' {
		return
	}
	_, _ = dec.ReadToken()
	for dec.PeekKind() != '}' && dec.PeekKind() != ']' {
		at := path + "\x00#"
		if open == '{' {
			name, err := dec.ReadToken()
			if err != nil {
				return
			}
			at = path + "\x00." + name.String()
		}
		v, err := dec.ReadValue()
		if err != nil {
			return
		}
		if open == '{' {
			found(at, string(v))
		}
		walk(v.Clone(), at, found)
	}
}

// matches compares a rule's path with one of walk, where members are marked by a dot.
func matches(rule, path string) bool {
	want, got := strings.Split(rule, "."), strings.Split(path, "\x00")[1:]
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		name, isMember := strings.CutPrefix(got[i], ".")
		switch {
		case !isMember && want[i] != "#", isMember && want[i] != "*" && !strings.EqualFold(name, want[i]):
			return false
		}
	}
	return true
}

func excepted(except []string, value string) bool {
	if value == "null" {
		return true
	}
	text, err := jsontext.AppendUnquote(nil, value)
	return err == nil && value[0] == '"' && slices.Contains(except, string(text))
}

// A rule for some values never narrows another for all.
func TestNewWatch_keepsRulesWithAPrefixApart(t *testing.T) {
	some := []Governed{{Path: "a", Effect: NamesObject, Prefix: []string{"gs://"}}}
	all := []Governed{{Path: "a", Effect: NamesObject}}
	for _, w := range []*Watch{NewWatch(some, all), NewWatch(all, some)} {
		if got := hits(t, w, `{"a":"file-1"}`); got != `a="file-1"` {
			t.Errorf("found %q", got)
		}
	}
}

// A rule for some elements looks at each as a whole, wherever what it asks for stands in it.
func TestGovernedWhere(t *testing.T) {
	marked := func(element []byte) bool { return strings.Contains(string(element), `"mark"`) }
	rules := []Governed{{Path: "a.#.id", Effect: NamesObject, Where: marked}, {Path: "a.#.x.#.y", Effect: NamesModel}}
	f := func(body, want string) {
		t.Helper()
		if got := hits(t, NewWatch(rules), body); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
	f(`{"a":[{"id":"1"},{"id":"2","mark":0}, {"mark":0,"ID":"3"} ,{"id":"4"}],"mark":0}`, `a.#.id="2" a.#.id="3"`)
	f(`{"a":[{"id":"1","x":[{"y":"m","mark":[{"}":"]"}]}]},{"x":[{"y":"n"}],"id":"2"}]}`, `a.#.id="1" a.#.x.#.y="m" a.#.x.#.y="n"`)
	f(`{"a":[[{"id":"1","mark":0}],"mark",{"id":null,"mark":0}],"id":"mark"}`, "")
	// One for all elements stands beside it.
	if got := hits(t, NewWatch(rules, []Governed{{Path: "a.#.id", Effect: NamesObject}}), `{"a":[{"id":"1"}]}`); got != `a.#.id="1"` {
		t.Errorf("found %q", got)
	}
}

func TestGovernedPrefix(t *testing.T) {
	watch := NewWatch([]Governed{{Path: "a.url", Effect: NamesObject, Prefix: []string{"gs://", "https://files.example/"}}})
	f := func(body string, hits int) {
		t.Helper()
		var d Document
		if err := d.Scan([]byte(body), watch); err != nil {
			t.Fatal(err)
		}
		if len(d.Hits) != hits {
			t.Errorf("%s: %d hits, want %d", body, len(d.Hits), hits)
		}
	}
	f(`{"a":{"url":"gs://bucket/x"}}`, 1)
	f(`{"a":{"url":"\u0067s://bucket/x"}}`, 1)
	f(`{"a":{"url":"https://files.example/1"}}`, 1)
	f(`{"a":{"url":"https://other.example/1"}}`, 0)
	f(`{"a":{"url":{"x":"gs://bucket"}}}`, 0)
	f(`{"a":{"url":null}}`, 0)
}
