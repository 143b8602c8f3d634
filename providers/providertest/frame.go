package providertest

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"

	"github.com/aistrale/aistrale/providers"
)

// Frame makes a frame of AWS's event stream, with headers as name and value in turn.
func Frame(payload string, headers ...string) []byte {
	var h []byte
	for i := 0; i+1 < len(headers); i += 2 {
		h = append(append(h, byte(len(headers[i]))), headers[i]...)
		h = binary.BigEndian.AppendUint16(append(h, 7), uint16(len(headers[i+1])))
		h = append(h, headers[i+1]...)
	}
	frame := binary.BigEndian.AppendUint32(nil, uint32(16+len(h)+len(payload)))
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(h)))
	frame = binary.BigEndian.AppendUint32(frame, crc32.ChecksumIEEE(frame))
	frame = append(append(frame, h...), payload...)
	return binary.BigEndian.AppendUint32(frame, crc32.ChecksumIEEE(frame))
}

// EventFrame is an event of the given name.
func EventFrame(name, payload string) []byte {
	return Frame(payload, ":event-type", name, ":content-type", "application/json", ":message-type", "event")
}

// ChunkFrame is a piece of a model's own stream, as Bedrock hands it on.
func ChunkFrame(data string) []byte {
	inner := providers.AppendString([]byte(`{"bytes":`), base64.StdEncoding.EncodeToString([]byte(data)))
	return EventFrame("chunk", string(append(inner, `,"p":"abcdefg"}`...)))
}

// ExceptionFrame ends a stream.
func ExceptionFrame(name, message string) []byte {
	payload := append(providers.AppendString([]byte(`{"message":`), message), '}')
	return Frame(string(payload), ":exception-type", name, ":content-type", "application/json", ":message-type", "exception")
}
