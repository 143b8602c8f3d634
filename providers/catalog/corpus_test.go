package catalog_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/responses"
	"github.com/aistrale/aistrale/providers/sse"
)

// A record is one recorded exchange with a real provider.
type record struct {
	ID, Provider, Kind, Model string
	Status                    int
	Headers                   gjson.Result
	Body                      []byte // a JSON value, or a stream's text as a JSON string
}

// eachRecord hands every recorded exchange of a file to f.
func eachRecord(t *testing.T, folder, name string, f func(*record)) {
	t.Helper()
	eachLine(t, folder, name, func(line []byte) {
		o := gjson.ParseBytes(line)
		f(&record{
			ID: o.Get("id").Str, Provider: o.Get("provider").Str, Kind: o.Get("kind").Str, Model: o.Get("model").Str,
			Status: int(o.Get("status").Int()), Headers: o.Get("response_headers"), Body: []byte(o.Get("response_body").Raw),
		})
	})
}

// corpusFolder is where recorded traffic lies. It stands outside the project, so its absence is
// no failure, not even in CI.
func corpusFolder(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("AISTRALE_CORPUS")
	if folder == "" {
		t.Skip("AISTRALE_CORPUS is not set: no recorded traffic to read")
	}
	if _, err := os.ReadDir(folder); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("AISTRALE_CORPUS cannot be read: %v", err)
		}
		t.Skipf("AISTRALE_CORPUS cannot be read: %v", err)
	}
	return folder
}

// eachLine hands every line of a gzipped file of the corpus to f.
func eachLine(t *testing.T, folder, name string, f func(line []byte)) {
	t.Helper()
	file, err := os.Open(filepath.Join(folder, name+".jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	lines, count := bufio.NewScanner(unzipped), 0
	lines.Buffer(nil, 64<<20)
	for ; lines.Scan(); count++ {
		f(lines.Bytes())
	}
	if err := lines.Err(); err != nil || count == 0 {
		t.Fatalf("%s: %d records, %v", name, count, err)
	}
}

// A tongue is one language with an independent reader of it.
type tongue struct {
	dialect providers.Dialect
	// read gives what a reply says; false where the record is not of this language after all.
	// A reply is a JSON value or, for a stream, the data of each event.
	read func(events []string) (*told, bool)
}

// tongueOf gives the language of a record's kind; nil for kinds no dialect reads.
func tongueOf(r *record) *tongue {
	switch r.Kind {
	case "chat":
		return &tongue{openai.Dialect{}, readOpenAI}
	case "messages":
		return &tongue{anthropic.Dialect{}, readAnthropic}
	case "generateContent", "streamGenerateContent":
		return &tongue{gemini.Dialect{}, readGemini}
	case "responses":
		return &tongue{responses.Dialect{}, readResponses}
	}
	return nil
}

// wire gives a reply as it stands on the wire, and whether it is a stream. Gemini's array form
// is one that the gateway never asks for; its elements are put back into events.
func (r *record) wire(t *testing.T) (body []byte, stream bool) {
	t.Helper()
	switch bytes.TrimSpace(r.Body)[0] {
	case '"':
		var text string
		if err := json.Unmarshal(r.Body, &text); err != nil {
			t.Fatal(err)
		}
		return []byte(text), true
	case '[':
		var elements []json.RawMessage
		if r.Kind != "streamGenerateContent" || json.Unmarshal(r.Body, &elements) != nil {
			return r.Body, false
		}
		for _, e := range elements {
			var line bytes.Buffer
			if err := json.Compact(&line, e); err != nil {
				t.Fatal(err)
			}
			body = append(append(append(body, "data: "...), line.Bytes()...), "\r\n\r\n"...)
		}
		return body, true
	}
	return r.Body, false
}

// framesOf cuts a reply into what a decoder is given.
func framesOf(t *testing.T, src io.Reader) (frames []string) {
	t.Helper()
	r := sse.NewReader(src, make([]byte, 0, 512), 64<<20)
	for {
		ev, err := r.Next()
		if errors.Is(err, io.EOF) {
			return frames
		}
		if err != nil {
			t.Fatal(err)
		}
		if ev.Data != nil {
			frames = append(frames, string(ev.Data))
		}
	}
}

func (r *record) call(stream bool) *providers.Call {
	return &providers.Call{
		Op: providers.OpChat, Asked: "asked/" + r.Model, Model: r.Model, Provider: r.Provider, Stream: stream, IncludeUsage: true,
		ID: "chatcmpl-0", Created: time.Unix(1_700_000_000, 0),
	}
}

var corpusFiles = []string{"openai", "anthropic", "gemini", "groq", "huggingface", "azure", "vertex", otherVendors}

// otherVendors took over OpenAI's language, with liberties that no document names.
const otherVendors = "other"

// vendors are those of whose traffic the files must hold some.
var vendors = []string{
	"openai", "anthropic", "gemini", "groq", "huggingface", "azure", "vertex",
	"cerebras", "deepseek", "mistral", "openrouter", "perplexity", "together", "xai",
}

func TestCorpus_replies(t *testing.T) {
	folder := corpusFolder(t)
	var mu sync.Mutex
	heard := map[string]int{} // by vendor
	t.Cleanup(func() {
		for _, vendor := range vendors {
			if heard[vendor] < 5 {
				t.Errorf("only %d replies of %s were compared", heard[vendor], vendor)
			}
		}
	})
	for _, name := range corpusFiles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			read, compared := 0, 0
			eachRecord(t, folder, name, func(r *record) {
				if tongue := tongueOf(r); tongue != nil && r.Status == 200 {
					read++
					n := checkReply(t, r, tongue)
					compared += n
					mu.Lock()
					heard[r.Provider] += n
					mu.Unlock()
				}
			})
			t.Logf("%d replies read, %d of them compared with the reader of this test", read, compared)
			if read > 0 && compared*10 < read*9 {
				t.Errorf("only %d of %d replies could be compared", compared, read)
			}
		})
	}
}

