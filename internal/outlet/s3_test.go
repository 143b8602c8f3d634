package outlet

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// bucket is what of S3 a witness asks: objects, conditional writes, and signatures that are true.
type bucket struct {
	t       *testing.T
	objects map[string]string
	refuse  int // a status for everything; 0 none
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if !b.signed(r, body) {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	have, ok := b.objects[r.URL.Path]
	switch {
	case b.refuse != 0:
		w.WriteHeader(b.refuse)
	case r.Method == http.MethodGet && ok:
		_, _ = io.WriteString(w, have)
	case r.Method == http.MethodGet:
		w.WriteHeader(http.StatusNotFound)
	case ok && r.Header.Get("if-none-match") == "*":
		w.WriteHeader(http.StatusPreconditionFailed)
	default:
		b.objects[r.URL.Path] = string(body)
	}
}

// signed makes the signature anew, by AWS's description of it for S3.
func (b *bucket) signed(r *http.Request, body []byte) bool {
	sum := func(text string) string {
		h := sha256.Sum256([]byte(text))
		return hex.EncodeToString(h[:])
	}
	mac := func(key, text string) string {
		h := hmac.New(sha256.New, []byte(key))
		h.Write([]byte(text))
		return string(h.Sum(nil))
	}
	_, names, _ := strings.Cut(r.Header.Get("authorization"), "SignedHeaders=")
	names, given, _ := strings.Cut(names, ", Signature=")
	list := strings.Split(names, ";")
	if !slices.Contains(list, "host") || !slices.Contains(list, "x-amz-content-sha256") || r.Header.Get("x-amz-content-sha256") != sum(string(body)) {
		return false
	}
	text := r.Method + "\n" + r.URL.EscapedPath() + "\n\n"
	for _, name := range list {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host
		}
		text += name + ":" + value + "\n"
	}
	text += "\n" + names + "\n" + sum(string(body))
	at := r.Header.Get("x-amz-date")
	scope := at[:8] + "/eu-central-1/s3/aws4_request"
	key := mac(mac(mac(mac("AWS4secret", at[:8]), "eu-central-1"), "s3"), "aws4_request")
	return given == hex.EncodeToString([]byte(mac(key, "AWS4-HMAC-SHA256\n"+at+"\n"+scope+"\n"+sum(text))))
}

func TestS3(t *testing.T) {
	b := &bucket{t: t, objects: map[string]string{}}
	server := httptest.NewServer(b)
	defer server.Close()
	o := S3Options{Endpoint: server.URL, Region: "eu-central-1", Bucket: "audit", Prefix: "gateway/", Key: "id:secret"}
	s, err := NewS3(o)
	if err != nil {
		t.Fatal(err)
	}
	put := func(name, text, wrong string) {
		t.Helper()
		err := s.Put(t.Context(), name, []byte(text))
		if (err == nil) != (wrong == "") || err != nil && (!strings.Contains(err.Error(), wrong) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	put("checkpoint-1", "one", "")
	put("checkpoint-2", "two", "")
	put("checkpoint-2", "two", "")
	put("checkpoint-1", "another", "with another text")
	if b.objects["/audit/gateway/checkpoint-1"] != "one" || b.objects["/audit/gateway/latest"] != "two" || len(b.objects) != 3 {
		t.Errorf("the bucket has %v", b.objects)
	}
	b.refuse = 503
	put("checkpoint-3", "three", "503")
	b.refuse = 0
	o.Key = "id:wrong"
	if s, err = NewS3(o); err != nil {
		t.Fatal(err)
	}
	put("checkpoint-3", "three", "403")
	for _, o := range []S3Options{
		{Region: "r", Bucket: "", Key: "a:b"}, {Region: "", Bucket: "b", Key: "a:b"}, {Region: "r", Bucket: "a/b", Key: "a:b"}, {Region: "r", Bucket: "b", Key: "x"},
		{Region: "r", Bucket: "b", Prefix: "../", Key: "a:b"}, {Region: "r", Bucket: "b", Prefix: "ä", Key: "a:b"}, {Endpoint: "ftp://x", Region: "r", Bucket: "b", Key: "a:b"},
	} {
		if _, err := NewS3(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}
