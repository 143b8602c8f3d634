package storage

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

func TestParseUSD(t *testing.T) {
	f := func(text string, want int64) {
		t.Helper()
		got, err := ParseUSD(text)
		if err != nil || got != want {
			t.Errorf("ParseUSD(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	f("0", 0)
	f("0.00", 0)
	f("3", 3_000_000_000)
	f("0.15", 150_000_000)
	f(".5", 500_000_000)
	f("5.", 5_000_000_000)
	f("0.1", 100_000_000) // no float has it
	f("0.003625", 3_625_000)
	f("1.5e-06", 1_500)
	f("1.5E-6", 1_500)
	f("2e3", 2_000_000_000_000)
	f("0e99", 0)
	f("1e-9", 1)
	f("0.000000001000", 1)
	f("-1.25", -1_250_000_000)
	f("9223372036.854775807", 1<<63-1)

	refused := func(text, want string) {
		t.Helper()
		if got, err := ParseUSD(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseUSD(%q) = %d, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"", ".", "-", "e5", "1e", "1e5e", "1,5", "$3", "0x10", "+1", " 1", "1 ", "NaN", "Inf", "1e999999999999", "--1", "1.2.3"} {
		refused(text, "no decimal number")
	}
	refused("1e-10", "finer than a nano-USD")
	refused("0.0000000015", "finer")
	refused("9223372036.854775808", "too large")
	refused("1e300", "too large")
}

func TestParseDecimal(t *testing.T) {
	f := func(text string, shift int, want int64, exact bool) {
		t.Helper()
		got, is, err := ParseDecimal(text, shift)
		if err != nil || got != want || is != exact {
			t.Errorf("ParseDecimal(%q, %d) = %d, %v, %v, want %d, %v", text, shift, got, is, err, want, exact)
		}
	}
	f("0.0002833333333333333", 9, 283_333, false)
	f("3.3333333333333335e-05", 15, 33_333_333_333, false)
	f("2.8e-09", 15, 2_800_000, true)
	f("0.5", 0, 1, false)
	f("0.49", 0, 0, false)
	f("-0.5", 0, -1, false)
	f("0.05", 0, 0, false)
	f("9.5", 0, 10, false)
	f("1.1", 3, 1100, true)
	f("1e-400", 15, 0, false)
}

func FuzzParseDecimal(f *testing.F) {
	for _, text := range []string{"0", "1.5e-06", "-3.25", "1e400", "..", "9223372036.854775808", "0.0002833333333333333"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, exact, err := ParseDecimal(text, 9)
		if err != nil || !exact {
			return
		}
		// What was read exactly is printed and read as the same.
		if again, err := ParseUSD(FormatUSD(n)); err != nil || again != n {
			t.Errorf("%q is %d, printed as %s, read as %d, %v", text, n, FormatUSD(n), again, err)
		}
	})
}

func TestFormatUSD(t *testing.T) {
	f := func(nano int64, want string) {
		t.Helper()
		if got := FormatUSD(nano); got != want {
			t.Errorf("FormatUSD(%d) = %s, want %s", nano, got, want)
		}
	}
	f(0, "0")
	f(3_000_000_000, "3")
	f(10_000_000_000, "10")
	f(150_000_000, "0.15")
	f(1, "0.000000001")
	f(-2_500_000_000, "-2.5")
}

func usd(text string) *int64 {
	n, err := ParseUSD(text)
	if err != nil {
		panic(err)
	}
	return &n
}

func sonnet() Price {
	return Price{
		Provider: "anthropic", Model: "claude-sonnet-4-5", From: time.Date(2025, 9, 29, 0, 0, 0, 0, time.UTC),
		Rates: []Rate{
			{Input: usd("3"), CacheRead: usd("0.3"), CacheWrite5m: usd("3.75"), CacheWrite1h: usd("6"), Output: usd("15"), Search: usd("0.01")},
			{Over: 200_000, Input: usd("6"), Output: usd("22.5")},
			{Tier: "batch", Input: usd("1.5"), Output: usd("7.5"), Request: usd("0")},
		},
		Regions: map[string]int64{"us": 1100}, Source: "list", Checked: "2026-07-02",
	}
}

const sonnetJSON = `{"id":"anthropic/claude-sonnet-4-5@2025-09-29#IDIDIDID","provider":"anthropic","model":"claude-sonnet-4-5","from":"2025-09-29","rates":[` +
	`{"input":3,"cache_read":0.3,"cache_write_5m":3.75,"cache_write_1h":6,"output":15,"search":0.01},` +
	`{"over":200000,"input":6,"output":22.5},{"tier":"batch","input":1.5,"output":7.5,"request":0}],"regions":{"us":1.1},"source":"list","checked":"2026-07-02"}`

func TestPrice_JSON(t *testing.T) {
	p := sonnet()
	p.ID = p.MakeID()
	want := strings.Replace(sonnetJSON, "IDIDIDID", p.ID[len(p.ID)-8:], 1)
	text, err := json.Marshal(p)
	if err != nil || string(text) != want {
		t.Fatalf("got  %s, %v\nwant %s", text, err, want)
	}
	var again Price
	if err := json.Unmarshal(text, &again); err != nil || !reflect.DeepEqual(again, p) {
		t.Fatalf("got %+v, %v", again, err)
	}
	// Without an id, with strings for numbers: the same price.
	loose := strings.NewReplacer(`"id":"`+p.ID+`",`, "", `"input":3,`, `"input":"3.00","audio_in":null,`, "1.1", `"1.1"`).Replace(want)
	if err := json.Unmarshal([]byte(loose), &again); err != nil || !reflect.DeepEqual(again, p) {
		t.Fatalf("%s\ngot %+v, %v", loose, again, err)
	}

	refused := func(text, want string) {
		t.Helper()
		if err := json.Unmarshal([]byte(text), &again); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
	refused(`{"provider":"a","model":"b","rates":[{"inptu":3}]}`, "inptu")
	refused(`{"provider":"a","model":"b","rates":[{"input":"3 USD"}]}`, "input")
	refused(`{"provider":"a","model":"b","rates":[{"input":1e-12}]}`, "finer")
	refused(`{"provider":"a","model":"b","rates":[{"input":true}]}`, "input")
	refused(`{"provider":"a","model":"b","rate":[]}`, "rate")
	refused(`{"provider":"a","model":"b","from":"July"}`, "July")
	refused(`{"provider":"a","model":"b","regions":{"eu":1.0001}}`, "decimals")
}

// What is sold by other things than tokens, and as releases before said it.
func TestRate_JSON_units(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		var r Rate
		if err := json.Unmarshal([]byte(in), &r); err != nil {
			t.Errorf("%s: %v", in, err)
			return
		}
		if out, err := json.Marshal(r); err != nil || string(out) != want {
			t.Errorf("%s became %s, %v, want %s", in, out, err, want)
		}
	}
	const whole = `{"image":0.04,"character":0.000015,"hour_in":0.36,"hour_out":0.9,"images":{"1024x1792":0.08,"1024x1792/hd":0.12},"min_seconds":10}`
	f(whole, whole)
	f(`{"images":{"hd":"0.08","256x256":0.016}}`, `{"images":{"256x256":0.016,"hd":0.08}}`)
	f(`{"second":0.0001}`, `{"hour_in":0.36}`)
	f(`{"second":0.000283333}`, `{"hour_in":1.0199988}`)
	refused := func(in, want string) {
		t.Helper()
		var r Rate
		if err := json.Unmarshal([]byte(in), &r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", in, err, want)
		}
	}
	refused(`{"images":{"hd":"dear"}}`, "no decimal number")
	refused(`{"images":[1]}`, "images")
	refused(`{"second":-1}`, "out of range")
	refused(`{"hour":1}`, "no such figure")
	refused(`{"input":1,"input":2}`, "duplicate")
	refused(`[{"input":1}]`, "array")
	refused(`{"input":1`, "EOF")
	f(`null`, `{}`)
}

func TestRate_ImageOf(t *testing.T) {
	r := Rate{Image: usd("0.04")}
	if n := r.ImageOf("1024x1792/hd"); n != r.Image {
		t.Error("a rate that tells no images apart has one price for all")
	}
	r.Set("image hd", usd("0.08"))
	if n := r.ImageOf("hd"); n == nil || *n != 80_000_000 {
		t.Errorf("hd is %v", n)
	}
	if r.ImageOf("") != r.Image || r.ImageOf("1024x1024") != nil {
		t.Error("what is not named is not known")
	}
	clone := CloneRates([]Rate{r})
	*clone[0].Value("image hd") = 1
	clone[0].Set("image 9x9", usd("1"))
	if *r.Value("image hd") != 80_000_000 || len(r.Variants) != 1 {
		t.Error("a clone shares its images")
	}
}

func TestPrice_MakeID(t *testing.T) {
	f := func(change func(*Price), same bool) {
		t.Helper()
		was, p := sonnet(), sonnet()
		change(&p)
		if got := p.MakeID(); (got == was.MakeID()) != same {
			t.Errorf("%s beside %s, want them to be the same: %v", got, was.MakeID(), same)
		}
	}
	f(func(p *Price) { p.Source, p.Checked, p.ID = "another", "2026-08-01", "x" }, true)
	f(func(p *Price) { p.Rates[0].Input = usd("3.00") }, true)
	f(func(p *Price) { p.Rates[0].Input = usd("3.000000001") }, false)
	f(func(p *Price) { p.Rates[0].Input = nil }, false)
	f(func(p *Price) { p.Rates[0].Input, p.Rates[0].CacheRead = p.Rates[0].CacheRead, p.Rates[0].Input }, false)
	f(func(p *Price) { p.Rates[1].Over++ }, false)
	f(func(p *Price) { p.Rates[2].Tier = "flex" }, false)
	f(func(p *Price) { p.Rates[0].MinSeconds = 10 }, false)
	f(func(p *Price) { p.Rates[0].Set("image hd", usd("1")) }, false)
	f(func(p *Price) { p.Regions["us"] = 1200 }, false)
	f(func(p *Price) { p.Regions = nil }, false)
	f(func(p *Price) { p.Model = "claude-sonnet-4-6" }, false)
	f(func(p *Price) { p.From = p.From.Add(time.Hour) }, false)

	p := Price{Provider: "mine", Model: "llama*", Rates: []Rate{{Input: usd("0.2")}}}
	if id := p.MakeID(); !strings.HasPrefix(id, "mine/llama*@always#") {
		t.Errorf("got %s", id)
	}
}

// An id stands in entries for years: what it is made of must not change.
func TestPrice_MakeID_stays(t *testing.T) {
	p := sonnet()
	if id, want := p.MakeID(), "anthropic/claude-sonnet-4-5@2025-09-29#e58070a6"; id != want {
		t.Errorf("got %s, want %s", id, want)
	}
}

func TestPrice_Check(t *testing.T) {
	p := sonnet()
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	f := func(change func(*Price), want string) {
		t.Helper()
		p := sonnet()
		change(&p)
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	f(func(p *Price) { p.Provider = "" }, "provider")
	f(func(p *Price) { p.Model = "a,b" }, "commas")
	f(func(p *Price) { p.Model = "a b" }, "blanks")
	f(func(p *Price) { p.Model = strings.Repeat("a", 257) }, "257 bytes")
	f(func(p *Price) { p.Model = "a*b" }, "at the end")
	f(func(p *Price) { p.Rates = nil }, "standard rate")
	f(func(p *Price) { p.Rates = p.Rates[1:] }, "standard rate")
	f(func(p *Price) { p.Rates = append(p.Rates, Rate{Over: 200_000, Input: usd("1")}) }, "two rates for standard over 200000")
	f(func(p *Price) { p.Rates[1].Input = usd("-1") }, "standard over 200000: input")
	f(func(p *Price) { p.Rates[0].Output = usd("1000001") }, "standard: output must be from 0 to 1000000 USD")
	f(func(p *Price) { p.Rates[1] = Rate{Over: 5} }, "no figure")
	f(func(p *Price) { p.Rates[1].Over = -5 }, "over")
	f(func(p *Price) { p.Rates[2].Tier = "Batch" }, "lower-case")
	f(func(p *Price) { p.Rates[0].Set("image 1024 x 1024", usd("1")) }, "such as 1024x1792/hd")
	f(func(p *Price) { p.Rates[0].Set("image "+strings.Repeat("a", 33), usd("1")) }, "33 bytes")
	f(func(p *Price) { p.Rates[0].Set("image hd", usd("-1")) }, "standard: image hd")
	f(func(p *Price) { p.Rates[0].MinSeconds = -1 }, "min_seconds")
	f(func(p *Price) { p.Regions["eu"] = 0 }, `region "eu"`)
	f(func(p *Price) { p.Regions["eu"] = 20_000 }, `region "eu"`)
	f(func(p *Price) { p.Checked = "August" }, "August")
}

// Every field of a rate that holds money must be among its figures: one that is not would be
// lost on the way to a file, and be no part of the id.
func TestRate_Figures(t *testing.T) {
	var r Rate
	money := 0
	for i := range reflect.TypeFor[Rate]().NumField() {
		if reflect.TypeFor[Rate]().Field(i).Type == reflect.TypeFor[*int64]() {
			money++
		}
	}
	seen := map[**int64]bool{}
	for _, f := range r.Figures() {
		if seen[f.Nano] || r.Figure(f.Name) != f.Nano {
			t.Errorf("%s is not its own field", f.Name)
		}
		seen[f.Nano] = true
	}
	if len(seen) != money {
		t.Errorf("%d figures for %d fields", len(seen), money)
	}
}
