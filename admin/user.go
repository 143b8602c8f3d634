package admin

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

func userKind() storage.Kind { return storage.Kind{Name: "user"} }

// User is a user as the API shows one.
type User struct {
	Name        string       `json:"name"`
	Memberships []Membership `json:"memberships"`
	HasPassword bool         `json:"has_password"`
	Subject     string       `json:"subject,omitempty" doc:"Of the identity provider: issuer|subject"`
	CreatedAt   time.Time    `json:"created_at"`
	UpdatedAt   time.Time    `json:"updated_at"`
	SignedInAt  *time.Time   `json:"signed_in_at,omitempty"`
	DisabledAt  *time.Time   `json:"disabled_at,omitempty"`
}

// Membership is a role in a workspace.
type Membership struct {
	Workspace string       `json:"workspace" maxLength:"128" doc:"A workspace's name; * is everywhere, and the installation itself"`
	Role      storage.Role `json:"role" enum:"admin,engineer,auditor,viewer"`
}

func showUser(u kept[storage.User]) User {
	shown := User{
		Name: u.Noun.Name, HasPassword: u.Noun.Password != "", Subject: u.Noun.Subject, CreatedAt: u.CreatedAt,
		UpdatedAt: u.UpdatedAt, SignedInAt: u.Noun.SignedInAt, DisabledAt: u.Noun.DisabledAt, Memberships: []Membership{},
	}
	for _, m := range u.Noun.Memberships {
		shown.Memberships = append(shown.Memberships, Membership(m))
	}
	return shown
}

func oneUser(u kept[storage.User]) *one[User] {
	return &one[User]{ETag: etag(u.Revision), Body: showUser(u)}
}

// UserName names a user in a path.
type UserName struct {
	Name string `path:"name" maxLength:"128"`
}

func (a *api) listUsers(ctx context.Context, in *Page) (*listed[User], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	found, err := a.users.list(ctx, storage.DocumentQuery{After: after, Limit: in.Limit + 1})
	if err != nil {
		return nil, err
	}
	return listOf(*in, found, func(u kept[storage.User]) string { return u.ID }, showUser), nil
}

func (a *api) getUser(ctx context.Context, in *UserName) (*one[User], error) {
	u, err := a.users.get(ctx, "", in.Name)
	if err != nil {
		return nil, err
	}
	return oneUser(u), nil
}

type newUser struct {
	Body struct {
		Name        string       `json:"name" maxLength:"128" doc:"Mostly an e-mail address; kept in lower case"`
		Password    string       `json:"password,omitempty" minLength:"12" maxLength:"256" doc:"None: the user signs in at the identity provider"`
		Memberships []Membership `json:"memberships,omitempty" maxItems:"1000"`
	}
}

