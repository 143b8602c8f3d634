package sheet

import (
	"bytes"
	"encoding/csv"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// Nothing that a client names is a formula to a spreadsheet, and what is a number stays one.
func TestSheet_Formulas(t *testing.T) {
	f := func(cell jsontext.Value, want string) {
		t.Helper()
		var out bytes.Buffer
		s := New(&out, CSV, []Column{{Name: "a"}, {Name: "b"}})
		s.CRLF()
		if err := s.Row(cell, Int(1)); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(out.Bytes(), []byte("a,b\r\n")) || !bytes.HasSuffix(out.Bytes(), []byte("\r\n")) {
			t.Errorf("%q", out.String())
		}
		rows, err := csv.NewReader(&out).ReadAll()
		if err != nil || len(rows) != 2 || rows[1][0] != want || rows[1][1] != "1" {
			t.Errorf("%s: %q, %v, want %q", cell, rows, err, want)
		}
	}
	f(Text("=1+1"), "'=1+1")
	f(Text(`=cmd|' /C calc'!A0`), `'=cmd|' /C calc'!A0`)
	f(Text("+1"), "'+1")
	f(Text("-1"), "'-1")
	f(Text("@SUM(A1)"), "'@SUM(A1)")
	f(Text("\t=1"), "'\t=1")
	f(Text("\r=1"), "'=1") // in a file with CRLF there is no CR alone
	f(Text("a,\"b\"\nc"), "a,\"b\"\nc")
	f(Text("a=b"), "a=b")
	f(Text(""), "")
	f(Int(-5), "-5")
	f(USD(-1), "-0.000000001")
	f(Null, "")
}
