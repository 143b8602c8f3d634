// Package transit wraps data keys with a key that never leaves HashiCorp Vault (or OpenBao): its
// transit secrets engine.
package transit

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// Options say which key of which server.
type Options struct {
	Address   string // https://vault.example.com:8200
	Token     storage.Secret
	Namespace string // "" none
	Mount     string // of the engine
	Key       string
	CAFile    string // PEM; "" the system's
	Timeout   time.Duration
}

// Wrapper implements storage.KeyWrapper.
type Wrapper struct {
	o    Options
	http *http.Client
}

// mark begins every ciphertext of the engine.
const mark = "vault:v"

// maxAnswer bounds an answer in bytes.
const maxAnswer = 1 << 20

// New makes a wrapper. Nothing is asked yet.
func New(o Options) (*Wrapper, error) {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, IdleConnTimeout: time.Minute}
	if o.CAFile != "" {
		text, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s holds no certificate", o.CAFile)
		}
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}
	}
	return &Wrapper{o, &http.Client{Transport: transport, Timeout: o.Timeout, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // the token is for one address
	}}}, nil
}

// Wrap implements storage.KeyWrapper. The data key's id is in what is encrypted, so that it opens
// for no other.
func (w *Wrapper) Wrap(ctx context.Context, id string, key []byte) ([]byte, error) {
	got, err := w.call(ctx, "encrypt", map[string]string{"plaintext": base64.StdEncoding.EncodeToString(append([]byte(id+"\x00"), key...))})
	return []byte(got.Ciphertext), err
}

// Unwrap implements storage.KeyWrapper.
func (w *Wrapper) Unwrap(ctx context.Context, id string, wrapped []byte) ([]byte, error) {
	if !bytes.HasPrefix(wrapped, []byte(mark)) {
		return nil, storage.ErrWrongMasterKey
	}
	got, err := w.call(ctx, "decrypt", map[string]string{"ciphertext": string(wrapped)})
	if err != nil {
		return nil, err
	}
	plain, err := base64.StdEncoding.DecodeString(got.Plaintext)
	key, ok := bytes.CutPrefix(plain, []byte(id+"\x00"))
	if err != nil || !ok {
		return nil, storage.ErrSealBroken
	}
	return key, nil
}

// Rewrap implements storage.KeyWrapper: the engine moves what an older version of its key has
// encrypted to the newest, and nobody sees the data key.
func (w *Wrapper) Rewrap(ctx context.Context, _ string, wrapped []byte) ([]byte, error) {
	if !bytes.HasPrefix(wrapped, []byte(mark)) {
		return nil, storage.ErrWrongMasterKey
	}
	got, err := w.call(ctx, "rewrap", map[string]string{"ciphertext": string(wrapped)})
	if err != nil {
		return nil, err
	}
	if versionOf(got.Ciphertext) == versionOf(string(wrapped)) {
		return wrapped, nil
	}
	return []byte(got.Ciphertext), nil
}

// versionOf gives the version of the key in a ciphertext, "vault:v3:…".
func versionOf(ciphertext string) string {
	version, _, _ := strings.Cut(strings.TrimPrefix(ciphertext, mark), ":")
	return version
}

type answer struct{ Ciphertext, Plaintext string }

func (w *Wrapper) call(ctx context.Context, verb string, body map[string]string) (answer, error) {
	said, err := w.post(ctx, verb, body)
	if err != nil {
		return answer{}, fmt.Errorf("encryption.vault: %s: %w", verb, err)
	}
	return said, nil
}

func (w *Wrapper) post(ctx context.Context, verb string, body map[string]string) (said answer, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return said, err
	}
	at := strings.TrimSuffix(w.o.Address, "/") + "/v1/" + w.o.Mount + "/" + verb + "/" + url.PathEscape(w.o.Key)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, at, bytes.NewReader(text))
	if err != nil {
		return said, err
	}
	r.Header.Set("x-vault-token", w.o.Token.Reveal())
	r.Header.Set("x-vault-request", "true")
	r.Header.Set("content-type", "application/json")
	if w.o.Namespace != "" {
		r.Header.Set("x-vault-namespace", w.o.Namespace)
	}
	response, err := w.http.Do(r)
	if err != nil {
		return said, err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return said, err
	}
	if response.StatusCode != http.StatusOK {
		return said, refusal(response.StatusCode, raw)
	}
	var whole struct{ Data answer }
	if err := json.Unmarshal(raw, &whole); err != nil {
		return said, errors.New("the answer is no JSON")
	}
	if whole.Data == (answer{}) {
		return said, errors.New("the answer has neither a ciphertext nor a plaintext")
	}
	return whole.Data, nil
}

// refusal says what the server said, and what it means here.
func refusal(status int, raw []byte) error {
	var told struct{ Errors []string }
	_ = json.Unmarshal(raw, &told) // what says nothing is told by its status
	text := strings.Join(told.Errors, "; ")
	switch {
	case status == http.StatusServiceUnavailable:
		return fmt.Errorf("the server is sealed or in maintenance (503) %s", text)
	case status == http.StatusForbidden:
		return fmt.Errorf("the token may not do this (403) %s", text)
	case status == http.StatusBadRequest && strings.Contains(text, "message authentication failed"):
		return fmt.Errorf("%w (%s)", storage.ErrSealBroken, text)
	}
	return fmt.Errorf("status %d %s", status, text)
}
