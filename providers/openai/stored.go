package openai

import (
	"net/http"
	"slices"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// storedEndpoints are the paths of what an account keeps. What {item}, {container_file} and the
// like name, the provider finds only in what it belongs to; a vector store's file is named by the
// file's own id.
//
// Source: https://platform.openai.com/docs/api-reference
func storedEndpoints() []providers.Endpoint {
	return slices.Concat(fileEndpoints(), batchEndpoints(), uploadEndpoints(), vectorStoreEndpoints(), containerEndpoints())
}

const get, post, del = http.MethodGet, http.MethodPost, http.MethodDelete

// about is an endpoint of stored objects. Where s names no variables, the first of the path is
// the object's.
func about(op providers.Op, method, path string, s providers.Stored) providers.Endpoint {
	root, tail, _ := strings.Cut(path[1:], "/")
	if tail != "" {
		s.Path = path[1+len(root):]
	}
	if _, rest, ok := strings.Cut(path, "{"); ok && s.Names == nil {
		name, _, _ := strings.Cut(rest, "}")
		s.Names = []string{name}
	}
	return providers.Endpoint{Method: method, Path: "/v1" + path, Op: op, Stored: &s}
}

// form has an endpoint take a file in a form, which is sent on as it comes where the fields that
// are needed stand before it.
func form(at providers.Endpoint, file string, needs ...string) providers.Endpoint {
	at.Form = &providers.Form{Files: []string{file}, Needs: needs}
	return at
}

// What a call does with the objects of its path.
var (
	shows   = providers.Stored{}
	changes = providers.Stored{}
	deletes = providers.Stored{Deletes: true}
	charged = providers.Stored{Costs: true}
	content = providers.Bytes()
)

func lists(kind providers.ObjectKind) providers.Stored {
	return providers.Stored{Lists: kind, Paging: &providers.Paging{
		Limit: "limit", Order: "order", After: []string{"after"}, Refused: []string{"before"}, Usual: 20, Most: 100,
		Filters: [][2]string{{"purpose", "purpose"}}, Write: AppendPage,
	}}
}

func makes(kind providers.ObjectKind) providers.Stored {
	return providers.Stored{Makes: []providers.Made{{ID: "id", Kind: kind, Bytes: "bytes", Expires: "expires_at"}}}
}

func makesCharged(kind providers.ObjectKind) providers.Stored {
	s := makes(kind)
	s.Costs = true
	return s
}

func fileEndpoints() []providers.Endpoint {
	const op = providers.OpFiles
	return []providers.Endpoint{
		about(op, get, "/files", lists(providers.ObjectFile)),
		form(about(op, post, "/files", makes(providers.ObjectFile)), "file", "purpose"),
		about(op, get, "/files/{file}", shows),
		about(op, del, "/files/{file}", deletes),
		about(op, get, "/files/{file}/content", content),
	}
}

// batchEndpoints tell of a batch's files as soon as there are any. What it costs stands in them.
func batchEndpoints() []providers.Endpoint {
	const op = providers.OpBatches
	tells := providers.Stored{Batch: batch(), Makes: []providers.Made{
		{ID: "id", Kind: providers.ObjectBatch, Owed: true},
		{ID: "output_file_id", Kind: providers.ObjectFile},
		{ID: "error_file_id", Kind: providers.ObjectFile},
	}}
	begins := tells
	begins.Costs = true
	all := lists(providers.ObjectBatch)
	all.Makes, all.Batch = tells.Makes, tells.Batch
	return []providers.Endpoint{
		about(op, get, "/batches", all),
		about(op, post, "/batches", begins),
		about(op, get, "/batches/{batch}", tells),
		about(op, post, "/batches/{batch}/cancel", tells),
	}
}

func uploadEndpoints() []providers.Endpoint {
	const op = providers.OpUploads
	ends := providers.Stored{Makes: []providers.Made{{ID: "file.id", Kind: providers.ObjectFile, Bytes: "file.bytes", Expires: "file.expires_at"}}}
	return []providers.Endpoint{
		about(op, post, "/uploads", makes(providers.ObjectUpload)),
		form(about(op, post, "/uploads/{upload}/parts", changes), "data"),
		about(op, post, "/uploads/{upload}/complete", ends),
		about(op, post, "/uploads/{upload}/cancel", changes),
	}
}

func vectorStoreEndpoints() []providers.Endpoint {
	const op, one = providers.OpVectorStores, "/vector_stores/{vector_store}"
	file := providers.Stored{Names: []string{"vector_store", "file"}}
	batch := providers.Stored{Names: []string{"vector_store", "file_batch"}}
	begins := providers.Stored{Costs: true, Makes: []providers.Made{{ID: "id", Kind: providers.ObjectFileBatch, Parent: "{vector_store}"}}}
	return []providers.Endpoint{
		about(op, get, "/vector_stores", lists(providers.ObjectVectorStore)),
		about(op, post, "/vector_stores", makesCharged(providers.ObjectVectorStore)),
		about(op, get, one, shows),
		about(op, post, one, changes),
		about(op, del, one, deletes),
		about(op, post, one+"/search", charged),
		about(op, get, one+"/files", shows),
		about(op, post, one+"/files", charged),
		about(op, get, one+"/files/{file}", file),
		about(op, post, one+"/files/{file}", file),
		about(op, del, one+"/files/{file}", file),
		about(op, get, one+"/files/{file}/content", file),
		about(op, post, one+"/file_batches", begins),
		about(op, get, one+"/file_batches/{file_batch}", batch),
		about(op, post, one+"/file_batches/{file_batch}/cancel", batch),
		about(op, get, one+"/file_batches/{file_batch}/files", batch),
	}
}

func containerEndpoints() []providers.Endpoint {
	const op, one = providers.OpContainers, "/containers/{container}"
	return []providers.Endpoint{
		about(op, get, "/containers", lists(providers.ObjectContainer)),
		about(op, post, "/containers", makesCharged(providers.ObjectContainer)),
		about(op, get, one, shows),
		about(op, del, one, deletes),
		about(op, get, one+"/files", shows),
		form(about(op, post, one+"/files", changes), "file"),
		about(op, get, one+"/files/{container_file}", shows),
		about(op, del, one+"/files/{container_file}", changes),
		about(op, get, one+"/files/{container_file}/content", content),
	}
}

// AppendPage says a list of objects.
func AppendPage(dst []byte, p *providers.ObjectPage) []byte {
	dst = append(dst, `{"object":"list","data":[`...)
	for i, o := range p.Objects {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, o...)
	}
	dst = appendOrNull(append(dst, `],"first_id":`...), p.First)
	dst = appendOrNull(append(dst, `,"last_id":`...), p.Last)
	if p.More {
		return append(dst, `,"has_more":true}`...)
	}
	return append(dst, `,"has_more":false}`...)
}
