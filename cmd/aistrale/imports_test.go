package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/aistrale/aistrale"

// arrows is the table of docs/architecture.md: which of our packages a package may import. "*"
// in a name is one path element; a package takes the first row that fits. What only tests
// import does not count.
var arrows = []arrow{
	{"cmd/*", []string{"proxy", "admin", "policy", "policy/*", "providers", "providers/*", "storage", "storage/*", "internal/*"}},
	{"bench", []string{"proxy", "policy", "providers", "providers/*", "storage", "storage/*", "internal/telemetry"}},
	{"bench/*", []string{"proxy", "internal/outbound", "providers", "providers/*"}},
	{"deploy", nil},
	{"proxy", []string{"internal/edge", "internal/guard", "internal/outbound", "policy", "policy/prompt", "providers", "providers/aws", "providers/sound", "providers/sse", "providers/transcript", "storage"}},
	{"admin", []string{"internal/edge", "internal/sheet", "policy", "policy/prompt", "providers", "storage", "storage/auditlog", "storage/ledger"}},
	{"policy", []string{"providers", "providers/catalog", "storage"}},
	{"policy/prompt", []string{"policy", "providers", "storage"}},
	{"storage", []string{"providers"}},
	{"storage/durable", nil},
	{"storage/sqlite", []string{"storage", "storage/durable", "storage/ledger", "providers", "policy"}},
	{"storage/postgres", []string{"storage", "storage/ledger", "providers", "policy"}},
	{"storage/journal", []string{"storage", "storage/durable", "storage/ledger"}},
	{"storage/storagetest", []string{"storage", "storage/ledger", "providers", "policy"}},
	{"storage/auditlog", []string{"storage"}},
	{"storage/*", []string{"storage", "providers", "policy"}},
	{"internal/accesstoken", []string{"storage"}},
	{"internal/edge", []string{"storage"}},
	{"internal/edge/edgetest", nil},
	{"internal/boards", []string{"internal/telemetry"}}, // in no program: what lies under deploy is made of it
	{"internal/defect", []string{"storage"}},
	{"internal/guard", nil},
	{"internal/redact", nil},
	{"internal/outbound", []string{"storage"}},
	{"internal/outbound/outboundtest", nil},
	{"internal/outlet", []string{"internal/guard", "providers", "providers/aws"}},
	{"internal/sheet", []string{"storage"}},
	{"internal/transit", []string{"storage"}},
	{"internal/telemetry", []string{"storage", "providers"}},
	{"providers", nil},
	{"providers/sse", []string{"providers"}},
	{"providers/aws", []string{"providers", "providers/sse"}},
	{"providers/schema", []string{"providers"}},
	{"providers/embeddings", []string{"providers"}},
	{"providers/media", []string{"providers"}},
	{"providers/providertest", []string{"providers", "providers/sse"}},
	{"providers/catalog", []string{"providers", "providers/*", "storage"}},
	{"providers/catalog/gen", []string{"providers", "providers/catalog", "storage"}},
	{"providers/responses", []string{"providers", "providers/openai"}}, // OpenAI's second language
	{"providers/*", []string{"providers", "providers/aws", "providers/sse", "providers/schema", "providers/embeddings", "providers/media"}},
}

