package gemini

import (
	"net/http"
	"slices"
	"time"

	"github.com/aistrale/aistrale/providers"
)

// storedEndpoints are the paths of what an account keeps, at a version of the API.
//
// Sources: https://ai.google.dev/api/files, https://ai.google.dev/api/caching and @google/genai
func storedEndpoints(version string) []providers.Endpoint {
	return slices.Concat(uploadEndpoints(version), fileEndpoints(version), cacheEndpoints(version), batchEndpoints(version))
}

const get, post, del = http.MethodGet, http.MethodPost, http.MethodDelete

func lists(kind providers.ObjectKind, member string, usual int) providers.Stored {
	return providers.Stored{Lists: kind, Paging: &providers.Paging{
		Limit: "pageSize", After: []string{"pageToken"}, Usual: usual, Most: 100,
		Write: func(dst []byte, p *providers.ObjectPage) []byte { return appendPage(dst, member, p) },
	}}
}

// appendPage says a list of objects. A page's token is the last name of the one before.
func appendPage(dst []byte, member string, p *providers.ObjectPage) []byte {
	w := body{b: append(dst, '{')}
	if len(p.Objects) > 0 {
		w.rawField(member, slices.Concat([]byte("["), joined(p.Objects), []byte("]")))
	}
	if p.More {
		w.field("nextPageToken", p.Last)
	}
	w.shut('}')
	return w.b
}

func joined(objects [][]byte) (b []byte) {
	for i, o := range objects {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, o...)
	}
	return b
}

// uploadEndpoints send a file in pieces, to an address that the first call is given. It names the
// gateway's own in place of the provider's, which is good for who has the account's credential.
// Source: https://ai.google.dev/api/files#method:-media.upload
func uploadEndpoints(version string) []providers.Endpoint {
	at := func(method, tail string, s providers.Stored) providers.Endpoint {
		s.Tells = []string{"x-goog-upload-status", "x-goog-upload-size-received", "x-goog-upload-chunk-granularity"}
		return providers.Endpoint{Method: method, Path: "/upload" + version + "/files" + tail, Op: providers.OpFiles, Stored: &s}
	}
	begins := providers.Stored{
		Path:  "//upload/v1beta/files",
		Wants: [][2]string{{"x-goog-upload-protocol", "resumable"}, {"x-goog-upload-command", "start"}},
		Sends: []string{
			"x-goog-upload-protocol", "x-goog-upload-command", "x-goog-upload-header-content-length",
			"x-goog-upload-header-content-type", "x-goog-upload-file-name",
		},
		Hands: &providers.Handed{
			Header: "x-goog-upload-url", ID: "upload_id", Kind: providers.ObjectUpload, For: 7 * 24 * time.Hour,
			Path: Prefix + "/upload" + version + "/files/{id}",
		},
	}
	goesOn := providers.Stored{
		Path: "//upload/v1beta/files?upload_id={upload}&upload_protocol=resumable", Names: []string{"upload"}, Raw: true,
		Sends: []string{"x-goog-upload-command", "x-goog-upload-offset", "x-goog-upload-file-name"},
		Makes: []providers.Made{{ID: "file.name", Kind: providers.ObjectFile, Bytes: "file.sizeBytes", Expires: "file.expirationTime"}},
	}
	return []providers.Endpoint{at(post, "", begins), at(post, "/{upload}", goesOn), at(http.MethodPut, "/{upload}", goesOn)}
}

func fileEndpoints(version string) []providers.Endpoint {
	at := func(method, tail string, s providers.Stored) providers.Endpoint {
		if s.Path, s.Prefix = "/files"+tail, "files/"; tail != "" {
			s.Names = []string{"file"}
		}
		return providers.Endpoint{Method: method, Path: version + s.Path, Op: providers.OpFiles, Stored: &s}
	}
	return []providers.Endpoint{
		at(get, "", lists(providers.ObjectFile, "files", 10)),
		at(get, "/{file}:download", providers.Bytes()),
		at(get, "/{file}", providers.Stored{}),
		at(del, "/{file}", providers.Stored{Deletes: true}),
	}
}

// cacheEndpoints keep the beginning of a prompt for later calls of one model. What that costs goes
// by the time that it is kept.
func cacheEndpoints(version string) []providers.Endpoint {
	at := func(method, tail string, s providers.Stored) providers.Endpoint {
		if s.Path, s.Prefix = "/cachedContents"+tail, "cachedContents/"; tail != "" {
			s.Names = []string{"cache"}
		}
		return providers.Endpoint{Method: method, Path: version + s.Path, Op: providers.OpCachedContents, Stored: &s}
	}
	tells := []providers.Made{{ID: "name", Kind: providers.ObjectCachedContent, Expires: "expireTime"}}
	return []providers.Endpoint{
		at(get, "", lists(providers.ObjectCachedContent, "cachedContents", 50)),
		at(post, "", providers.Stored{Makes: tells, Costs: true, Model: "model"}),
		at(get, "/{cache}", providers.Stored{}),
		at(http.MethodPatch, "/{cache}", providers.Stored{Makes: tells, Costs: true}), // for how long it is kept
		at(del, "/{cache}", providers.Stored{Deletes: true}),
	}
}

// batchEndpoints are closed.
func batchEndpoints(version string) []providers.Endpoint {
	const why = "Gemini's batches are not served by the gateway. Those of OpenAI (/v1/batches) and of Anthropic (/anthropic/v1/messages/batches) are."
	var all []providers.Endpoint
	for _, at := range []struct{ method, path string }{
		{post, "/models/{model}:batchGenerateContent"}, {post, "/models/{model}:asyncBatchEmbedContent"},
		{get, "/batches"}, {get, "/batches/{batch}"}, {post, "/batches/{batch}:cancel"}, {del, "/batches/{batch}"},
	} {
		all = append(all, providers.Endpoint{Method: at.method, Path: version + at.path, Op: providers.OpBatches, Closed: why})
	}
	return all
}