// checkReply reads one reply in every cut and compares it with what it says. It gives 1 where
// there was something to compare with.
func checkReply(t *testing.T, r *record, tongue *tongue) int {
	t.Helper()
	body, stream := r.wire(t)
	frames := []string{string(body)}
	if stream {
		frames = framesOf(t, bytes.NewReader(body))
		rng := rand.New(rand.NewPCG(uint64(len(body)), 3))
		for _, src := range []io.Reader{iotest.OneByteReader(bytes.NewReader(body)), &torn{body, rng}} {
			if got := framesOf(t, src); strings.Join(got, "\x00") != strings.Join(frames, "\x00") {
				t.Errorf("%s: the frames depend on how the bytes were cut", r.ID)
			}
		}
	}
	got := hear(tongue.dialect, r.call(stream), frames)
	want, ok := tongue.read(frames)
	if !ok {
		return 0
	}
	wrongs := append(got.broken, want.differs(got)...)
	for _, wrong := range wrongs {
		t.Errorf("%s (%s, stream %v): %s", r.ID, r.Model, stream, wrong)
	}
	return 1
}

// torn reads pieces of random length.
type torn struct {
	rest []byte
	rand *rand.Rand
}

func (r *torn) Read(b []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := min(1+r.rand.IntN(200), len(b), len(r.rest))
	copy(b, r.rest[:n])
	r.rest = r.rest[n:]
	return n, nil
}

// A stream that breaks off must end in a fault, wherever it breaks, and must not be heard to
// say anything that it did not say.
func TestCorpus_brokenStreams(t *testing.T) {
	folder := corpusFolder(t)
	for _, name := range corpusFiles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broken := 0
			eachRecord(t, folder, name, func(r *record) {
				tongue := tongueOf(r)
				if tongue == nil || r.Status != 200 {
					return
				}
				if body, stream := r.wire(t); stream {
					broken += breakOff(t, r, tongue, framesOf(t, bytes.NewReader(body)))
				}
			})
			if broken == 0 {
				t.Error("no stream could be broken off")
			}
		})
	}
}

