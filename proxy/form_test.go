package proxy

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/textproto"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
)

// piece is one part of a form as a reader sees it.
type piece struct {
	name, filename, mime, value string
	file                        bool
}

// parse reads a form whole, by the standard library.
func parse(t testing.TB, contentType string, body io.Reader) (parts []piece) {
	t.Helper()
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatal(err)
	}
	r := multipart.NewReader(body, params["boundary"])
	for {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return parts
		}
		if err != nil {
			t.Fatalf("the form that was written cannot be read: %v", err)
		}
		value, err := io.ReadAll(p)
		if err != nil {
			t.Fatalf("the form that was written cannot be read: %v", err)
		}
		_, params, err := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
		if err != nil {
			t.Fatal(err)
		}
		filename, file := params["filename"]
		parts = append(parts, piece{params["name"], filename, p.Header.Get("Content-Type"), string(value), file})
	}
}

// compose writes a form. "rest" is a file under the name "file".
func compose(t testing.TB, boundary string, parts ...piece) string {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if boundary != "" {
		if err := w.SetBoundary(boundary); err != nil {
			t.Skip(err)
		}
	}
	for _, p := range parts {
		h := textproto.MIMEHeader{}
		line := `form-data; name="` + escapeName(p.name) + `"`
		if p.file {
			line += `; filename="` + escapeName(p.filename) + `"`
		}
		h.Set("Content-Disposition", line)
		if p.mime != "" {
			h.Set("Content-Type", p.mime)
		}
		dst, err := w.CreatePart(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(dst, p.value); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// formFlight is a flight around a form that comes from src.
func formFlight(t testing.TB, src io.Reader, kind *providers.Form, boundary string) (*flight, *form) {
	t.Helper()
	f := &flight{g: &Gateway{}, fc: &fasthttp.RequestCtx{}}
	f.fc.Request.Header.SetContentLength(0)
	in := &intake{f: f, src: src, limit: 1 << 30, spare: -1}
	fm, err := newForm(kind, in, mime.FormatMediaType("multipart/form-data", map[string]string{"boundary": boundary}))
	if err != nil {
		t.Skip(err)
	}
	fm.spool.disk, fm.spool.dir = &f.g.disk, t.TempDir()
	f.g.disk.left.Store(1 << 30)
	f.form = fm
	t.Cleanup(fm.close)
	return f, fm
}

// retell reads a form as far as its first file, or whole, and writes it with another model.
func retell(t testing.TB, fm *form, whole bool) (out []byte, length int64, err error) {
	t.Helper()
	for !fm.ended {
		if err := fm.advance(); err != nil {
			return nil, 0, err
		}
		if fm.open == nil {
			continue
		}
		if fm.known() && !whole {
			break
		}
		if err := fm.keep(); err != nil {
			return nil, 0, err
		}
	}
	var doc providers.Document
	if err := doc.Scan(fm.document(nil), nil); err != nil {
		return nil, 0, err
	}
	plan, err := openai.Dialect{}.Splice(&providers.Call{Op: providers.OpTranscription, Doc: &doc, Form: true, Model: "theirs"})
	if err != nil {
		return nil, 0, err
	}
	if !plan.Requests[0].Form {
		t.Fatal("the plan is no form")
	}
	u := newUpload(fm, plan.Requests[0].Body, func(f formField) (formField, error) { return f, nil })
	length = u.Length()
	out, err = io.ReadAll(iotest.OneByteReader(u))
	return out, length, err
}

// Whatever a form holds and however it comes, the upstream is sent the same parts, but for the
// model: fields in their order, then files in theirs, and what came behind a file behind it.
func FuzzForm(f *testing.F) {
	f.Add("b", "file", "x", "gpt", "a.wav", []byte("RIFF\r\n--b\r\n"), []byte("x"), uint8(3), false)
	f.Add("'()+_,-./:=? x", "a[b][]", "n", "2", `q"\.wav`, []byte{}, []byte("1e3"), uint8(255), true)
	f.Add("----WebKitFormBoundary", "x", "y", "\n--", "", []byte("\r\n----WebKitFormBoundary-"), []byte("true"), uint8(1), true)
	f.Fuzz(func(t *testing.T, boundary, name, second, value, filename string, sound, more []byte, size uint8, whole bool) {
		kind := &providers.Form{Files: []string{"file"}, Needs: []string{"model"}}
		in := []piece{
			{name: name, value: value},
			{name: "model", value: "ours"},
			{name: "file", filename: filename, mime: "audio/wav", value: string(sound), file: true},
			{name: second, value: string(more)},
		}
		text := compose(t, boundary, in...)
		if name == "model" || second == "model" {
			t.Skip("no model can be told")
		}
		if strings.Count(text, "--"+boundary) != len(in)+1 {
			t.Skip("not what the form says")
		}
		_, fm := formFlight(t, iotest.HalfReader(&chunked{strings.NewReader(text), int(size) + 1}), kind, boundary)
		out, length, err := retell(t, fm, whole)
		if err != nil {
			var fault *providers.Fault
			if !errors.As(err, &fault) {
				t.Fatalf("the error is no fault: %v", err)
			}
			return
		}
		if whole && length != int64(len(out)) || !whole && length != -1 {
			t.Fatalf("the length is %d of %d", length, len(out))
		}
		want := parse(t, mime.FormatMediaType("multipart/form-data", map[string]string{"boundary": boundary}), strings.NewReader(text))
		got := parse(t, fm.contentType(), bytes.NewReader(out))
		for i := range want {
			if want[i].name == "model" && want[i].value == "ours" {
				want[i].value = "theirs"
			}
			if !want[i].file || want[i].name != "file" {
				want[i].filename, want[i].mime, want[i].file = "", "", false
			}
		}
		sorted := func(list []piece) []piece {
			list = slices.Clone(list)
			slices.SortStableFunc(list, func(a, b piece) int { return strings.Compare(a.name, b.name) })
			return list
		}
		if a, b := sorted(got), sorted(want); !slices.Equal(a, b) {
			t.Fatalf("got %+v\nwant %+v", a, b)
		}
	})
}

// chunked gives at most so many bytes at once.
type chunked struct {
	io.Reader
	most int
}

func (c *chunked) Read(p []byte) (int, error) { return c.Reader.Read(p[:min(len(p), c.most)]) }

func TestForm_Document(t *testing.T) {
	f := func(want string, fields ...formField) {
		t.Helper()
		if got := string((&form{fields: fields}).document(nil)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	f(`{}`)
	f(`{"model":"whisper-1","n":2,"stream":true,"temperature":0.20,"prompt":"\"x\"\n"}`,
		formField{"model", "whisper-1"}, formField{"n", "2"}, formField{"stream", "true"}, formField{"temperature", "0.20"}, formField{"prompt", "\"x\"\n"})
	f(`{"include[]":["logprobs"],"a":["1x","2x"],"b":"null"}`,
		formField{"include[]", "logprobs"}, formField{"a", "1x"}, formField{"b", "null"}, formField{"a", "2x"})
	f(`{"a":"01","b":"-","c":"1 ","d":""}`, formField{"a", "01"}, formField{"b", "-"}, formField{"c", "1 "}, formField{"d", ""})
}

func TestNested(t *testing.T) {
	f := func(name, want string) {
		t.Helper()
		if got := string(nested(nil, formField{name, "v"})); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	f("a", ``)
	f("a[b]", `{"a":{"b":"v"}}`)
	f("a[]", `{"a":["v"]}`)
	f("tools[0][type]", `{"tools":[{"type":"v"}]}`)
	f("a[b][][c]", `{"a":{"b":[{"c":"v"}]}}`)
	f("a[b", `{"a":{"b":"v"}}`)
}

func TestForm_Refusals(t *testing.T) {
	kind := &providers.Form{Files: []string{"file"}}
	f := func(name, text, want string) {
		t.Helper()
		_, fm := formFlight(t, strings.NewReader(text), kind, "b")
		_, _, err := retell(t, fm, true)
		var fault *providers.Fault
		if !errors.As(err, &fault) || fault.Kind != providers.FaultInvalid || !strings.Contains(fault.Message, want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
	head := "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n"
	f("cut", head+"\r\nx", "not valid")
	f("no end", head+"\r\nx\r\n--b\r\n", "content-disposition")
	f("empty", "", "not valid")
	f("no name", "--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n", "content-disposition")
	f("two names", "--b\r\nContent-Disposition: form-data; name=\"a\"; name=\"model\"\r\n\r\nx\r\n--b--\r\n", "content-disposition")
	f("two dispositions", head+"Content-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--b--\r\n", "content-disposition")
	f("a break in a name", "--b\r\nContent-Disposition: form-data; name*=utf-8''a%0D%0Ab\r\n\r\nx\r\n--b--\r\n", "cannot be read")
	f("an encoding", head+"Content-Transfer-Encoding: base64\r\n\r\neA==\r\n--b--\r\n", "content-transfer-encoding")
	f("a long head", head+"X: "+strings.Repeat("x", 64<<10)+"\r\n\r\nx\r\n--b--\r\n", "too long")
	f("a large field", head+"\r\n"+strings.Repeat("x", maxFormText+1)+"\r\n--b--\r\n", "larger than")
	f("bytes", head+"\r\n\xff\r\n--b--\r\n", "UTF-8")
	f("many parts", strings.Repeat(head+"\r\nx\r\n", maxFormFields+1)+"--b--\r\n", "parts")
}

// A spool is the same bytes wherever they stand, and leaves nothing behind.
func TestSpool(t *testing.T) {
	for _, size := range []int{0, 10, spoolMemory, spoolMemory + 1, 3 * spoolMemory} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			disk := &budget{}
			disk.left.Store(4 * spoolMemory)
			s := &spool{dir: t.TempDir(), disk: disk}
			want := make([]byte, size)
			for i := range want {
				want[i] = byte(i * 7 / 3)
			}
			if _, err := io.Copy(s, iotest.HalfReader(bytes.NewReader(want))); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(s.section(0, s.size))
			if err != nil || sha256.Sum256(got) != sha256.Sum256(want) {
				t.Errorf("%d of %d bytes, %v", len(got), len(want), err)
			}
			left, err := os.ReadDir(s.dir)
			if err != nil || len(left) > 0 {
				t.Errorf("the folder has %v, %v", left, err)
			}
			if size > spoolMemory && disk.left.Load() == 4*spoolMemory {
				t.Error("nothing was counted")
			}
			s.close()
			if n := disk.left.Load(); n != 4*spoolMemory {
				t.Errorf("%d bytes of the disk's budget are left", n)
			}
		})
	}
	s := &spool{dir: t.TempDir(), disk: &budget{}}
	defer s.close()
	_, err := s.Write(make([]byte, spoolMemory+1))
	var fault *providers.Fault
	if !errors.As(err, &fault) || fault.Kind != providers.FaultUnavailable {
		t.Errorf("past the budget: %v", err)
	}
}
