package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/storage"
)

// heard is what an upstream was sent.
type heard struct {
	*http.Request
	parts []piece
	err   error // of the form
}

// listener is an upstream that takes sounds, and tells what it was sent when that has ended.
func listener(t *testing.T, name string, answer http.HandlerFunc) (*Account, chan heard) {
	t.Helper()
	told := make(chan heard, 32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		h := heard{Request: r, err: err}
		if err == nil && isForm([]byte(r.Header.Get("content-type"))) {
			h.parts = parse(t, r.Header.Get("content-type"), strings.NewReader(string(body)))
		}
		told <- h
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return soundAccount(t, name, s.URL), told
}

func soundAccount(t *testing.T, name, url string) *Account {
	t.Helper()
	up, err := NewPool(PoolOptions{BaseURL: url, UserAgent: "test", Connect: time.Second, MaxConns: 256})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(up.Close)
	return &Account{
		Provider: providers.Provider{Name: name, BaseURL: url, Sign: providers.Bearer, Routes: map[providers.Op][]providers.Route{
			providers.OpTranscription: {{Language: "openai", Dialect: openai.Dialect{}, Path: "/audio/transcriptions", Governed: openai.Governed()}},
		}},
		Credential: "c", Secret: storage.NewSecret("secret"), Upstream: up,
		FirstByte: 20 * time.Second, StreamIdle: 20 * time.Second, Breaker: testBreaker,
	}
}

func uploads(o *Options, _ *Snapshot) {
	o.Limits.MaxUpload, o.Limits.UploadDisk, o.Limits.ClientRead = 1<<30, 1<<30, 20*time.Second
	o.Limits.ClientRate = 1 << 20
}

func newSoundGateway(t *testing.T, targets []policy.Target, accounts []*Account, change ...setting) *testGateway {
	t.Helper()
	dir := t.TempDir()
	return newStagedGateway(t, &policy.Alias{Targets: targets}, accounts,
		append([]setting{uploads, func(o *Options, _ *Snapshot) { o.Limits.UploadDir = dir }}, change...)...)
}

// upload sends a form; a length of -1 is not said.
func (g *testGateway) upload(ctx context.Context, boundary string, body io.Reader, length int64) (*http.Response, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url+"/v1/audio/transcriptions", body)
	if err != nil {
		return nil, "", err
	}
	req.ContentLength = length
	req.Header.Set("authorization", "Bearer "+keyNumber(0))
	req.Header.Set("content-type", "multipart/form-data; boundary="+boundary)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return resp, string(text), err
}

func wroteDown(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("content-type", "application/json")
	_, _ = io.WriteString(w, `{"text":"hello"}`)
}

const testBoundary = "client-boundary"

var (
	partModel = piece{name: "model", value: "it"}
	partSound = piece{name: "file", filename: "a.wav", mime: "audio/wav", value: "RIFF\r\n--" + testBoundary + "x", file: true}
	partLang  = piece{name: "language", value: "en"}
	partRough = piece{name: "timestamp_granularities[]", value: "word"}
)

func TestGateway_FormsInAnyOrder(t *testing.T) {
	account, told := listener(t, "one", wroteDown)
	g := newSoundGateway(t, targetsOf("one/theirs"), []*Account{account})
	model := piece{name: "model", value: "theirs"}
	f := func(live bool, want []piece, sent ...piece) {
		t.Helper()
		text := compose(t, testBoundary, sent...)
		for _, length := range []int64{int64(len(text)), -1} {
			resp, body, err := g.upload(t.Context(), testBoundary, io.NopCloser(strings.NewReader(text)), length)
			if err != nil || resp.StatusCode != 200 || body != `{"text":"hello"}` {
				t.Fatalf("%v, %v, %s", resp, err, body)
			}
			if rec := g.records.next(t); rec.BytesIn < int64(len(text)) || !rec.Exact {
				t.Errorf("%d bytes in of %d, exact %t", rec.BytesIn, len(text), rec.Exact)
			}
			h := <-told
			if got, want := fmt.Sprint(h.parts), fmt.Sprint(want); got != want {
				t.Errorf("sent on as %s, want %s", got, want)
			}
			if known := h.ContentLength >= 0; known == live {
				t.Errorf("length %d, live %t", h.ContentLength, live)
			}
			if h.Header.Get("authorization") != "Bearer secret" || strings.Contains(h.Header.Get("content-type"), testBoundary) {
				t.Errorf("headers %v", h.Header)
			}
		}
	}
	f(true, []piece{model, partLang, partSound}, partModel, partLang, partSound)
	f(true, []piece{model, partSound, partLang, partRough}, partModel, partSound, partLang, partRough)
	f(false, []piece{model, partLang, partRough, partRough, partSound}, partSound, partModel, partLang, partRough, partRough)
	f(true, []piece{model, partSound, partSound}, partSound, partModel, partSound)
	large := partSound
	large.value = strings.Repeat("0123456789abcdef", 1<<15)
	f(true, []piece{model, large}, partModel, large)
	f(false, []piece{model, large}, large, partModel)
}

