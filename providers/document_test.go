package providers

import (
	"errors"
	"testing"
)

func scanned(t *testing.T, body string) *Document {
	t.Helper()
	d := &Document{}
	if err := d.Scan([]byte(body), nil); err != nil {
		t.Fatalf("scan %s: %v", body, err)
	}
	return d
}

func TestDocument_Value(t *testing.T) {
	d := scanned(t, ` {"a" : [1, 2] , "b\u002e":"x","n":null,"o":{"a":9}}`)
	f := func(name, want string) {
		t.Helper()
		if got := string(d.Value(name)); got != want {
			t.Errorf("value %s: %q, want %q", name, got, want)
		}
		if field := d.Field(name); (field != nil) != (want != "") {
			t.Errorf("field %s: %v", name, field)
		}
	}
	f("a", "[1, 2]")
	f("b.", `"x"`)
	f("n", "null")
	f("o", `{"a":9}`)
	f("absent", "")
	f("A", "")
	f(`b\u002e`, "")
}

func TestDocument_String(t *testing.T) {
	d := scanned(t, `{"s":"a\nb","e":"","null":null,"n":1,"b":true,"o":{},"a":[]}`)
	f := func(name, want string, said bool, message string) {
		t.Helper()
		got, ok, err := d.String(name)
		if got != want || ok != said || !says(err, name, message) {
			t.Errorf("%s: %q, %v, %v; want %q, %v, %q", name, got, ok, err, want, said, message)
		}
	}
	f("s", "a\nb", true, "")
	f("e", "", true, "")
	f("null", "", false, "")
	f("absent", "", false, "")
	f("n", "", false, "invalid type for 'n': expected a string, but got a number instead")
	f("b", "", false, "invalid type for 'b': expected a string, but got a boolean instead")
	f("o", "", false, "invalid type for 'o': expected a string, but got an object instead")
	f("a", "", false, "invalid type for 'a': expected a string, but got an array instead")
}

func TestDocument_Bool(t *testing.T) {
	d := scanned(t, `{"t":true,"f":false,"null":null,"s":"true","n":1}`)
	f := func(name string, want, said bool, message string) {
		t.Helper()
		got, ok, err := d.Bool(name)
		if got != want || ok != said || !says(err, name, message) {
			t.Errorf("%s: %v, %v, %v; want %v, %v, %q", name, got, ok, err, want, said, message)
		}
	}
	f("t", true, true, "")
	f("f", false, true, "")
	f("null", false, false, "")
	f("absent", false, false, "")
	f("s", false, false, "invalid type for 's': expected a boolean, but got a string instead")
	f("n", false, false, "invalid type for 'n': expected a boolean, but got a number instead")
}

func TestDocument_Int(t *testing.T) {
	f := func(value string, want int64, said bool) {
		t.Helper()
		got, ok, err := scanned(t, `{"n":`+value+`}`).Int("n")
		if got != want || ok != said || (err != nil) != (!said && value != "null") {
			t.Errorf("%s: %d, %v, %v; want %d, %v", value, got, ok, err, want, said)
		}
		if err != nil && !says(err, "n", err.Error()) {
			t.Errorf("%s: %v does not name the field", value, err)
		}
	}
	f("0", 0, true)
	f("-0", 0, true)
	f("4096", 4096, true)
	f("-1", -1, true)
	f("9223372036854775807", 1<<63-1, true)
	f("4096.0", 4096, true)
	f("1e3", 1000, true)
	f("1.5E1", 15, true)
	f("null", 0, false)
	f("1.5", 0, false)
	f("9223372036854775808", 0, false)
	f("1e19", 0, false)
	f("1e400", 0, false)
	f(`"4096"`, 0, false)
	f("true", 0, false)
	f("[1]", 0, false)
}

// says reports whether err is a 400 about the field with the message, or nil where it is "".
func says(err error, param, message string) bool {
	if message == "" {
		return err == nil
	}
	var fault *Fault
	return errors.As(err, &fault) && fault.Kind == FaultInvalid && fault.Param == param && fault.Message == message
}

func TestDocument_reuse(t *testing.T) {
	watch := NewWatch([]Governed{{Path: "x", Effect: NamesModel}})
	var d Document
	f := func(body string, fields, hits int) {
		t.Helper()
		_ = d.Scan([]byte(body), watch)
		if len(d.Fields) != fields || len(d.Hits) != hits || string(d.Raw) != body {
			t.Errorf("%s: %d fields, %d hits; want %d, %d", body, len(d.Fields), len(d.Hits), fields, hits)
		}
	}
	f("{\"x\":1,\"ſ\":2,\"y\":3}", 3, 1)
	f(`{"a":[[[[`, 0, 0)
	f(`{"s":1}`, 1, 0)
	f(`{"x":1}`, 1, 1)
}
