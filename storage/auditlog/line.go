package auditlog

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/storage"
)

// line is one line of an export: a record, or a checkpoint that was made of the chain.
type line struct {
	Seq        int64          `json:"seq,omitzero"`
	Prev       string         `json:"prev,omitzero"` // hex
	Hash       string         `json:"hash,omitzero"` // hex
	Event      jsontext.Value `json:"event,omitzero"`
	Checkpoint string         `json:"checkpoint,omitzero"` // a signed note
}

// AppendRecord appends a record as a line. The event in it is the text that the hash is of, byte
// for byte.
func AppendRecord(dst []byte, r *storage.AuditRecord) []byte {
	dst = fmt.Appendf(dst, `{"seq":%d,"prev":"%x","hash":"%x","event":`, r.Seq, r.Prev, r.Hash)
	dst = append(dst, r.Body...)
	return append(dst, "}\n"...)
}

// AppendCheckpoint appends a signed checkpoint as a line.
func AppendCheckpoint(dst, signed []byte) ([]byte, error) {
	text, err := json.Marshal(line{Checkpoint: string(signed)})
	return append(append(dst, text...), '\n'), err
}

// read takes a line apart.
func read(text []byte) (line, error) {
	var l line
	if err := json.Unmarshal(bytes.TrimSpace(text), &l, json.RejectUnknownMembers(true)); err != nil {
		return l, fmt.Errorf("it is no line of an export: %w", err)
	}
	if (l.Checkpoint == "") == (l.Seq == 0) {
		return l, errors.New("it is neither a record nor a checkpoint")
	}
	return l, nil
}

func (l *line) record() (storage.AuditRecord, error) {
	r := storage.AuditRecord{Seq: l.Seq, Body: l.Event}
	for _, sum := range []struct {
		text string
		to   *[32]byte
	}{{l.Prev, &r.Prev}, {l.Hash, &r.Hash}} {
		raw, err := hex.DecodeString(sum.text)
		if err != nil || len(raw) != len(sum.to) {
			return r, errors.New("a hash is not 64 hexadecimal digits")
		}
		*sum.to = [32]byte(raw)
	}
	return r, nil
}