func (a *api) createUser(ctx context.Context, in *newUser) (*one[User], error) {
	u := kept[storage.User]{Noun: storage.User{Name: strings.ToLower(in.Body.Name)}}
	u.ID = u.Noun.Name
	if err := setMemberships(&u.Noun, in.Body.Memberships); err != nil {
		return nil, err
	}
	if in.Body.Password != "" {
		var err error
		if u.Noun.Password, err = a.newPassword(ctx, &u.Noun, in.Body.Password); err != nil {
			return nil, err
		}
	}
	c := change{action: policy.UsersWrite, target: "user/" + u.ID}
	err := a.apply(ctx, &c, func(ctx context.Context) error {
		if err := a.users.add(ctx, &u, a.Now()); err != nil {
			return err
		}
		c.after = showUser(u)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return oneUser(u), nil
}

type userChange struct {
	UserName
	Match
	Body struct {
		Password    *string       `json:"password,omitempty" minLength:"12" maxLength:"256" doc:"Ends every session of the user"`
		Memberships *[]Membership `json:"memberships,omitempty" maxItems:"1000" doc:"All of them: what is not named is gone"`
		Disabled    *bool         `json:"disabled,omitempty" doc:"Who is disabled comes in by no session and no token"`
	}
}

func (a *api) changeUser(ctx context.Context, in *userChange) (*one[User], error) {
	u, err := a.users.get(ctx, "", in.Name)
	if err != nil {
		return nil, err
	}
	if err := in.holds(u.Revision); err != nil {
		return nil, err
	}
	wasRoot := u.Noun.Root()
	c := change{action: policy.UsersWrite, target: "user/" + u.ID, before: showUser(u)}
	if err := a.editUser(ctx, &u.Noun, in); err != nil {
		return nil, err
	}
	err = a.apply(ctx, &c, func(ctx context.Context) error {
		if err := a.users.change(ctx, &u, a.Now()); err != nil {
			return err
		}
		c.after = showUser(u)
		if in.Body.Password != nil || u.Noun.DisabledAt != nil {
			if err := a.closeSessions(ctx, u.ID); err != nil {
				return err
			}
		}
		return a.keepsRoot(ctx, wasRoot && !u.Noun.Root())
	})
	if err != nil {
		return nil, err
	}
	return oneUser(u), nil
}

func (a *api) editUser(ctx context.Context, u *storage.User, in *userChange) (err error) {
	if in.Body.Memberships != nil {
		if err := setMemberships(u, *in.Body.Memberships); err != nil {
			return err
		}
	}
	if in.Body.Password != nil {
		if u.Password, err = a.newPassword(ctx, u, *in.Body.Password); err != nil {
			return err
		}
	}
	if in.Body.Disabled != nil && *in.Body.Disabled != (u.DisabledAt != nil) {
		u.DisabledAt = nil
		if *in.Body.Disabled {
			now := a.Now()
			u.DisabledAt = &now
		}
	}
	return nil
}

type userRemoval struct {
	UserName
	Match
}

func (a *api) removeUser(ctx context.Context, in *userRemoval) (*nothing, error) {
	u, err := a.users.get(ctx, "", in.Name)
	if err != nil {
		return nil, err
	}
	if err := in.holds(u.Revision); err != nil {
		return nil, err
	}
	c := change{action: policy.UsersWrite, target: "user/" + u.ID, before: showUser(u)}
	return nil, a.apply(ctx, &c, func(ctx context.Context) error {
		return errors.Join(a.users.remove(ctx, u), a.closeSessions(ctx, u.ID), a.revokeTokens(ctx, u.ID), a.keepsRoot(ctx, u.Noun.Root()))
	})
}

// keepsRoot fails a change that takes the last one away who may do everything.
func (a *api) keepsRoot(ctx context.Context, tookOne bool) error {
	if !tookOne {
		return nil
	}
	left, err := a.users.list(ctx, storage.DocumentQuery{})
	if err != nil {
		return err
	}
	if slices.ContainsFunc(left, func(u kept[storage.User]) bool { return u.Noun.Root() }) {
		return nil
	}
	return huma.Error409Conflict("this is the last user who is an admin everywhere: make another one first")
}

// setMemberships takes what was asked for, in the order that the store keeps it in.
func setMemberships(u *storage.User, asked []Membership) error {
	u.Memberships = nil
	for _, m := range asked {
		u.Memberships = append(u.Memberships, storage.Membership(m))
	}
	slices.SortFunc(u.Memberships, func(a, b storage.Membership) int { return cmp.Compare(a.Workspace, b.Workspace) })
	if err := u.Check(); err != nil {
		return huma.Error422UnprocessableEntity(err.Error())
	}
	return nil
}

// newPassword hashes a password, unless it says no more than the name does.
func (a *api) newPassword(ctx context.Context, u *storage.User, password string) (string, error) {
	lower := strings.ToLower(password)
	name, _, _ := strings.Cut(u.Name, "@")
	if len(name) >= 4 && strings.Contains(lower, name) || strings.Count(lower, lower[:1]) == len(lower) {
		return "", huma.Error422UnprocessableEntity("password: it is easily guessed, as it is the name or one character over and over")
	}
	return a.hasher.hash(ctx, password)
}
