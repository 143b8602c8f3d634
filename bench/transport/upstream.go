//go:build linux

package main

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// Files of the upstream in the folder that both sides know.
const (
	addressFile     = "address"
	certificateFile = "ca.pem"
)

// everyHeader is how long a stream's events are apart; without it the reply is whole.
const everyHeader = "x-every"

// streamed is the length of a stream's life, and event one of it, of the size of a chunk of chat.
const streamed = 5 * time.Second

var event = []byte(`data: {"id":"chatcmpl-qa6UinSVLBi65w3NJqrmwTMuLojtS","object":"chat.completion.chunk","created":1767225600,"model":"gpt","choices":[{"index":0,"delta":{"content":"token "},"finish_reason":null}]}` + "\n\n")

var whole = []byte(`{"id":"chatcmpl-qa6UinSVLBi65w3NJqrmwTMuLojtS","object":"chat.completion","created":1767225600,"model":"gpt","choices":[{"index":0,"message":{"role":"assistant","content":"Hello."},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}`)

// serve is the upstream of both transports: net/http's server, which a client may speak either to,
// until its standard input ends.
func serve(dir string) error {
	var handshakes atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("GET /handshakes", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, handshakes.Load()) })
	mux.HandleFunc("POST /v1/chat/completions", answer)
	server := httptest.NewUnstartedServer(mux)
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS13, VerifyConnection: func(tls.ConnectionState) error { handshakes.Add(1); return nil }}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // clients come and go
	server.StartTLS()
	defer server.Close()
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(filepath.Join(dir, certificateFile), certificate, 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, addressFile+".new"), []byte(server.URL), 0o600); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(dir, addressFile+".new"), filepath.Join(dir, addressFile)); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

func answer(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	every, err := time.ParseDuration(r.Header.Get(everyHeader))
	if err != nil || every <= 0 {
		w.Header().Set("content-type", "application/json")
		_, _ = w.Write(whole)
		return
	}
	w.Header().Set("content-type", "text/event-stream")
	tick := time.NewTicker(every)
	defer tick.Stop()
	for range max(2, streamed/every) {
		if _, err := w.Write(event); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
		<-tick.C
	}
}