func breakOff(t *testing.T, r *record, tongue *tongue, frames []string) int {
	t.Helper()
	last := finishAt(tongue.dialect, frames)
	rng := rand.New(rand.NewPCG(uint64(len(frames)), 5))
	for range min(3, last+1) {
		at := rng.IntN(last + 1)
		cut := frames[:at:at]
		if at < last && rng.IntN(2) == 0 { // inside an event, as a dying connection does
			cut = append(cut, frames[at][:rng.IntN(len(frames[at])+1)])
		}
		got := hear(tongue.dialect, r.call(true), cut)
		if got.fault == nil || got.ended {
			t.Errorf("%s: cut after %d of %d events, it ends cleanly (%v)", r.ID, at, len(frames), got.fault)
		} else if !got.fault.Retryable && got.fault.Message == "" {
			t.Errorf("%s: the fault says nothing", r.ID)
		}
	}
	return min(3, last+1)
}

// finishAt gives the number of the first frame that ends the reply or a choice of it.
func finishAt(d providers.Dialect, frames []string) int {
	for i, frame := range frames {
		if seen := d.Observe([]byte(frame)); seen.Finish != "" || seen.End || seen.Fault != nil {
			return i
		}
	}
	return -1
}

func TestCorpus_faults(t *testing.T) {
	folder, count := corpusFolder(t), 0
	for _, name := range corpusFiles {
		eachRecord(t, folder, name, func(r *record) {
			if tongue := tongueOf(r); tongue != nil && r.Status >= 400 {
				count++
				checkFault(t, r, tongue.dialect)
			}
		})
	}
	if count < 50 {
		t.Errorf("only %d recorded refusals", count)
	}
}

func checkFault(t *testing.T, r *record, dialect providers.Dialect) {
	t.Helper()
	header := func(name string) (value string) {
		r.Headers.ForEach(func(k, v gjson.Result) bool {
			if strings.EqualFold(k.Str, name) {
				value = v.String()
			}
			return value == ""
		})
		return value
	}
	body, _ := r.wire(t)
	fault := dialect.Fault(r.Status, header, body)
	if fault == nil || fault.Kind == 0 || fault.Message == "" {
		t.Fatalf("%s: status %d became %+v", r.ID, r.Status, fault)
	}
	if want := errorMessage(r.Body); !strings.Contains(squash(fault.Message), squash(want)) {
		t.Errorf("%s: the message %q lost %q", r.ID, fault.Message, want)
	}
	status, answer := openai.Face{}.Refuse(fault)
	switch {
	case r.Status == 401 || r.Status == 403:
		if status != 502 || fault.Kind != providers.FaultProviderAuth {
			t.Errorf("%s: a %d about our credential became %d", r.ID, r.Status, status)
		}
	case r.Status < 500 && status != r.Status:
		t.Errorf("%s: %d became %d", r.ID, r.Status, status)
	case r.Status >= 500 && status < 500:
		t.Errorf("%s: %d became %d", r.ID, r.Status, status)
	}
	if !json.Valid(answer) {
		t.Errorf("%s: refused with %s", r.ID, answer)
	}
}

// errorMessage is the human text of an error body, "" where it has none.
func errorMessage(body []byte) string {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return ""
	}
	for {
		switch x := v.(type) {
		case []any:
			if len(x) == 0 {
				return ""
			}
			v = x[0]
		case map[string]any:
			if inner, ok := x["error"]; ok {
				v = inner
				continue
			}
			v = first(x, "message", "detail")
		case string:
			return x
		default:
			return ""
		}
	}
}

func squash(s string) string { return strings.Join(strings.Fields(s), " ") }
