package storage_test

import (
	"bytes"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

func usualEntry() storage.Entry {
	return storage.Entry{
		RequestID: uuid.MustParse("0198c2a4-7d1e-7b3c-9a55-0123456789ab"), Attempt: 1, Revision: 1,
		State: storage.EntrySettled, Final: true, Time: time.UnixMicro(1755950000123456).UTC(), Node: "gw-7f9c",
		Series: storage.Series{
			Workspace: "default", Project: "search", Key: "k3x9a8bq", KeyName: "ci", User: "ann@example.com",
			Provider: "anthropic", Model: "claude-sonnet-4-5-20250929",
		},
		Tags: []string{"team:search"}, EndUser: "u-1932", Credential: "anthropic", Asked: "anthropic/claude-sonnet-4-5",
		Served: "claude-sonnet-4-5-20250929", Tier: "standard", Op: "messages", Stream: true, Exact: true,
		Status: 200, UpstreamStatus: 200, UpstreamID: "req_011CSHoEeqs5C35K2UUqR7Fy",
		Outcome: storage.OutcomeOK, Finish: "end_turn",
		Lines:        []providers.Normal{{InputUncached: 1024, CacheRead: 20480, Output: 311}},
		UsageRaw:     []byte(`{"input_tokens":1024,"cache_read_input_tokens":20480,"cache_creation_input_tokens":0,"output_tokens":311}`),
		ContentBytes: 1402, Bound: storage.Bound{Input: 88000, Output: 4096},
		Charge:  storage.Charge{CostNano: 13_881_000, PriceID: "anthropic/claude-sonnet-4-5@2025-09-29#a1b2c3d4"},
		BytesIn: 88123, BytesOut: 15310, FirstByte: 812 * time.Millisecond, Overhead: 131 * time.Microsecond, Duration: 4811 * time.Millisecond,
	}
}

func reread(t testing.TB, e *storage.Entry) storage.Entry {
	t.Helper()
	var got storage.Entry
	if err := got.Parse(e.Append(nil)); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestEntry_AppendParse(t *testing.T) {
	f := func(e storage.Entry) {
		t.Helper()
		if got := reread(t, &e); !reflect.DeepEqual(got, e) {
			t.Errorf("\n got %+v\nwant %+v", got, e)
		}
	}
	f(storage.Entry{})
	f(usualEntry())
	f(storage.Entry{Attempt: math.MaxInt, Retry: -1, Charge: storage.Charge{CostNano: math.MinInt64, Estimated: true}, UsageCut: true})
	f(storage.Entry{
		Holds: []storage.Hold{{Counter: "budget:{default}key/ci:usd:day:", Unit: storage.UnitNano, Limit: 5, Held: 3, Spent: 2}, {}},
		Plan:  []storage.Candidate{{Provider: "a", Model: "m", Credential: "c", Fate: storage.FateFailed, Fault: "timeout"}, {}},
	})
	f(storage.Entry{Lines: []providers.Normal{{}, {Model: "m", Tier: "batch", Output: math.MaxInt64, Searches: 2}, {Images: -1}}})
}

// Every field must come back, also one that is added later and forgotten in the encoding: each
// is set in turn, found by reflection.
func TestEntry_EveryFieldIsKept(t *testing.T) {
	var count int
	var set func(e *storage.Entry, v reflect.Value, name string)
	set = func(e *storage.Entry, v reflect.Value, name string) {
		switch v.Kind() {
		case reflect.Struct:
			if v.Type() == reflect.TypeFor[time.Time]() {
				v.Set(reflect.ValueOf(time.UnixMicro(1755950000123456).UTC()))
				break
			}
			for i := range v.NumField() {
				set(e, v.Field(i), name+"."+v.Type().Field(i).Name)
			}
			return
		case reflect.String:
			v.SetString("x")
		case reflect.Int, reflect.Int64:
			v.SetInt(7)
		case reflect.Uint8:
			v.SetUint(2)
		case reflect.Bool:
			v.SetBool(true)
		case reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			set(e, v.Index(0), name+"[0]")
			v.SetZero()
			return
		case reflect.Array:
			set(e, v.Index(0), name+"[0]")
			return
		default:
			t.Fatalf("%s is of kind %s, which the encoding does not know", name, v.Kind())
		}
		count++
		if got := reread(t, e); !reflect.DeepEqual(got, *e) {
			t.Errorf("%s is lost", name)
		}
		v.SetZero()
	}
	var e storage.Entry
	set(&e, reflect.ValueOf(&e).Elem(), "Entry")
	if count < 50 {
		t.Errorf("only %d fields were tried", count)
	}
}

// What a release wrote, all later ones read: these are the bytes of the first.
func TestEntry_ParseFirstRelease(t *testing.T) {
	const first = "0198c2a47d1e7b3c9a550123456789ab000402020402060e0880b98180dfc19e060c90030e900310f4151280df0a14804016d0ba9e0d18" +
		"f6e00a1a9cef011c808cb186061ef0fe0f2080a390ec23010767772d37663963030764656661756c74050673656172636807086b337839" +
		"61386271090263690b0f616e6e406578616d706c652e636f6d0d09616e7468726f7069631309616e7468726f70696315086d6573736167" +
		"657317026f6b1d2f616e7468726f7069632f636c617564652d736f6e6e65742d342d3540323032352d30392d3239236131623263336434" +
		"1f1a636c617564652d736f6e6e65742d342d352d3230323530393239211b616e7468726f7069632f636c617564652d736f6e6e65742d34" +
		"2d35231a636c617564652d736f6e6e65742d342d352d323032353039323925087374616e646172642706752d313933322d1c7265715f30" +
		"31314353486f45657173354333354b32555571523746792f08656e645f7475726e710b7465616d3a736561726368738a000480100680c0" +
		"020cee0475697b22696e7075745f746f6b656e73223a313032342c2263616368655f726561645f696e7075745f746f6b656e73223a3230" +
		"3438302c2263616368655f6372656174696f6e5f696e7075745f746f6b656e73223a302c226f75747075745f746f6b656e73223a333131" +
		"7d"
	b, err := hex.DecodeString(first)
	if err != nil {
		t.Fatal(err)
	}
	var got storage.Entry
	if err := got.Parse(b); err != nil {
		t.Fatal(err)
	}
	if want := usualEntry(); !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
}

func TestEntry_AppendBounds(t *testing.T) {
	e := storage.Entry{
		Series:  storage.Series{KeyName: strings.Repeat("k", 600), Model: "a\x00b\xffc"},
		EndUser: strings.Repeat("é", 200), Metadata: `{"a":"` + strings.Repeat("m", 5000) + `"}`,
		Tags: strings.Split(strings.Repeat("tag ", 40), " "), Asked: strings.Repeat("\xff", 600),
		UsageRaw: make([]byte, 20<<10), Lines: make([]providers.Normal, 100),
	}
	e.Tags[0] = strings.Repeat("t", 65)
	got := reread(t, &e)
	f := func(what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	f("key name", len(got.KeyName), 512)
	f("model", got.Model, "ab?c")
	f("end user", got.EndUser, strings.Repeat("é", 128))
	f("metadata", got.Metadata, "")
	f("tags", len(got.Tags), 16)
	f("tag", len(got.Tags[0]), 64)
	f("asked", got.Asked, "?")
	f("usage", got.UsageRaw, []byte(nil))
	f("usage cut", got.UsageCut, true)
	f("lines", len(got.Lines), 64)
	f("the entry that was given", len(e.UsageRaw), 20<<10)
}

// The longest entry fits where MaxEntry bytes are.
func TestEntry_MaxEntry(t *testing.T) {
	long := strings.Repeat("x", 20<<10)
	var e storage.Entry
	var fill func(v reflect.Value)
	fill = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Struct:
			if v.Type() == reflect.TypeFor[time.Time]() {
				v.Set(reflect.ValueOf(time.Now()))
				return
			}
			for i := range v.NumField() {
				fill(v.Field(i))
			}
		case reflect.String:
			v.SetString(long)
		case reflect.Int, reflect.Int64:
			v.SetInt(math.MinInt64)
		case reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 16<<10, 16<<10))
			for i := range 100 {
				fill(v.Index(i))
			}
		}
	}
	fill(reflect.ValueOf(&e).Elem())
	e.Metadata, e.UsageRaw = long[:4<<10], []byte(long)[:16<<10]
	if n := len(e.Append(nil)); n < 40<<10 || n > storage.MaxEntry {
		t.Errorf("the longest entry takes %d bytes, MaxEntry is %d", n, storage.MaxEntry)
	}
}

