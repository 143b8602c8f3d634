package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aistrale/aistrale/storage"
)

// problem says an error as RFC 9457 wants it: what the caller did, or that it is ours, in which
// case the caller is told nothing of it and the operator all.
func (a *api) problem(ctx context.Context, err error) error {
	var said huma.StatusError
	switch {
	case err == nil || errors.As(err, &said):
		return err
	case errors.Is(err, storage.ErrNotFound):
		return huma.Error404NotFound(err.Error())
	case errors.Is(err, storage.ErrExists), errors.Is(err, storage.ErrInUse):
		return huma.Error409Conflict(err.Error())
	case errors.Is(err, storage.ErrChanged):
		return huma.Error412PreconditionFailed("it was changed in the meantime: read it again, and send its ETag in If-Match")
	case errors.Is(err, storage.ErrNoMasterKey), errors.Is(err, storage.ErrWrongMasterKey):
		return huma.Error503ServiceUnavailable(err.Error())
	case errors.Is(err, context.Canceled):
		return huma.NewError(statusClientGone, "the client has left")
	}
	a.Log.Error("control plane: a request failed", "request_id", requestOf(ctx).id, "error", err.Error())
	a.defect(ctx, err, false)
	return huma.Error500InternalServerError("the gateway failed; its log has the reason under this request's x-request-id")
}

// statusClientGone is nginx's number; nobody reads it but logs.
const statusClientGone = 499

// withoutValues keeps what a client sent out of the problem that it made: it may be a secret.
func withoutValues(_ huma.Context, _ string, v any) (any, error) {
	if p, ok := v.(*huma.ErrorModel); ok {
		for _, e := range p.Errors {
			e.Value = nil
		}
	}
	return v, nil
}

// writeProblem answers outside the API's own routes.
func writeProblem(w http.ResponseWriter, problem huma.StatusError) {
	w.Header().Set("content-type", "application/problem+json")
	w.WriteHeader(problem.GetStatus())
	_ = json.NewEncoder(w).Encode(problem) // a client that has left needs no answer
}
