package main_test

import (
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/tidwall/gjson"
)

// soundForm streams a form with a sound of so many bytes: the model stands before it.
func soundForm(t *testing.T, model, format string, size int64) (body io.Reader, contentType string) {
	t.Helper()
	r, w := io.Pipe()
	form := multipart.NewWriter(w)
	go func() {
		err := form.WriteField("model", model)
		if err == nil {
			err = form.WriteField("response_format", format)
		}
		var part io.Writer
		if err == nil {
			part, err = form.CreateFormFile("file", "a.mp3")
		}
		if err == nil {
			_, err = io.Copy(part, io.LimitReader(zeros{}, size))
		}
		if err == nil {
			err = form.Close()
		}
		w.CloseWithError(err)
	}()
	return r, form.FormDataContentType()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// A sound of 25 MB takes little of the built program's memory on its way: while the upstream stands
// still in the middle of it, the heap has grown by less than 8 MB. So it is where the form goes on
// as it comes, where its file is the whole body, and where it stands in JSON as base64.
func TestLargeSounds(t *testing.T) {
	const size, half = 25 << 20, 12 << 20
	reached, goOn, got := make(chan struct{}), make(chan struct{}), make(chan int64, 1)
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.CopyN(io.Discard, r.Body, half)
		reached <- struct{}{}
		<-goOn
		more, _ := io.Copy(io.Discard, r.Body)
		got <- n + more
		w.Header().Set("content-type", "application/json")
		_, _ = io.WriteString(w, `{"text":"heard","chunks":[{"text":"heard","timestamp":[0,1]}]}`)
	}))
	defer up.Close()
	p := newPlace(t)
	p.env = append(p.env, "GOGC=5") // so that what is counted is used
	g := p.serve(t, anywhere+`
providers: [{name: up, dialect: openai, base_url: "`+up.URL+`/v1", api_key: none}, {name: huggingface, base_url: "`+up.URL+`/v1", api_key: none}]
keys: [{name: ci, key: `+fullKey+`}]
`)
	heap := func() float64 { return g.gauge(t, "go_memstats_heap_alloc_bytes") }
	f := func(name, model, format string, sent int64) {
		t.Helper()
		before := heap()
		body, contentType := soundForm(t, model, format, size)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.url+"/v1/audio/transcriptions", body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", contentType)
		req.Header.Set("Authorization", "Bearer "+fullKey)
		answer := make(chan string, 1)
		go func() {
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				answer <- err.Error()
				return
			}
			defer resp.Body.Close()
			said, _ := io.ReadAll(resp.Body)
			answer <- string(said)
		}()
		select {
		case <-reached:
		case said := <-answer:
			t.Fatalf("%s: %s", name, said)
		}
		grown := heap() - before
		t.Logf("%s: the heap has grown by %.0f KB", name, grown/1024)
		if grown > 8<<20 {
			t.Errorf("%s: the heap has grown by %.0f KB", name, grown/1024)
		}
		goOn <- struct{}{}
		if said := <-answer; gjson.Get(said, "text").Str != "heard" {
			t.Errorf("%s: %s", name, said)
		}
		if n := <-got; n < sent {
			t.Errorf("%s: the upstream got %d bytes, want %d", name, n, sent)
		}
	}
	f("a form", "up/listener", "json", size)
	f("a bare file", "huggingface/openai/whisper", "json", size)
	f("base64 in JSON", "huggingface/openai/whisper", "verbose_json", size*4/3)
}
