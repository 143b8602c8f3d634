package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func fmtAll(v any) string { return fmt.Sprintf("%v %+v %#v %s", v, v, v, v) }

const goodKey = "sk-ais-abcd1234-ssssssssssssssssssssssssssssssss"

// Each way to be wrong, and what the operator is told: line, path, and what to do.
func TestLoadConfig_mistakes(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		file := writeConfig(t, text)
		_, err := loadConfig(file, variables("SET", "value", "EMPTY", ""))
		if err == nil {
			t.Errorf("%q is accepted", text)
			return
		}
		var found *mistakes
		if !errors.As(err, &found) {
			t.Errorf("%q: error %T: %v", text, err, err)
		}
		got := strings.ReplaceAll(err.Error(), file, "f")
		if len(want) > 1 {
			want = slices.Insert(want, 0, fmt.Sprintf("%d mistakes:", len(want)))
		}
		if got != strings.Join(want, "\n") {
			t.Errorf("%q\n got %s\nwant %s", text, got, strings.Join(want, "\n"))
		}
	}
	const mock = "providers: [{name: mock}]\n"

	f("", "f: providers: there is none; name at least one, mock for a try")
	f("# nothing\n", "f: providers: there is none; name at least one, mock for a try")
	f(mock+"lisen: x", `f:2: lisen: unknown key, did you mean "listen"?`)
	f(mock+"data-dir: x", `f:2: data-dir: unknown key, did you mean "data_dir"?`)
	f(mock+"timeouts: {frist_byte: 1s}", `f:2: timeouts.frist_byte: unknown key, did you mean "first_byte"?`)
	f(mock+"storage: {mongodb: x}", `f:2: storage.mongodb: unknown key; known are postgres, redis, redis_mode`)
	f(mock+"listen: a\nlisten: b\nnode: c", `f:2: listen: "a" is not an address such as :8080 or 127.0.0.1:8080`, `f:3: listen: stands twice`)
	f(mock+"listen: ':99999'", `f:2: listen: ":99999" is not an address such as :8080 or 127.0.0.1:8080`)
	f(mock+"listen: ''", `f:2: listen: "" is not an address such as :8080 or 127.0.0.1:8080`)
	f(mock+"listen: 127.0.0.1:8081", "f: admin_listen: is the same address as listen, 127.0.0.1:8081")
	f(mock+"listen: [a]", "f:2: listen: want a single value, got a list")
	f(mock+"timeouts: 5s", "f:2: timeouts: want a mapping, got a single value")
	f(mock+"keys: {a: b}", "f:2: keys: want a list, got a mapping")
	f("- a", "f: providers: there is none; name at least one, mock for a try", "f:1: want a mapping, got a list")
	f(mock+"[a]: b", "f:2: want a plain key, got a list")
	f(mock+"<<: {listen: ':1'}", "f:2: <<: unknown key")
	f("data_dir: &a [*a]\n"+mock, "f:1: data_dir: want a single value, got a list")
	f("keys: &a [{models: *a}]\n"+mock, "f:1: keys[0].models[0]: want a single value, got a mapping", `f:1: keys[0].name: is missing`, `f:1: keys[0].key: is missing`)
	f(mock+"data_dir: ''", "f:2: data_dir: is empty")
	f(mock+"log_level: wran", `f:2: log_level: "wran" is no level, did you mean "warn"?`)

	f(mock+"max_body: 32Mi", `f:2: max_body: "32Mi" is not a size such as 32MiB or 4096`)
	f(mock+"max_body: 0", "f:2: max_body: must be at least one byte")
	f(mock+"max_header: 1", "f:2: max_header: must be at least 1KiB, which common clients need")
	f(mock+"max_upload: 0", "f:2: max_upload: must be at least one byte")
	f(mock+"upload_disk: 1MiB", "f:2: upload_disk: is less than max_upload, so that the largest upload could never be kept")
	f(mock+"body_memory: 1MiB", "f:2: body_memory: is less than max_body, so that the largest body could never be read")
	f(mock+"concurrency: 1.5", `f:2: concurrency: "1.5" is not a whole number`)
	f(mock+"concurrency: 0", "f:2: concurrency: must be at least 1")
	f(mock+"drain_timeout: 30", `f:2: drain_timeout: "30" is not a duration such as 15s, 10m or 90d`)
	f(mock+"drain_timeout: -1s", "f:2: drain_timeout: is negative")
	f(mock+"drain_delay: -1s", "f:2: drain_delay: is negative")
	f(mock+"timeouts:\n  connect: 0s\n  idle: -1s", "f:3: timeouts.connect: must be more than 0: no wait is unbounded",
		"f:4: timeouts.idle: must be more than 0: no wait is unbounded")

	f(mock+"node: ${UNSET}", "f:2: node: environment variable UNSET is not set; write ${UNSET:-} where it may be missing")
	f(mock+"node: ${EMPTY}", "f:2: node: environment variable EMPTY is not set; write ${EMPTY:-} where it may be missing")
	f(mock+"node: ${SET", "f:2: node: ${ without its }; a literal ${ is written $${")
	f(mock+"node: ${a b}", "f:2: node: ${a b}: not the name of an environment variable; a literal ${ is written $${")
	f("providers:\n  - {name: openai, api_key: '${KEY}'}", "f:2: providers[0].api_key: environment variable KEY is not set; write ${KEY:-} where it may be missing")
	f(mock+"node: '${file:/does/not/exist}'", "f:2: node: ${file:…}: open /does/not/exist: no such file or directory")

	f("providers:\n  - {}", "f:2: providers[0].name: is missing")
	f("providers:\n  -", "f:2: providers[0].name: is missing")
	f("providers:\n  - {name: mock}\n  - {name: mock}", `f:3: providers[1].name: provider "mock" stands twice, first at providers[0].name`)
	f("providers: [{name: Mock}]", `f:1: providers[0].name: "Mock" is no provider's name: lower-case letters, digits, '.', '_', '-'; not "prompt" or "aistrale"`,
		`f:1: providers[0].dialect: is missing: "Mock" is no known provider, did you mean "mock"?`,
		`f:1: providers[0].base_url: is missing: nobody knows the address of "Mock"`)
	f("providers: [{name: prompt, dialect: openai, base_url: http://h}]",
		`f:1: providers[0].name: "prompt" is no provider's name: lower-case letters, digits, '.', '_', '-'; not "prompt" or "aistrale"`)
	f("providers: [{name: antropic, base_url: http://h}]", `f:1: providers[0].dialect: is missing: "antropic" is no known provider, did you mean "anthropic"?`)
	f("providers: [{name: mine, dialect: opanai, base_url: http://h}]", `f:1: providers[0].dialect: unknown dialect "opanai", did you mean "openai"?`)
	f("providers: [{name: mine, dialect: cohere, base_url: http://h}]", `f:1: providers[0].dialect: unknown dialect "cohere"; known are openai, anthropic, gemini`)
	f("providers: [{name: openai, dialect: gemini}]", "f:1: providers[0].dialect: openai speaks openai; an account in another dialect needs a name of its own")
	f("providers: [{name: mock, dialect: openai}]", "f:1: providers[0]: the emulator speaks every dialect and has no quirks; it takes a base_url at most")
	for _, bad := range []string{"ftp://h", "h/v1", "http://", "http://%zz", "//h"} {
		f("providers: [{name: openai, base_url: '"+bad+"'}]", "f:1: providers[0].base_url: is not a URL such as https://api.example.com/v1")
	}
	f("providers: [{name: openai, base_url: 'http://a:b@h'}]", "f:1: providers[0].base_url: holds a user or a password; a credential stands in api_key")
	f("providers: [{name: openai, base_url: 'http://h?key=1'}]", "f:1: providers[0].base_url: holds a query or a fragment; keys in URLs end up in logs")
	f("providers: [{name: openai, models: ['a b', '../x']}]", `f:1: providers[0].models[0]: "a b" is no model's name`, `f:1: providers[0].models[1]: "../x" is no model's name`)
	f("providers: [{name: openai, forward: [X-A, cookie]}]", `f:1: providers[0].forward[0]: "X-A" is no header's name in lower case`,
		`f:1: providers[0].forward[1]: "cookie" is never handed on: it is the gateway's own, or a credential`)
	f("providers: [{name: openai, timeouts: {connect: -1s}}]", "f:1: providers[0].timeouts: a timeout is negative")
	f("providers: [{name: openai, quirks: {no_stream_usage: yes}}]", `f:1: providers[0].quirks.no_stream_usage: "yes" is neither true nor false`)
	f("providers: [{name: openai, quirks: {call_id: 65}}]", "f:1: providers[0].quirks.call_id: want a number of characters up to 64, or 0 for ids of any form")
	f("providers: [{name: openai, quirks: {rename: [a]}}]", "f:1: providers[0].quirks.rename: want a mapping, got a list")

	f(mock+"keys: [{}]", "f:2: keys[0].name: is missing", "f:2: keys[0].key: is missing")
	f(mock+"keys: [{name: a, key: sk-x}]", `f:2: keys[0]: key "a": its text is not sk-ais-<8 letters or digits>-<at least 32 URL-safe characters>`)
	f(mock+"keys:\n  - {name: a, key: "+goodKey+"}\n  - {name: b, key: "+goodKey+"x}", "f:4: keys[1].key: has the public id of keys[0], and ids must differ")
	f(mock+"keys:\n  - {name: a, key: "+goodKey+"}\n  - {name: a, key: sk-ais-efgh5678-ssssssssssssssssssssssssssssssss}",
		`f:4: keys[1].name: key "a" stands twice, first at keys[0].name`)
	f(mock+"keys: [{name: a, key: "+goodKey+", models: []}]", `f:2: keys[0].models: is empty, so that the key may use nothing; ["*"] is every model`)
	f(mock+"keys: [{name: a, key: "+goodKey+", models: ['a,b']}]", `f:2: keys[0]: key "a": models: "a,b" is not a plain word`)
	f(mock+"keys: [{name: a, key: "+goodKey+", expires: soon}]", `f:2: keys[0].expires: "soon" is not a time such as 2027-01-31 or 2027-01-31T12:00:00Z`)

	f(mock+"journal: disk", `f:2: journal.store: is "disk"; known are file, postgres, off`)
	f(mock+"journal: [file]", "f:2: journal: want a mapping, got a list")
	f(mock+"journal: {store: File, fsync: sometimes, on_error: ignore}", `f:2: journal.store: is "File", did you mean "file"?`,
		`f:2: journal.fsync: is "sometimes"; known are interval, always, never`, `f:2: journal.on_error: is "ignore"; known are deny, continue`)
	f(mock+"journal: postgres", "f:2: journal.store: is postgres, and storage.postgres is not set")
	f(mock+"journal: postgres\nstorage: {postgres: 'postgres://h/db'}\nledger:\n  ship: false",
		"f:5: ledger.ship: is false, and there is nowhere to keep records back: journal.store is postgres")
	f(mock+"ledger: {ship: off}", `f:2: ledger.ship: "off" is neither true nor false`)
	f(mock+"ledger: {keep_rows: 90}", `f:2: ledger.keep_rows: "90" is not a duration such as 15s, 10m or 90d`)
	f(mock+"ledger:\n  keep_rows: -1d\n  keep_minutes: -1h\n  keep_hours: -1s", "f:3: ledger.keep_rows: is negative; 0 keeps them for ever",
		"f:4: ledger.keep_minutes: is negative; 0 keeps them for ever", "f:5: ledger.keep_hours: is negative; 0 keeps them for ever")
	f(mock+"prices: [{model: llama, input: 1}]", `f:2: prices[0].model: "llama" is no model such as mine/llama`)
	f(mock+"prices: [{model: anthropc/claude, input: 1}]", `f:2: prices[0].model: no provider is named "anthropc", did you mean "anthropic"?`)
	f(mock+"prices:\n  - {model: mock/gpt}", "f:3: prices[0]: price of mock/gpt: standard: no figure is given")
	f(mock+"prices:\n  - {model: mock/gpt, input: dear, output: -1}", `f:3: prices[0].input: "dear" is no decimal number`)
	f(mock+"prices:\n  - {model: mock/gpt, output: -1}", "f:3: prices[0]: price of mock/gpt: standard: output must be from 0 to 1000000 USD")
	f(mock+"prices:\n  - {model: mock/gpt, input: 0.0000000001}", `f:3: prices[0].input: "0.0000000001" is finer than a nano-USD`)
	f(mock+"prices:\n  - {model: mock/gpt, tier: batsh, input: 1}", `f:3: prices[0].tier: is "batsh", did you mean "batch"?`,
		"f:3: prices[0]: price of mock/gpt: the standard rate is missing or not the first")
	f(mock+"prices:\n  - {model: mock/gpt, input: 1}\n  - {model: mock/gpt, input: 2}", "f:3: prices[0]: price of mock/gpt: two rates for standard")
	f(mock+"prices:\n  - {model: mock/gpt, input: 1, regions: {eu: 1.00001}}", `f:3: prices[0].regions.eu: "1.00001" has more than three decimals`)
	f(mock+"prices:\n  - {model: mock/gpt, input: 1}\n  - {model: mock/gpt, tier: flex, input: 1, regions: {eu: 1.1}}",
		"f:4: prices[1].regions: stands with the model's standard rate, and holds for all of its rates")
	for _, bad := range []string{"h/db", "mysql://u:p@h/db", "postgres://%zz", "host=h password=p"} {
		f(mock+"storage: {postgres: '"+bad+"'}", "f:2: storage.postgres: is not a URL such as postgres://user@host:5432/database")
	}
}

func TestLoadConfig_notYAML(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		_, err := loadConfig(writeConfig(t, text), variables())
		if err == nil || !regexp.MustCompile(want).MatchString(err.Error()) {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
	}
	f("a: [", `c\.yaml:1: is not YAML: `)
	f("a: *b", `c\.yaml: is not YAML: unknown anchor`)
	f("listen: ':1'\n---\nlisten: ':2'", "c.yaml: more than one YAML document")
}

func TestMistakes_all(t *testing.T) {
	_, err := loadConfig(writeConfig(t, "listen: x\nproviders:\n  - {name: a}\n  - {name: b, dialect: openai}\nmax_body: y\nunknown: z\n"), variables())
	if err == nil || !strings.HasPrefix(err.Error(), "6 mistakes:\n") || strings.Count(err.Error(), "\n") != 6 {
		t.Errorf("want six mistakes at once, got\n%v", err)
	}
}
