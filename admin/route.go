package admin

import (
	"context"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aistrale/aistrale/policy"
)

// route is one operation of the API: a value, and what serves it.
type route struct {
	method, path string
	action       policy.Action // "" is open to everyone
	says         string
	status       int      // of success
	media        []string // of an answer that is a stream
	matched      bool     // a change of what has an ETag
	always       bool     // happens each time that it is asked for, whatever Idempotency-Key says
	open         bool     // to query parameters that it does not know
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
	_, r.matched = any(new(I)).(interface{ holds(int64) error })
	r.serve = func(r *route, a *api, to huma.API) {
		id := r.id()
		huma.Register(to, r.operation(a, to), func(ctx context.Context, in *I) (*O, error) {
			requestOf(ctx).route = id
			out, err := handle(ctx, in)
			if out == nil {
				out = new(O)
			}
			return out, a.problem(ctx, err)
		})
	}
	return r
}

// as says that an answer is a stream, and of which media types.
func (r route) as(media ...string) route {
	r.media = media
	return r
}

// everyTime makes a route that answers anew however often it is asked: one that waits for others
// would keep a transaction for as long.
func (r route) everyTime() route {
	r.always = true
	return r
}

// elsewhere has a route send the browser to another place.
func elsewhere(r route) route {
	r.status = http.StatusSeeOther
	return r
}

// anyQuery has a route take what parameters there are: others send the browser to it.
func anyQuery(r route) route {
	r.open = true
	return r
}

func (r *route) operation(a *api, to huma.API) huma.Operation {
	op := huma.Operation{
		OperationID: r.id(), Method: r.method, Path: r.path, Summary: strings.ToUpper(r.says[:1]) + r.says[1:],
		Tags: []string{strings.Split(r.path, "/")[1]}, MaxBodyBytes: maxBody,
		DefaultStatus: r.status, Errors: r.refusals(), Responses: r.answers(to),
		Middlewares: huma.Middlewares{a.admit(to, r.action)}, SkipValidateParams: r.open,
	}
	if r.action != "" {
		permission := a.permits.Permission(r.action)
		op.Description = "Action `" + string(r.action) + "`: " + permission.Says + ". " + permission.Whom()
		op.Security = []map[string][]string{{"token": {}}, {"session": {}}}
	}
	if r.method == http.MethodPost && !r.always {
		op.Parameters = []*huma.Param{onceParameter()}
	}
	return op
}

// refusals are the statuses that a client has to expect.
func (r *route) refusals() []int {
	all := []int{http.StatusUnprocessableEntity, http.StatusInternalServerError}
	if r.action != "" {
		all = append(all, http.StatusUnauthorized, http.StatusForbidden)
	}
	if strings.Contains(r.path, "{") {
		all = append(all, http.StatusNotFound)
	}
	if r.method != http.MethodGet {
		all = append(all, http.StatusConflict)
	}
	if r.matched {
		all = append(all, http.StatusPreconditionFailed, http.StatusPreconditionRequired)
	}
	return all
}

// answers says what the types do not: that whatever else goes wrong is a problem too, and what a
// stream is.
func (r *route) answers(to huma.API) map[string]*huma.Response {
	problem := to.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[huma.ErrorModel](), true, "")
	all := map[string]*huma.Response{"default": {
		Description: "Any other problem", Content: map[string]*huma.MediaType{"application/problem+json": {Schema: problem}},
	}}
	if len(r.media) > 0 {
		streamed := &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{}}
		for _, media := range r.media {
			streamed.Content[media] = &huma.MediaType{Schema: schemaOf(media)}
		}
		all[strconv.Itoa(r.status)] = streamed
	}
	return all
}

// schemaOf is that of a stream: text, or an array of objects.
func schemaOf(media string) *huma.Schema {
	if media == "application/json" {
		return &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}}
	}
	return &huma.Schema{Type: huma.TypeString}
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
