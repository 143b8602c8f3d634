package admin

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// Key is a virtual key as the API shows one. Its text is shown once, when it is made or rotated.
type Key struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	State     string     `json:"state" enum:"active,expired,revoked"`
	Project   string     `json:"project"`
	Owner     string     `json:"owner,omitempty"`
	Models    []string   `json:"models"`
	Allow     []string   `json:"allow"`
	Tags      []string   `json:"tags"`
	Settings  Object     `json:"settings" doc:"In the words of a key in the configuration: deny_models, defaults, timeouts, …"`
	Key       string     `json:"key,omitempty" doc:"Its text, when it is made or rotated and never again"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
	OldUntil  *time.Time `json:"old_until,omitempty" doc:"Until when the text before the last rotation is good"`
}

func (a *api) showKey(k *storage.Key) (Key, error) {
	settings, err := k.Settings()
	state := "active"
	if refused := k.Valid(a.Now()); refused != nil {
		state = refused.Error()
	}
	return Key{
		ID: k.ID, Name: k.Name, State: state, Project: k.Project, Owner: k.Owner,
		Models: some(k.Models), Allow: some(k.Allow), Tags: some(k.Tags), Settings: settings,
		CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt, RevokedAt: k.RevokedAt, OldUntil: k.OldUntil,
	}, err
}

// some makes of no list an empty one, as JSON wants it.
func some(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

type keyList struct {
	InWorkspace
	Page
	Owner   string `query:"owner" maxLength:"128"`
	Project string `query:"project" maxLength:"128"`
	State   string `query:"state" enum:"active,expired,revoked"`
}

func (a *api) listKeys(ctx context.Context, in *keyList) (*listed[Key], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	all, err := a.Store.Keys(ctx)
	if err != nil {
		return nil, err
	}
	shown := []Key{}
	for i := range all {
		k := &all[i]
		if k.Workspace != in.Workspace || k.ID <= after || in.Owner != "" && k.Owner != in.Owner || in.Project != "" && k.Project != in.Project {
			continue
		}
		one, err := a.showKey(k)
		if err != nil {
			return nil, err
		}
		if in.State == "" || one.State == in.State {
			shown = append(shown, one)
		}
	}
	slices.SortFunc(shown, func(x, y Key) int { return strings.Compare(x.ID, y.ID) })
	return listOf(in.Page, shown, func(k Key) string { return k.ID }, func(k Key) Key { return k }), nil
}

// KeyID names a key of a workspace.
type KeyID struct {
	InWorkspace
	ID string `path:"id" maxLength:"8"`
}

func (a *api) key(ctx context.Context, in *KeyID) (storage.Key, error) {
	all, err := a.Store.Keys(ctx)
	if err != nil {
		return storage.Key{}, err
	}
	return pick(all, "key", in.ID, func(k *storage.Key) bool { return k.Workspace == in.Workspace && k.ID == in.ID })
}

func (a *api) getKey(ctx context.Context, in *KeyID) (*one[Key], error) {
	k, err := a.key(ctx, in)
	if err != nil {
		return nil, err
	}
	return a.oneKey(&k)
}

func (a *api) oneKey(k *storage.Key) (*one[Key], error) {
	shown, err := a.showKey(k)
	return &one[Key]{ETag: etag(k.Revision), Body: shown}, err
}

// KeyFields are what may be said of a key.
type KeyFields struct {
	Project   *string    `json:"project,omitempty" maxLength:"128"`
	Owner     *string    `json:"owner,omitempty" maxLength:"128" doc:"A user, or anybody who uses the key"`
	Models    []string   `json:"models,omitempty" maxItems:"256" doc:"Patterns of models; * is every one"`
	Allow     []string   `json:"allow,omitempty" maxItems:"256" doc:"Governed fields"`
	Tags      []string   `json:"tags,omitempty" maxItems:"64"`
	Settings  Object     `json:"settings,omitempty" doc:"In the words of a key in the configuration; it replaces what was set"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// put sets what was said.