func TestEntry_ParseSkipsWhatItDoesNotKnow(t *testing.T) {
	e := usualEntry()
	b := e.Append(nil)
	b = append(b, 40<<1, 0x05)                      // a number of a newer release
	b = append(b, 60<<1|1, 3, 'n', 'e', 'w')        // a text
	b = append(b, 57<<1|1, 4, 50<<1|1, 0, 51<<1, 2) // a line of which nothing is known
	var got storage.Entry
	if err := got.Parse(b); err != nil {
		t.Fatal(err)
	}
	e.Lines = append(e.Lines, providers.Normal{})
	if !reflect.DeepEqual(got, e) {
		t.Errorf("\n got %+v\nwant %+v", got, e)
	}
}

func TestEntry_ParseRefuses(t *testing.T) {
	e := usualEntry()
	whole := e.Append(nil)
	f := func(what string, b []byte) {
		t.Helper()
		var got storage.Entry
		if err := got.Parse(b); err == nil {
			t.Errorf("%s: no error, %+v", what, got)
		}
	}
	f("nothing", nil)
	f("half an id", whole[:15])
	f("a cut text", whole[:len(whole)-1])
	f("a number without an end", append(bytes.Clone(whole), 40<<1, 0x80))
	f("a field without a value", append(bytes.Clone(whole), 40<<1))
	f("a length past the end", append(bytes.Clone(whole), 60<<1|1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1))
	f("a broken line", append(bytes.Clone(whole), 57<<1|1, 1, 0x01))
}