// outside names what only some packages may import of the world, and why.
var outside = []struct {
	pkg, why string
	may      []string
}{
	{"github.com/valyala/fasthttp", "languages and policy know no HTTP", []string{"cmd/*", "bench", "bench/*", "proxy", "admin", "providers/mock"}},
	{"database/sql", "only a store knows SQL", []string{"storage/*", "cmd/*"}},
	{"github.com/jackc/pgx/v5", "only a store knows SQL", []string{"bench", "storage/*", "cmd/*"}},
	{"github.com/redis/go-redis/v9", "only a store knows Redis", []string{"storage/*", "cmd/*"}},
	{"testing", "the program does not carry its tests", []string{"storage/storagetest", "providers/providertest", "internal/edge/edgetest", "internal/outbound/outboundtest"}},
	{"os/exec", "the program runs no other", []string{"storage/storagetest", "bench", "bench/*"}},
	{"plugin", "the program runs no other", nil},
	{"unsafe", "memory is Go's to keep safe", []string{"storage/durable"}},
	{"encoding/gob", "what comes from outside is JSON", nil},
	{"encoding/xml", "what comes from outside is JSON", nil},
	{"text/template", "templates of users call nothing", nil},
	{"html/template", "templates of users call nothing", nil},
	{"crypto/md5", "it is broken", nil},
	{"crypto/des", "it is broken", nil},
	{"crypto/rc4", "it is broken", nil},
	{"crypto/sha1", "it is broken; WebSocket's handshake is made of it all the same", []string{"proxy", "providers/mock"}},
	{"math/rand", "use math/rand/v2, or crypto/rand for secrets", nil},
}

type arrow struct {
	pkg string
	may []string // nil is nothing of ours
}

type listed struct {
	ImportPath string
	Imports    []string
}

func TestImports(t *testing.T) {
	t.Parallel()
	packages := list(t)
	if len(packages) < 10 {
		t.Fatalf("only %d packages found", len(packages))
	}
	for _, p := range packages {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		row := slices.IndexFunc(arrows, func(a arrow) bool { return fits(a.pkg, name) })
		if row < 0 {
			t.Errorf("package %s has no row in the table of arrows", name)
			continue
		}
		for _, imported := range p.Imports {
			ours, is := strings.CutPrefix(imported, module+"/")
			if is && !anyFits(arrows[row].may, ours) {
				t.Errorf("%s imports %s, which docs/architecture.md does not allow", name, ours)
			}
			for _, o := range outside {
				if o.pkg == imported && !anyFits(o.may, name) {
					t.Errorf("%s imports %s: %s", name, imported, o.why)
				}
			}
		}
	}
}

// A package or file named for what it is not about is where everything ends up.
func TestNames(t *testing.T) {
	vague := []string{"util", "utils", "common", "helper", "helpers", "type", "types", "model", "models", "misc", "shared", "base"}
	for _, p := range list(t) {
		if slices.Contains(vague, path.Base(p.ImportPath)) {
			t.Errorf("package %s says nothing", p.ImportPath)
		}
	}
	for _, file := range tracked(t) {
		stem, is := strings.CutSuffix(path.Base(file), ".go")
		stem = strings.TrimSuffix(stem, "_test")
		if is && stem != "model" && slices.Contains(vague, stem) { // a catalogue has a Model
			t.Errorf("file %s says nothing", file)
		}
	}
}

func TestFits(t *testing.T) {
	f := func(pattern, name string, want bool) {
		t.Helper()
		if got := fits(pattern, name); got != want {
			t.Errorf("fits(%s, %s) = %v", pattern, name, got)
		}
	}
	f("providers", "providers", true)
	f("providers", "providers/sse", false)
	f("providers/*", "providers/sse", true)
	f("providers/*", "providers", false)
	f("providers/*", "providers/catalog/gen", false)
	f("proxy", "proxyx", false)
}

func fits(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

func anyFits(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return fits(p, name) })
}

// list asks the go command, which knows build tags and leaves test files out of Imports.
func list(t *testing.T) []listed {
	t.Helper()
	out := output(t, "go", "list", "-e", "-json=ImportPath,Imports", module+"/...")
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// tracked lists the Go files of the module, by the packages that hold them.
func tracked(t *testing.T) []string {
	t.Helper()
	const names = `{{$p := .ImportPath}}{{range .GoFiles}}{{$p}}/{{.}} {{end}}{{range .IgnoredGoFiles}}{{$p}}/{{.}} {{end}}` +
		`{{range .TestGoFiles}}{{$p}}/{{.}} {{end}}{{range .XTestGoFiles}}{{$p}}/{{.}} {{end}}`
	return strings.Fields(string(output(t, "go", "list", "-e", "-f", names, module+"/...")))
}

func output(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, said.Bytes())
	}
	return out
}