func (f *KeyFields) put(k *storage.Key) error {
	if f.Project != nil {
		k.Project = *f.Project
	}
	if f.Owner != nil {
		k.Owner = *f.Owner
	}
	for _, list := range []struct {
		said []string
		to   *[]string
	}{{f.Models, &k.Models}, {f.Allow, &k.Allow}, {f.Tags, &k.Tags}} {
		if list.said != nil {
			*list.to = list.said
		}
	}
	if f.Settings != nil {
		if err := k.SetSettings(f.Settings); err != nil {
			return huma.Error422UnprocessableEntity(err.Error())
		}
	}
	if f.ExpiresAt != nil {
		at := f.ExpiresAt.UTC().Truncate(time.Microsecond)
		k.ExpiresAt = &at
	}
	return nil
}

// judge says what is wrong with a key that was asked for: in itself, for the configuration, or
// because who asks may not give so much.
func (a *api) judge(ctx context.Context, k *storage.Key) error {
	if err := cmp.Or(k.Check(), CheckBounds(k.Scope(), &k.Bounds), a.CheckKey(k)); err != nil {
		return huma.Error422UnprocessableEntity(err.Error())
	}
	if a.may(ctx, policy.KeysWrite, k.Workspace) {
		return nil
	}
	if who := callerOf(ctx); k.Owner != who.user || who.user == "" {
		return a.deny(ctx, policy.KeysWrite, k.Workspace)
	}
	return a.within(ctx, k)
}

// within holds a key that an engineer makes for themselves to what the workspace gives.
func (a *api) within(ctx context.Context, k *storage.Key) error {
	t, err := a.workspaces().get(ctx, "", k.Workspace)
	if err != nil {
		return err
	}
	workspace, err := a.workspaces().shown(t)
	if err != nil {
		return err
	}
	given := workspace.SelfService
	if given.Models == nil {
		given.Models = []string{"*"}
	}
	for _, model := range k.Models {
		if !slices.ContainsFunc(given.Models, func(pattern string) bool { return covers(pattern, model) }) {
			return huma.Error403Forbidden("models: " + model + " is not among what engineers may give in workspace " + k.Workspace)
		}
	}
	for _, field := range k.Allow {
		if !slices.Contains(given.Allow, field) {
			return huma.Error403Forbidden("allow: " + field + " is not among what engineers may give in workspace " + k.Workspace)
		}
	}
	if k.Bounds.Empty() {
		k.Bounds = given.Bounds
	}
	if err := k.Bounds.Within(&given.Bounds); err != nil {
		return huma.Error403Forbidden("settings." + err.Error() + ", which engineers' keys in workspace " + k.Workspace + " have at least")
	}
	if longest := time.Duration(given.Days) * 24 * time.Hour; longest > 0 && (k.ExpiresAt == nil || k.ExpiresAt.Sub(a.Now()) > longest) {
		return huma.Error403Forbidden(fmt.Sprintf("expires_at: engineers' keys in workspace %s last %d days at most", k.Workspace, given.Days))
	}
	return nil
}

// covers reports whether a pattern stands for all that another one does.
func covers(pattern, other string) bool {
	begin, many := strings.CutSuffix(pattern, "*")
	return pattern == other || many && !strings.Contains(begin, "*") && strings.HasPrefix(other, begin)
}

type newKey struct {
	InWorkspace
	Body struct {
		Name string `json:"name" maxLength:"128"`
		KeyFields
	}
}

