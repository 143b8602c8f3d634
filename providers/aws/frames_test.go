package aws

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/providertest"
	"github.com/aistrale/aistrale/providers/sse"
)

const claude = `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a\nb"}}`

func newFrames(src io.Reader) *Frames {
	f := &Frames{}
	f.Reset(src, make([]byte, 0, 16), 1<<20)
	return f
}

// read gives all events of src and what ended them.
func read(src io.Reader) (events []string, err error) {
	f := newFrames(src)
	for {
		ev, err := f.Next()
		if err != nil {
			return events, err
		}
		events = append(events, string(ev.Raw)+"|"+string(ev.Data))
	}
}

func TestFrames(t *testing.T) {
	stream := slices.Concat(
		providertest.EventFrame("initial-response", ""),
		providertest.ChunkFrame(claude),
		providertest.EventFrame("contentBlockDelta", "{\"delta\":{\"text\":\"hi\"},\n\"contentBlockIndex\":0}"),
	)
	want := []string{
		"data: {\"initial-response\":{}}\n\n|{\"initial-response\":{}}",
		"event: content_block_delta\ndata: " + claude + "\n\n|" + claude,
		"data: {\"contentBlockDelta\":{\"delta\":{\"text\":\"hi\"}, \"contentBlockIndex\":0}}\n\n|{\"contentBlockDelta\":{\"delta\":{\"text\":\"hi\"},\n\"contentBlockIndex\":0}}",
	}
	for name, src := range map[string]io.Reader{
		"whole": bytes.NewReader(stream), "byte by byte": iotest.OneByteReader(bytes.NewReader(stream)), "halves": iotest.HalfReader(bytes.NewReader(stream)),
		"data with the end": iotest.DataErrReader(bytes.NewReader(stream)),
	} {
		got, err := read(src)
		if !errors.Is(err, io.EOF) || !slices.Equal(got, want) {
			t.Errorf("%s: %v\n%q\nwant\n%q", name, err, got, want)
		}
	}
}

// What a reader of server-sent events makes of the raw form is the data.
func TestFrames_asServerSentEvents(t *testing.T) {
	f := newFrames(bytes.NewReader(providertest.ChunkFrame(claude)))
	ev, err := f.Next()
	if err != nil {
		t.Fatal(err)
	}
	again, err := sse.NewReader(bytes.NewReader(ev.Raw), nil, 1<<20).Next()
	if err != nil || string(again.Data) != claude {
		t.Errorf("%q, %v", again.Data, err)
	}
}

// A frame of the format's own test suite: https://github.com/awslabs/aws-c-event-stream
// (payload_one_str_header). It is no event, and says no name.
func TestFrames_published(t *testing.T) {
	frame, err := hex.DecodeString("0000003d0000002007fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e7b27666f6f273a27626172277d8d9c08b1")
	if err != nil {
		t.Fatal(err)
	}
	got, err := read(bytes.NewReader(frame))
	if !errors.Is(err, io.EOF) || len(got) != 1 || !strings.HasSuffix(got[0], `|{"":{'foo':'bar'}}`) {
		t.Errorf("%q, %v", got, err)
	}
	if again := providertest.Frame("{'foo':'bar'}", "content-type", "application/json"); !bytes.Equal(again, frame) {
		t.Errorf("%x", again)
	}
}

func TestFrames_exceptions(t *testing.T) {
	f := func(frame []byte, kind providers.FaultKind, message string) {
		t.Helper()
		_, err := read(bytes.NewReader(frame))
		var fault *providers.Fault
		if !errors.As(err, &fault) || fault.Kind != kind || fault.Message != message {
			t.Errorf("%v, want %s %q", err, kind, message)
		}
	}
	f(providertest.ExceptionFrame("throttlingException", "Too many tokens"), providers.FaultUpstreamRejected, "Too many tokens")
	f(providertest.ExceptionFrame("modelStreamErrorException", "gone"), providers.FaultUpstream, "gone")
	f(providertest.ExceptionFrame("somethingNew", "x"), providers.FaultUpstream, "x")
	f(providertest.Frame("", ":message-type", "error", ":error-code", "InternalServerException", ":error-message", `a "b"`), providers.FaultUpstream, `a "b"`)
}

func TestFrames_damaged(t *testing.T) {
	good := providertest.ChunkFrame(claude)
	for at := range good {
		bad := slices.Clone(good)
		bad[at] ^= 1
		if got, err := read(bytes.NewReader(bad)); err == nil || errors.Is(err, io.EOF) || len(got) > 0 {
			t.Fatalf("with byte %d changed: %q, %v", at, got, err)
		}
	}
	for at := 1; at < len(good); at++ {
		if got, err := read(bytes.NewReader(good[:at])); !errors.Is(err, io.ErrUnexpectedEOF) || len(got) > 0 {
			t.Fatalf("cut after %d bytes: %q, %v", at, got, err)
		}
	}
	f := &Frames{}
	f.Reset(bytes.NewReader(providertest.ChunkFrame(strings.Repeat("x", 200))), nil, 100)
	if _, err := f.Next(); !errors.Is(err, sse.ErrTooLong) {
		t.Errorf("past the limit: %v", err)
	}
}

// A source that falls silent can be asked again, in the middle of a frame too.
func TestFrames_silence(t *testing.T) {
	f := newFrames(iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader(providertest.ChunkFrame(claude)))))
	if _, err := f.Next(); !errors.Is(err, iotest.ErrTimeout) {
		t.Fatal(err)
	}
	if f.Buffered() {
		t.Error("half a frame is an event")
	}
	if ev, err := f.Next(); err != nil || string(ev.Data) != claude {
		t.Errorf("%q, %v", ev.Data, err)
	}
}

func FuzzFrames(f *testing.F) {
	f.Add(providertest.ChunkFrame(claude))
	f.Add(slices.Concat(providertest.EventFrame("messageStop", `{"stopReason":"end_turn"}`), providertest.ExceptionFrame("x", "y")))
	f.Fuzz(func(t *testing.T, stream []byte) {
		whole, err := read(bytes.NewReader(stream))
		bitwise, err2 := read(iotest.OneByteReader(bytes.NewReader(stream)))
		if !slices.Equal(whole, bitwise) || (err == nil) != (err2 == nil) {
			t.Errorf("%q and %q", whole, bitwise)
		}
	})
}
