package telemetry

import (
	"math"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// message is a protobuf message under way. Spans are appended by hand, as log lines are: what goes
// by on the path of a request must neither allocate nor keep what the record points to.
type message []byte

// nested is the room for the length of a message within a message, which is known at its end: a
// varint may be longer than it must.
const nested = 4

// open begins a message within the message; shut, given at, ends it.
func (m message) open(field protowire.Number) (out message, at int) {
	m = protowire.AppendTag(m, field, protowire.BytesType)
	return append(m, 0x80, 0x80, 0x80, 0), len(m)
}

func (m message) shut(at int) {
	n := len(m) - at - nested
	for i := range nested - 1 {
		m[at+i] = byte(n>>(7*i)) | 0x80
	}
	m[at+nested-1] = byte(n >> (7 * (nested - 1)) & 0x7f)
}

func (m message) bytes(field protowire.Number, b []byte) message {
	return protowire.AppendBytes(protowire.AppendTag(m, field, protowire.BytesType), b)
}

// text leaves an empty one out.
func (m message) text(field protowire.Number, s string) message {
	if s == "" {
		return m
	}
	return protowire.AppendString(protowire.AppendTag(m, field, protowire.BytesType), valid(s))
}

func (m message) number(field protowire.Number, n uint64) message {
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), n)
}

func (m message) fixed64(field protowire.Number, n uint64) message {
	return protowire.AppendFixed64(protowire.AppendTag(m, field, protowire.Fixed64Type), n)
}

func (m message) fixed32(field protowire.Number, n uint32) message {
	return protowire.AppendFixed32(protowire.AppendTag(m, field, protowire.Fixed32Type), n)
}

// valid makes text UTF-8, without which nobody reads the message.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// attributes appends KeyValues under one field number of a message.
type attributes struct {
	message
	field protowire.Number
}

// of puts the key and the head of a value of some bytes.
func (a *attributes) of(key string, size int) {
	m := protowire.AppendTag(a.message, a.field, protowire.BytesType)
	m = protowire.AppendVarint(m, uint64(2+protowire.SizeBytes(len(key))+protowire.SizeBytes(size)))
	m = protowire.AppendString(protowire.AppendTag(m, 1, protowire.BytesType), key)
	a.message = protowire.AppendVarint(protowire.AppendTag(m, 2, protowire.BytesType), uint64(size))
}

// text leaves an empty value out, and cuts a long one.
func (a *attributes) text(key, value string) { a.cut(key, value, maxName) }

func (a *attributes) cut(key, value string, most int) {
	if value == "" {
		return
	}
	value = valid(head(value, most))
	a.of(key, 1+protowire.SizeBytes(len(value)))
	a.message = protowire.AppendString(protowire.AppendTag(a.message, 1, protowire.BytesType), value)
}

func (a *attributes) truth(key string, value bool) {
	a.of(key, 2)
	a.message = a.number(2, protowire.EncodeBool(value))
}

func (a *attributes) integer(key string, value int64) {
	a.of(key, 1+protowire.SizeVarint(uint64(value)))
	a.message = a.number(3, uint64(value))
}

// count leaves 0 out.
func (a *attributes) count(key string, value int64) {
	if value != 0 {
		a.integer(key, value)
	}
}

func (a *attributes) double(key string, value float64) {
	a.of(key, 1+8)
	a.message = a.fixed64(4, math.Float64bits(value))
}

// list leaves an empty one out.
func (a *attributes) list(key string, values ...string) {
	size := 0
	for _, v := range values {
		size += 1 + protowire.SizeBytes(1+protowire.SizeBytes(len(valid(head(v, maxName)))))
	}
	if size == 0 {
		return
	}
	a.of(key, 1+protowire.SizeBytes(size))
	m := protowire.AppendTag(a.message, 5, protowire.BytesType)
	m = protowire.AppendVarint(m, uint64(size))
	for _, v := range values {
		v = valid(head(v, maxName))
		m = protowire.AppendTag(m, 1, protowire.BytesType)
		m = protowire.AppendVarint(m, uint64(1+protowire.SizeBytes(len(v))))
		m = protowire.AppendString(protowire.AppendTag(m, 1, protowire.BytesType), v)
	}
	a.message = m
}
