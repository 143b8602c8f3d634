package providertest

import (
	"bytes"
	"io"
	"reflect"
	"testing"

	"github.com/aistrale/aistrale/providers"
)

func TestRequestsAreNormal(t *testing.T) {
	list := Requests(1, 200)
	if !reflect.DeepEqual(list, Requests(1, 200)) {
		t.Fatal("equal seeds gave different requests")
	}
	if reflect.DeepEqual(list, Requests(2, 200)) {
		t.Fatal("different seeds gave equal requests")
	}
	kinds := map[providers.Kind]bool{}
	for _, r := range list {
		if r.Turns[len(r.Turns)-1].Role == providers.RoleAssistant {
			t.Fatal("the last turn is the assistant's")
		}
		var open []string
		for _, turn := range r.Turns {
			if turn.Role != providers.RoleTool && len(open) > 0 {
				t.Fatalf("calls %q are not answered", open)
			}
			for _, b := range turn.Blocks {
				kinds[b.Kind] = true
				switch b.Kind {
				case providers.KindToolCall:
					open = append(open, b.Call.ID)
				case providers.KindToolResult:
					if len(open) == 0 || open[0] != b.Result.CallID {
						t.Fatalf("%q is answered out of order", b.Result.CallID)
					}
					open = open[1:]
				case providers.KindText:
					if b.Text == "" {
						t.Fatal("an empty text")
					}
				}
			}
		}
	}
	for _, k := range []providers.Kind{providers.KindText, providers.KindImage, providers.KindFile, providers.KindToolCall, providers.KindToolResult} {
		if !kinds[k] {
			t.Errorf("no block of kind %d was made", k)
		}
	}
}

func TestCutGivesTheSameBytes(t *testing.T) {
	want := bytes.Repeat([]byte("data: {}\r\n\r\n"), 50)
	for how, open := range Cut(want, 9) {
		var raw []byte
		n := 0
		if err := Frames(true, open(), func(r, data []byte) { raw = append(raw, r...); n++ }); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(raw, want) || n != 50 {
			t.Errorf("%s: %d events, %d bytes", how, n, len(raw))
		}
		if all, _ := io.ReadAll(open()); !bytes.Equal(all, want) {
			t.Errorf("%s: the bytes differ", how)
		}
	}
}
