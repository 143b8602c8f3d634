package outlet

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/aistrale/aistrale/internal/guard"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/aws"
)

// S3Options name a bucket of S3, or of what speaks as it does.
type S3Options struct {
	Endpoint string // "" is AWS's own in the region
	Region   string
	Bucket   string
	Prefix   string // of every name in it
	Key      string // ID:SECRET, with :TOKEN behind it where it is a session's
}

// S3 keeps each text as an object that is never written over, and the newest as "latest" too.
type S3 struct {
	base   string // scheme://host
	path   string // /bucket/prefix
	key    string
	sign   providers.Signer
	client *http.Client
	now    func() time.Time
}

// objectName is what needs no escaping, in which signers differ.
var objectName = regexp.MustCompile(`^[A-Za-z0-9._/-]*$`)

// NewS3 makes one.
func NewS3(o S3Options) (*S3, error) {
	if o.Endpoint == "" {
		o.Endpoint = "https://s3." + o.Region + ".amazonaws.com"
	}
	u, err := url.Parse(o.Endpoint)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") != "":
		return nil, errors.New("endpoint: it is no http or https URL without a path")
	case o.Region == "":
		return nil, errors.New("region: is missing")
	case o.Bucket == "" || strings.Contains(o.Bucket, "/") || !objectName.MatchString(o.Bucket):
		return nil, errors.New("bucket: is missing, or has other characters than letters, digits and . _ -")
	case !objectName.MatchString(o.Prefix) || strings.HasPrefix(o.Prefix, "/") || strings.Contains(o.Prefix, ".."):
		return nil, errors.New("prefix: has other characters than letters, digits and . _ - /, or leads elsewhere")
	case strings.Count(o.Key, ":") < 1:
		return nil, errors.New("key: is not ID:SECRET")
	}
	return &S3{
		base: u.Scheme + "://" + u.Host, path: "/" + o.Bucket + "/" + o.Prefix, key: o.Key, sign: aws.Signer(o.Region, "s3"), now: time.Now,
		client: &http.Client{
			Timeout:       webhookTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Name implements admin.Outlet.
func (s *S3) Name() string { return s.base + s.path }

// Put keeps a text under a name. One that is there already must be the same.
func (s *S3) Put(ctx context.Context, name string, text []byte) error {
	status, _, err := s.call(ctx, http.MethodPut, name, text, providers.Header{Name: "if-none-match", Value: "*"})
	if err != nil {
		return err
	}
	if status == http.StatusPreconditionFailed {
		return s.same(ctx, name, text)
	}
	if status/100 != 2 {
		return fmt.Errorf("s3 %s%s: it answers %d", s.Name(), name, status)
	}
	return s.latest(ctx, text)
}

// same holds an object that could not be written to be what was to be written.
func (s *S3) same(ctx context.Context, name string, text []byte) error {
	status, have, err := s.call(ctx, http.MethodGet, name, nil)
	switch {
	case err != nil:
		return err
	case status != http.StatusOK:
		return fmt.Errorf("s3 %s%s: it is there, and reading it answers %d", s.Name(), name, status)
	case !bytes.Equal(have, text):
		return fmt.Errorf("s3 %s%s: it is there with another text", s.Name(), name)
	}
	return s.latest(ctx, text)
}

func (s *S3) latest(ctx context.Context, text []byte) error {
	status, _, err := s.call(ctx, http.MethodPut, "latest", text)
	if err == nil && status/100 != 2 {
		err = fmt.Errorf("s3 %slatest: it answers %d", s.Name(), status)
	}
	return err
}

// maxObject bounds what is read of an object, in bytes.
const maxObject = 1 << 20

func (s *S3) call(ctx context.Context, method, name string, text []byte, more ...providers.Header) (status int, body []byte, err error) {
	sum := sha256.Sum256(text)
	request := providers.UpstreamRequest{
		Method: method, Path: s.path + name, Body: text,
		Headers: append(more, providers.Header{Name: "x-amz-content-sha256", Value: hex.EncodeToString(sum[:])}),
	}
	s.sign(&request, providers.Signing{Secret: s.key, BaseURL: s.base, Time: s.now()})
	r, err := http.NewRequestWithContext(ctx, method, s.base+request.Path, bytes.NewReader(text))
	if err != nil {
		return 0, nil, err
	}
	for _, h := range request.Headers {
		r.Header.Set(h.Name, h.Value)
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return 0, nil, fmt.Errorf("s3 %s: %w", s.base, guard.Cause(err))
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(io.LimitReader(answer.Body, maxObject))
	return answer.StatusCode, body, err
}