func (a *api) createKey(ctx context.Context, in *newKey) (*one[Key], error) {
	k, text := storage.NewKey(in.Body.Name, a.Now())
	k.Workspace = in.Workspace
	if !a.may(ctx, policy.KeysWrite, in.Workspace) {
		k.Owner = callerOf(ctx).user // unless another one is named, which is refused
	}
	if err := in.Body.put(&k); err != nil {
		return nil, err
	}
	if k.ExpiresAt != nil && !k.ExpiresAt.After(a.Now()) {
		return nil, huma.Error422UnprocessableEntity("expires_at: it is in the past")
	}
	if err := a.judge(ctx, &k); err != nil {
		return nil, err
	}
	out, err := a.keyChanged(ctx, nil, &k, a.Store.AddKey)
	if err != nil {
		return nil, err
	}
	out.Body.Key = text.Reveal()
	return out, nil
}

// keyChanged makes a change of a key, whatever it is, and gives the key as it is then.
func (a *api) keyChanged(ctx context.Context, before, after *storage.Key, do func(context.Context, storage.Key) error) (*one[Key], error) {
	c := change{
		action: policy.KeysWrite, target: "key/" + after.ID, workspace: after.Workspace, event: keyEvent(before, after, callerOf(ctx).actor()),
	}
	if before != nil {
		shown, err := a.showKey(before)
		if err != nil {
			return nil, err
		}
		c.before = shown
	}
	made := *after
	if before != nil {
		made.Revision++
	}
	out, err := a.oneKey(&made)
	if err != nil {
		return nil, err
	}
	c.after = out.Body
	return out, a.apply(ctx, &c, func(ctx context.Context) error { return do(ctx, *after) })
}

type keyChange struct {
	KeyID
	Match
	Body KeyFields
}

func (a *api) changeKey(ctx context.Context, in *keyChange) (*one[Key], error) {
	k, err := a.mine(ctx, &in.KeyID, in.Match)
	if err != nil {
		return nil, err
	}
	before := k
	if err := in.Body.put(&k); err != nil {
		return nil, err
	}
	if err := a.judge(ctx, &k); err != nil {
		return nil, err
	}
	return a.keyChanged(ctx, &before, &k, a.Store.ChangeKey)
}

// mine gives a key that who asks may change, as they have read it.
func (a *api) mine(ctx context.Context, in *KeyID, m Match) (storage.Key, error) {
	k, err := a.key(ctx, in)
	if err != nil {
		return k, err
	}
	if who := callerOf(ctx); !a.may(ctx, policy.KeysWrite, k.Workspace) && (who.user == "" || k.Owner != who.user) {
		return k, a.deny(ctx, policy.KeysWrite, k.Workspace)
	}
	if k.RevokedAt != nil {
		return k, huma.Error409Conflict("the key is revoked")
	}
	return k, m.holds(k.Revision)
}

type keyRotation struct {
	KeyID
	Match
	Body struct {
		Overlap int `json:"overlap_seconds,omitempty" minimum:"0" maximum:"7776000" doc:"How long the text of before stays good"`
	}
}

func (a *api) rotateKey(ctx context.Context, in *keyRotation) (*one[Key], error) {
	k, err := a.mine(ctx, &in.KeyID, in.Match)
	if err != nil {
		return nil, err
	}
	before := k
	now := a.Now()
	text := k.Rotate(now, now.Add(time.Duration(in.Body.Overlap)*time.Second))
	out, err := a.keyChanged(ctx, &before, &k, a.Store.ChangeKey)
	if err != nil {
		return nil, err
	}
	out.Body.Key = text.Reveal()
	return out, nil
}

type keyRemoval struct {
	KeyID
	Match
}

func (a *api) revokeKey(ctx context.Context, in *keyRemoval) (*nothing, error) {
	k, err := a.mine(ctx, &in.KeyID, in.Match)
	if err != nil {
		return nil, err
	}
	before, now := k, a.Now()
	k.RevokedAt = &now
	_, err = a.keyChanged(ctx, &before, &k, func(ctx context.Context, k storage.Key) error {
		_, err := a.Store.RevokeKey(ctx, k.Workspace, k.ID, now)
		return err
	})
	return nil, err
}
