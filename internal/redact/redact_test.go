package redact

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func rules(t testing.TB, names []string, own ...Rule) *Rules {
	t.Helper()
	r, err := New(names, own)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestText(t *testing.T) {
	r := rules(t, nil)
	f := func(text, want string) {
		t.Helper()
		if got := r.Text(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	f("nothing to see, 12 apples at 3.50", "nothing to see, 12 apples at 3.50")
	f("write to ann.b+x@mail.example.co.uk now", "write to [redacted:email] now")
	f("jürgen@exämple.de", "[redacted:email]")
	f("card 4111 1111 1111 1111, thanks", "card [redacted:card], thanks")
	f("4111-1111-1111-1111", "[redacted:card]")
	f("378282246310005", "[redacted:card]")
	f("4111111111111112", "4111111111111112") // Luhn
	f("9999994111111111111111", "999999[redacted:card]")
	f("DE89 3704 0044 0532 0130 00 and more", "[redacted:iban] and more")
	f("gb82west12345698765432", "[redacted:iban]")
	f("DE88370400440532013000", "DE88370400440532013000")
	f("call +49 (30) 1234-567 or (555) 123-4567 or 555-123-4567", "call [redacted:phone] or [redacted:phone] or [redacted:phone]")
	f("078-05-1120", "[redacted:ssn]")
	f("sk-ant-api03-abcdefghijklmnop and AKIAIOSFODNN7EXAMPLE", "[redacted:secret] and [redacted:secret]")
	f("Authorization: Bearer abcdefghijklmnop.q", "Authorization: [redacted:secret]")
	f("ghp_abcdefghijklmnopqrst xoxb-1234567890-abc AIzaSyabcdefghijklmnopqrstuvwxyz012345", "[redacted:secret] [redacted:secret] [redacted:secret]")
	f("-----BEGIN RSA PRIVATE KEY-----\nabc\n", "[redacted:secret]")
}

func TestJSON(t *testing.T) {
	r := rules(t, []string{"email", "card", "ticket", "fields"}, Rule{Name: "ticket", Pattern: `T-\d+`}, Rule{Name: "fields", Members: []string{"password"}})
	f := func(src, want string) {
		t.Helper()
		out, cut, err := r.JSON([]byte(src), 1<<20)
		if err != nil || cut || string(out) != want {
			t.Errorf("%s: got %s %t %v, want %s", src, out, cut, err, want)
		}
	}
	f(`{"a": "T-12", "b": [1, true, null, "x"]}`, `{"a":"[redacted:ticket]","b":[1,true,null,"x"]}`)
	f(`"a\u0040b.com"`, `"[redacted:email]"`)
	f(`{"a@b.com": 1}`, `{"[redacted:email]":1}`)
	f(`{"n": 4111111111111111, "big": 12345678901e3}`, `{"n":"[redacted:card]","big":12345678901e3}`)
	f(`{"PassWord": {"deep": ["x"]}, "c": 1}`, `{"PassWord":"[redacted:fields]","c":1}`)
	f(`{"pass\u0077ord": "x"}`, `{"password":"[redacted:fields]"}`)
	f(`{"arguments": "{\"password\": \"x\", \"to\": \"a\\u0040b.com\"}"}`, `{"arguments":"{\"password\":\"[redacted:fields]\",\"to\":\"[redacted:email]\"}"}`)
	for _, bad := range []string{``, `{`, `{} {}`, `{"a":}`, `nope`, strings.Repeat("[", 1_000_000)} {
		if out, _, err := r.JSON([]byte(bad), 1<<22); err == nil {
			t.Errorf("%.20q gives %s", bad, out)
		}
	}
}

// However little room there is, what comes out is JSON, and was redacted before it was cut.
func TestJSON_Cut(t *testing.T) {
	r := rules(t, nil)
	src := `{"messages":[{"role":"user","content":"écrire à ann@example.com ` + strings.Repeat("mot ", 20) + `"},{"role":"x","n":[1,{"y":{"z":"4111111111111111"}}]}],"k":1}`
	whole, _, err := r.JSON([]byte(src), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for most := range len(whole) + 10 {
		out, cut, err := r.JSON([]byte(src), most)
		if most == 0 {
			continue
		}
		if err != nil || !json.Valid(out) || cut != (most <= len(whole)-3) && most < len(whole)-10 || strings.Contains(string(out), "ann@") || len(out) > most+200 {
			t.Fatalf("%d: %s %t %v", most, out, cut, err)
		}
	}
}

func TestNew_Refuses(t *testing.T) {
	f := func(want string, names []string, own ...Rule) {
		t.Helper()
		if _, err := New(names, own); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	f("no rule", []string{"emial"})
	f("neither", []string{"x"}, Rule{Name: "x"})
	f("empty", []string{"x"}, Rule{Name: "x", Pattern: "a*"})
	f("error parsing", []string{"x"}, Rule{Name: "x", Pattern: `(a)\1`})
	f("longer", []string{"x"}, Rule{Name: "x", Pattern: strings.Repeat("a", 2000)})
}

// What costs time must grow with the text and no faster: as many steps for each byte of a long
// text as of a short one, on patterns that ruin other engines.
func TestJSON_Hostile(t *testing.T) {
	r := rules(t, append(BuiltIn(), "evil"), Rule{Name: "evil", Pattern: `(a+)+$|(x|x)*y`})
	for _, text := range []string{
		strings.Repeat("a", 1<<18) + "!", strings.Repeat("x", 1<<18), strings.Repeat("1", 1<<18), strings.Repeat("4 ", 1<<17), strings.Repeat("DE12", 1<<14), strings.Repeat("a@", 1<<15), strings.Repeat("+1 ", 1<<15),
	} {
		src, err := json.Marshal(map[string]string{"x": text})
		if err != nil {
			t.Fatal(err)
		}
		if out, _, err := r.JSON(src, 1<<20); err != nil || !json.Valid(out) {
			t.Errorf("%.10q: %v", text, err)
		}
	}
	deep := strings.Repeat(`{"a":[`, 4000) + `"b@c.de"` + strings.Repeat(`]}`, 4000)
	out, _, err := r.JSON([]byte(deep), 1<<20)
	if err != nil || !json.Valid(out) || strings.Contains(string(out), "b@c") {
		t.Errorf("deep JSON: %v", err)
	}
}

// Whatever JSON it is, JSON comes out, and no planted canary does.
func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"a":"CANARY-12345","b":[1,"x"]}`), 100)
	f.Add([]byte(`["\u0043ANARY-12345",{"CANARY-12345":"{\"a\":\"CANARY-12345\"}"}]`), 5)
	f.Add([]byte(`"\ud800CANARY-12345"`), 1<<10)
	f.Add([]byte("\"\xffCANARY-12345\""), 20)
	r, err := New(append(BuiltIn(), "canary"), []Rule{{Name: "canary", Pattern: `CANARY-\d{5}`}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, src []byte, most int) {
		if most <= 0 {
			return
		}
		out, _, err := r.JSON(src, most)
		if err != nil {
			return
		}
		if !json.Valid(out) {
			t.Fatalf("%q gives %q", src, out)
		}
		if strings.Contains(string(out), "CANARY-12345") {
			t.Fatalf("%q leaves %q", src, out)
		}
		var v any
		if err := json.Unmarshal(out, &v); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(fmt.Sprint(v), "CANARY-12345") {
			t.Fatalf("%q leaves %v", src, v)
		}
	})
}