// What nobody may do in JSON he may not do in a form, wherever the field stands; an upstream
// that has been sent a part of it is never sent its end.
func TestGateway_FormsAreGoverned(t *testing.T) {
	account, told := listener(t, "one", wroteDown)
	g := newSoundGateway(t, targetsOf("one/theirs"), []*Account{account}, func(_ *Options, s *Snapshot) {
		key, err := storage.KeyOf("narrow", keyNumber(0))
		if err != nil {
			t.Fatal(err)
		}
		key.Models = []string{"it", "other*"}
		s.Keys = policy.NewKeyring([]storage.Key{key})
	})
	f := func(sentOn bool, status int, want string, sent ...piece) {
		t.Helper()
		text := compose(t, testBoundary, sent...)
		resp, body, err := g.upload(t.Context(), testBoundary, strings.NewReader(text), int64(len(text)))
		if err != nil || resp.StatusCode != status || !strings.Contains(body, want) {
			t.Fatalf("%v, %v, %s", resp, err, body)
		}
		rec := g.records.next(t)
		if rec.Outcome != storage.OutcomeRefused || len(rec.Usage.Lines) > 0 {
			t.Errorf("outcome %s, usage %+v", rec.Outcome, rec.Usage)
		}
		if sentOn {
			if h := <-told; h.err == nil {
				t.Errorf("the upstream was sent a whole form: %v", h.parts)
			}
		}
	}
	url := piece{name: "url", value: "http://127.0.0.1/"}
	f(false, 403, "does not have access", piece{name: "model", value: "one/theirs"}, partSound)
	f(false, 403, "does not have access", partSound, piece{name: "model", value: "one/theirs"})
	f(false, 403, "reaches a network", partModel, url, partSound)
	f(false, 403, "reaches a network", partSound, partModel, url)
	f(true, 403, "reaches a network", partModel, partSound, url)
	f(true, 403, "names the model", partModel, partSound, piece{name: "moderation[model]", value: "x"})
	f(false, 403, "names the model", partModel, piece{name: "moderation[model]", value: "x"}, partSound)
	f(true, 400, "before its file and behind it", partModel, partSound, piece{name: "Model", value: "other"})
	f(false, 400, "some parsers take for one", partModel, piece{name: "Model", value: "other"}, partSound)
	f(false, 400, "expected a string", partSound, partModel, partModel)
	f(false, 400, "model", partSound)
	f(false, 400, "larger than", partModel, piece{name: "File", filename: "x", value: strings.Repeat("x", maxFormText), file: true})
}

func TestGateway_FormsThatAreTooLarge(t *testing.T) {
	account, told := listener(t, "one", wroteDown)
	g := newSoundGateway(t, targetsOf("one/theirs"), []*Account{account}, func(o *Options, _ *Snapshot) { o.Limits.MaxUpload = 1 << 20 })
	large := partSound
	large.value = strings.Repeat("x", 1<<20)
	f := func(sentOn bool, known bool, sent ...piece) {
		t.Helper()
		text, length := compose(t, testBoundary, sent...), int64(-1)
		if known {
			length = int64(len(text))
		}
		resp, body, err := g.upload(t.Context(), testBoundary, io.NopCloser(strings.NewReader(text)), length)
		if err != nil || resp.StatusCode != 413 || !strings.Contains(body, "1048576") {
			t.Fatalf("%v, %v, %s", resp, err, body)
		}
		if sentOn {
			if h := <-told; h.err == nil {
				t.Error("the upstream was sent a whole form")
			}
		}
	}
	f(false, true, partModel, large)
	f(true, false, partModel, large)
	f(false, false, large, partModel)
}

// A form that was kept can be sent again, here or elsewhere; one that went by cannot.
func TestGateway_FormsAreSentAgainWhereTheyCan(t *testing.T) {
	bad, toldBad := listener(t, "bad", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	good, toldGood := listener(t, "good", wroteDown)
	g := newSoundGateway(t, targetsOf("bad/one", "good/two"), []*Account{bad, good})
	f := func(status int, sent ...piece) {
		t.Helper()
		text := compose(t, testBoundary, sent...)
		resp, body, err := g.upload(t.Context(), testBoundary, strings.NewReader(text), int64(len(text)))
		if err != nil || resp.StatusCode != status {
			t.Fatalf("%v, %v, %s", resp, err, body)
		}
		if h := <-toldBad; fmt.Sprint(h.parts[0]) != fmt.Sprint(piece{name: "model", value: "one"}) {
			t.Errorf("first sent as %v", h.parts)
		}
		if status == 200 {
			if h := <-toldGood; fmt.Sprint(h.parts) != fmt.Sprint([]piece{{name: "model", value: "two"}, partSound}) {
				t.Errorf("then sent as %v", h.parts)
			}
		}
	}
	f(200, partSound, partModel)
	f(503, partModel, partSound)
	if len(toldGood) > 0 {
		t.Error("a form that went by was sent again")
	}
}

// slow is a body of size bytes that says when it is read from.
type slow struct {
	left int64
	wait <-chan struct{} // before the last half
	half int64
}

func (s *slow) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	if s.left <= s.half && s.wait != nil {
		<-s.wait
		s.wait = nil
	}
	n := int64(len(p))
	if s.left > s.half {
		n = min(n, s.left-s.half)
	}
	n = min(n, s.left)
	clear(p[:n])
	s.left -= n
	return int(n), nil
}