// What Parse gave must not change with the buffer it read, nor with a later Parse.
func TestEntry_ParseCopies(t *testing.T) {
	e := usualEntry()
	b := e.Append(nil)
	var got storage.Entry
	if err := got.Parse(b); err != nil {
		t.Fatal(err)
	}
	clear(b)
	kept := got
	if err := got.Parse((&storage.Entry{Lines: make([]providers.Normal, 1), UsageRaw: []byte("x"), Tags: []string{"y"}}).Append(nil)); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(kept, e) {
		t.Errorf("\n got %+v\nwant %+v", kept, e)
	}
}

func TestEntry_AppendAllocs(t *testing.T) {
	e, buf := usualEntry(), make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() { buf = e.Append(buf[:0]) }); n != 0 {
		t.Errorf("Append allocates %v times", n)
	}
}

func FuzzEntry_Parse(f *testing.F) {
	e := usualEntry()
	f.Add(e.Append(nil))
	f.Add((&storage.Entry{}).Append(nil))
	f.Add(bytes.Repeat([]byte{57<<1 | 1, 0x80, 0}, 30))
	f.Fuzz(func(t *testing.T, b []byte) {
		var first storage.Entry
		if first.Parse(b) != nil {
			return
		}
		// What was read is bounded and cleaned by one more turn, and from then on stays as it is.
		second := reread(t, &first)
		if third := reread(t, &second); !reflect.DeepEqual(third, second) {
			t.Errorf("\n got %+v\nwant %+v", third, second)
		}
		for _, s := range []string{second.Model, second.EndUser, second.Metadata, second.Finish} {
			if !utf8.ValidString(s) || strings.Contains(s, "\x00") {
				t.Errorf("%q is not clean", s)
			}
		}
		if n := len(second.Append(nil)); n > storage.MaxEntry {
			t.Errorf("%d bytes", n)
		}
	})
}

// A flipped bit is the checksum's to find; the decoder only must not break.
func TestEntry_ParseDamaged(t *testing.T) {
	e, random := usualEntry(), rand.New(rand.NewPCG(1, 2))
	whole := e.Append(nil)
	for range 20_000 {
		b := bytes.Clone(whole[:random.IntN(len(whole)+1)])
		for range random.IntN(4) {
			if len(b) > 0 {
				b[random.IntN(len(b))] ^= 1 << random.IntN(8)
			}
		}
		var got storage.Entry
		_ = got.Parse(b)
	}
}

func BenchmarkEntry_Append(b *testing.B) {
	e, buf := usualEntry(), make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = e.Append(buf[:0])
	}
	b.ReportMetric(float64(len(buf)), "bytes")
}

func BenchmarkEntry_Parse(b *testing.B) {
	e := usualEntry()
	buf := e.Append(nil)
	b.ReportAllocs()
	for b.Loop() {
		if err := e.Parse(buf); err != nil {
			b.Fatal(err)
		}
	}
}
