package providertest

import (
	"bytes"
	"errors"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// Stable reads any bytes as a client's request. It must be refused by name, or be read; what was
// read is said in the face's own language, by the dialect, which brings it into the language's
// order, and from then on it must read as the same: saying it once more gives the same bytes.
func Stable(t *testing.T, face providers.Face, dialect providers.Dialect, raw []byte) {
	t.Helper()
	said := [][]byte{raw}
	for range 3 {
		body, ok := retold(t, face, dialect, said[len(said)-1])
		switch {
		case !ok && len(said) == 1, bytes.Contains(body, []byte("__u")): // a name that is spelt anew each time
			return
		case !ok:
			t.Fatalf("it cannot be read again: %s", said[len(said)-1])
		}
		said = append(said, body)
	}
	if !bytes.Equal(said[2], said[3]) {
		t.Fatalf("said\n%s\nand again\n%s", said[2], said[3])
	}
}

// retold reads a request and says it; false where it was refused.
func retold(t *testing.T, face providers.Face, dialect providers.Dialect, raw []byte) ([]byte, bool) {
	t.Helper()
	var doc providers.Document
	if doc.Scan(raw, nil) != nil {
		return nil, false
	}
	req, err := face.ReadRequest(&doc)
	var plan providers.Plan
	if err == nil {
		plan, err = dialect.WriteRequest(req, &providers.Call{Op: providers.OpChat, Doc: &doc, Model: "m", ID: "req_0"})
	}
	if err != nil {
		var fault *providers.Fault
		if !errors.As(err, &fault) || fault.Kind != providers.FaultInvalid || fault.Message == "" {
			t.Fatalf("refused with %#v", err)
		}
		if status, body := face.Refuse(fault); status < 400 || status > 499 || !gjson.ValidBytes(body) {
			t.Fatalf("refused with %d %s", status, body)
		}
		return nil, false
	}
	if len(plan.Fetch) > 0 {
		return nil, false
	}
	if !gjson.ValidBytes(plan.Requests[0].Whole()) {
		t.Fatalf("said %s", plan.Requests[0].Whole())
	}
	return plan.Requests[0].Whole(), true
}
