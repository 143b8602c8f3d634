package storage

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"time"
)

// Reply is an answer that a cache keeps: the bytes that a client was sent, and who gave it.
type Reply struct {
	Time        time.Time // when the answer had ended
	ContentType string
	Provider    string
	Model       string
	Credential  string
	Served      string // the model that the upstream says answered
	Finish      string // the upstream's finish reason
	Exact       bool
	Body        []byte `json:"-"`
}

// ReplyKey finds a reply. Both parts follow from the tenant and the request, and neither says
// anything of them.
type ReplyKey struct {
	Place [32]byte // where it is kept
	Seal  [32]byte // what it is sealed under where others may read: who does not know the request has none
}

// AppendReply appends a reply's wire form: the length of what is said about it, that as JSON, and
// the body.
func AppendReply(dst []byte, r *Reply) ([]byte, error) {
	about, err := json.Marshal(r)
	if err != nil {
		return dst, err
	}
	dst = binary.AppendUvarint(dst, uint64(len(about)))
	return append(append(dst, about...), r.Body...), nil
}

// ParseReply reads what AppendReply wrote. The body points into b.
func ParseReply(b []byte) (Reply, error) {
	var r Reply
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return r, errors.New("a kept reply is cut off")
	}
	if err := json.Unmarshal(b[n:n+int(size)], &r); err != nil {
		return r, err
	}
	r.Body = b[n+int(size):]
	return r, nil
}
