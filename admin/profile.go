package admin

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"runtime/pprof"
	"runtime/trace"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aistrale/aistrale/policy"
)

// Profile is what the process can say of its own work.
type Profile struct {
	Name  string `json:"name"`
	Count int    `json:"count" doc:"What is in it now; 0 of those that take time"`
}

// Profiles that are taken over a time, and one at a time.
const (
	profileCPU   = "profile"
	profileTrace = "trace"
)

func (a *api) listProfiles(context.Context, *struct{}) (*struct{ Body []Profile }, error) {
	all := []Profile{{Name: profileCPU}, {Name: profileTrace}}
	for _, p := range pprof.Profiles() {
		all = append(all, Profile{p.Name(), p.Count()})
	}
	slices.SortFunc(all, func(x, y Profile) int { return strings.Compare(x.Name, y.Name) })
	return &struct{ Body []Profile }{all}, nil
}

// profileQuery has its longest time below the listener's for an answer.
type profileQuery struct {
	Name    string `path:"name" doc:"profile (of the processor), trace, heap, allocs, goroutine, block, mutex, threadcreate"`
	Seconds int    `query:"seconds" minimum:"1" maximum:"50" default:"30" doc:"For how long, of profile and trace"`
	Debug   int    `query:"debug" minimum:"0" maximum:"2" doc:"1 and 2: as text, of the others"`
}

type profileText struct {
	Type string `header:"Content-Type"`
	Body []byte
}

// takeProfile gives one, as go tool pprof or go tool trace read it. It is noted before it begins.
func (a *api) takeProfile(ctx context.Context, in *profileQuery) (*profileText, error) {
	timed, kept := in.Name == profileCPU || in.Name == profileTrace, pprof.Lookup(in.Name)
	if !timed && kept == nil {
		return nil, huma.Error404NotFound(fmt.Sprintf("there is no profile %q", in.Name))
	}
	said := map[string]int{"debug": in.Debug}
	if timed {
		said = map[string]int{"seconds": in.Seconds}
		select {
		case a.profiling <- struct{}{}:
			defer func() { <-a.profiling }()
		default:
			return nil, huma.Error409Conflict("another profile is being taken")
		}
	}
	c := change{action: policy.ProfilesTake, target: "profile/" + in.Name, after: said}
	if err := a.apply(ctx, &c, func(context.Context) error { return nil }); err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if timed {
		if err := over(ctx, &text, in); err != nil {
			return nil, err
		}
	} else if err := kept.WriteTo(&text, in.Debug); err != nil {
		return nil, err
	}
	out := &profileText{"application/octet-stream", text.Bytes()}
	if !timed && in.Debug > 0 {
		out.Type = "text/plain; charset=utf-8"
	}
	return out, nil
}

// over takes a profile for as long as was asked, or until nobody waits for it any more.
func over(ctx context.Context, text *bytes.Buffer, in *profileQuery) error {
	begin, end := pprof.StartCPUProfile, pprof.StopCPUProfile
	if in.Name == profileTrace {
		begin, end = trace.Start, trace.Stop
	}
	if err := begin(text); err != nil {
		return huma.Error409Conflict("another profile is being taken: " + err.Error())
	}
	defer end() // before the text is read: it writes the rest
	late := time.NewTimer(time.Duration(in.Seconds) * time.Second)
	defer late.Stop()
	select {
	case <-late.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// debugPprof leads the path that people know to the API, which asks who they are.
func debugPprof(api http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		to := r.Clone(r.Context())
		to.URL.Path, to.URL.RawPath = strings.TrimSuffix(prefix+"/profiles/"+r.PathValue("name"), "/"), ""
		api.ServeHTTP(w, to)
	}
}
