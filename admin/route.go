package admin

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aistrale/aistrale/policy"
)

// route is one operation of the API: a value, and what serves it.
type route struct {
	method, path string
	action       policy.Action // "" is open to everyone
	says         string
	status       int // of success
	serve        func(*route, *api, huma.API)
}

// create makes a route that makes something new.
func create[I, O any](path string, action policy.Action, says string, handle func(context.Context, *I) (*O, error)) route {
	r := at(http.MethodPost, path, action, says, handle)
	r.status = http.StatusCreated
	return r
}

// at makes a route. Its operation is named after its method and its path.
func at[I, O any](method, path string, action policy.Action, says string, handle func(context.Context, *I) (*O, error)) route {
	r := route{method: method, path: path, action: action, says: says, status: http.StatusOK}
	if _, ok := any(new(O)).(*nothing); ok || method == http.MethodDelete {
		r.status = http.StatusNoContent
	}
	r.serve = func(r *route, a *api, to huma.API) {
		huma.Register(to, r.operation(a, to), func(ctx context.Context, in *I) (*O, error) {
			out, err := handle(ctx, in)
			if out == nil {
				out = new(O)
			}
			return out, a.problem(ctx, err)
		})
	}
	return r
}

func (r *route) operation(a *api, to huma.API) huma.Operation {
	op := huma.Operation{
		OperationID: r.id(), Method: r.method, Path: r.path, Summary: strings.ToUpper(r.says[:1]) + r.says[1:],
		Tags: []string{strings.Split(r.path, "/")[1]}, MaxBodyBytes: maxBody,
		DefaultStatus: r.status, Errors: []int{http.StatusUnprocessableEntity, http.StatusInternalServerError},
		Middlewares: huma.Middlewares{a.admit(to, r.action)},
	}
	if r.action != "" {
		permission := a.permits.Permission(r.action)
		op.Description = "Action `" + string(r.action) + "`: " + permission.Says + ". " + permission.Whom()
		op.Errors = append(op.Errors, http.StatusUnauthorized, http.StatusForbidden)
		op.Security = []map[string][]string{{"token": {}}, {"session": {}}}
	}
	if r.method == http.MethodPost {
		op.Parameters = []*huma.Param{onceParameter()}
	}
	return op
}

// id names the operation as generated clients call it: "get-users-by-name".
func (r *route) id() string {
	words := []string{strings.ToLower(r.method)}
	for _, part := range strings.Split(strings.Trim(r.path, "/"), "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			part = "by-" + strings.TrimSuffix(name, "}")
		}
		words = append(words, strings.ReplaceAll(part, "_", "-"))
	}
	return strings.Join(words, "-")
}

func onceParameter() *huma.Param {
	longest := maxOnceKey
	return &huma.Param{
		Name: "Idempotency-Key", In: "header", Schema: &huma.Schema{Type: huma.TypeString, MaxLength: &longest},
		Description: "Sent again within a day, the same request with the same key gets the first one's answer and changes nothing",
	}
}