// formAround puts a large file of zeros into a form, before the other parts or behind them.
func formAround(t *testing.T, file io.Reader, first bool) io.Reader {
	t.Helper()
	const mark = "THE FILE"
	sound := partSound
	sound.value = mark
	parts := []piece{partModel, sound}
	if first {
		parts = []piece{sound, partModel}
	}
	before, after, _ := strings.Cut(compose(t, testBoundary, parts...), mark)
	return io.MultiReader(strings.NewReader(before), file, strings.NewReader(after))
}

// A large upload takes little memory, whether it goes by or is kept, and however slow the
// upstream takes it: while it stands still in the middle, the heap has grown by less than 8 MB.
func TestGateway_LargeUploadsTakeLittleMemory(t *testing.T) {
	reached, goOn, got := make(chan struct{}), make(chan struct{}), make(chan int64, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.CopyN(io.Discard, r.Body, 1<<20)
		reached <- struct{}{}
		<-goOn
		more, _ := io.Copy(io.Discard, r.Body)
		got <- n + more
		wroteDown(w, r)
	}))
	defer s.Close()
	g := newSoundGateway(t, targetsOf("one/theirs"), []*Account{soundAccount(t, "one", s.URL)})
	for _, size := range []int64{25 << 20, 100 << 20} {
		for _, first := range []bool{false, true} {
			if first && size > 25<<20 && os.Getenv("AISTRALE_PROVE") == "" {
				continue
			}
			before := heapUsed()
			done := make(chan error, 1)
			go func() {
				resp, body, err := g.upload(t.Context(), testBoundary, formAround(t, &slow{left: size}, first), -1)
				if err == nil && resp.StatusCode != 200 {
					err = errors.New(body)
				}
				done <- err
			}()
			select {
			case <-reached:
			case err := <-done:
				t.Fatal(err)
			}
			grown := heapUsed() - before
			t.Logf("%d MB, file first %t: the heap has grown by %d KB", size>>20, first, grown>>10)
			if grown > 8<<20 {
				t.Errorf("%d MB, file first %t: the heap has grown by %d KB", size>>20, first, grown>>10)
			}
			goOn <- struct{}{}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			if n := <-got; n < size {
				t.Errorf("the upstream got %d bytes of %d", n, size)
			}
			g.records.next(t)
		}
	}
}

// The upstream has a file's beginning before the client has sent its end.
func TestGateway_UploadsAreSentOnAsTheyCome(t *testing.T) {
	reached := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyN(io.Discard, r.Body, 512<<10)
		close(reached)
		_, _ = io.Copy(io.Discard, r.Body)
		wroteDown(w, r)
	}))
	defer s.Close()
	g := newSoundGateway(t, targetsOf("one/theirs"), []*Account{soundAccount(t, "one", s.URL)})
	file := &slow{left: 2 << 20, half: 1 << 20, wait: reached}
	resp, body, err := g.upload(t.Context(), testBoundary, formAround(t, file, false), -1)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%v, %v, %s", resp, err, body)
	}
}

// A client that leaves in the middle of its upload ends the upstream's request there and then.
func TestGateway_ClientsThatLeaveWithinAnUpload(t *testing.T) {
	reached, ended := make(chan struct{}), make(chan error, 1)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyN(io.Discard, r.Body, 512<<10)
		close(reached)
		_, err := io.Copy(io.Discard, r.Body)
		ended <- err
	}))
	defer s.Close()
	g := newSoundGateway(t, targetsOf("one/theirs"), []*Account{soundAccount(t, "one", s.URL)})
	c, err := net.Dial("tcp", g.addr)
	if err != nil {
		t.Fatal(err)
	}
	begun, err := io.ReadAll(io.LimitReader(formAround(t, &slow{left: 2 << 20}, false), 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(c, "POST /v1/audio/transcriptions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %s\r\ncontent-type: multipart/form-data; boundary=%s\r\ncontent-length: %d\r\n\r\n%s",
		keyNumber(0), testBoundary, 2<<20, begun); err != nil {
		t.Fatal(err)
	}
	<-reached
	_ = c.Close()
	if err := <-ended; err == nil {
		t.Error("the upstream was sent a whole form")
	}
	rec := g.records.next(t)
	if rec.Outcome != storage.OutcomeClientGone || rec.Status != statusClientGone || rec.Attempts[0].Sent {
		t.Errorf("outcome %s, status %d, attempts %+v", rec.Outcome, rec.Status, rec.Attempts)
	}
}
