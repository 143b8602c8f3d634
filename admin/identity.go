package admin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"slices"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// refOf is what a user is found by who signs in elsewhere.
func refOf(subject string) string {
	sum := sha256.Sum256([]byte(subject))
	return hex.EncodeToString(sum[:])
}

// inOrder gives memberships in the order in which users have them.
func inOrder(roles map[string]storage.Role) []storage.Membership {
	var out []storage.Membership
	for _, workspace := range slices.Sorted(maps.Keys(roles)) {
		out = append(out, storage.Membership{Workspace: workspace, Role: roles[workspace]})
	}
	return out
}

// identified gives the user whom the identity provider speaks of, as its groups make them: what
// it gave before and does not any more is gone, what was given by hand stays.
func (a *api) identified(ctx context.Context, who *claims) (u kept[storage.User], err error) {
	if !a.oidc.admits(who.email) {
		return u, a.denyOIDC(ctx, "", "the e-mail address is not verified, or of no domain that may sign in")
	}
	u, err = a.userOf(ctx, who)
	if err != nil {
		return u, err
	}
	target := "user/" + u.ID
	if u.Noun.DisabledAt != nil {
		return u, a.denyOIDC(ctx, target, "the user is disabled")
	}
	before, wasRoot, made := showUser(u), u.Noun.Root(), u.Revision == 0
	grant(&u.Noun, a.oidc.memberships(who.groups))
	if made && len(u.Noun.Memberships) == 0 {
		return u, a.denyOIDC(ctx, "", noRole)
	}
	c := change{action: policy.UsersWrite, target: target, before: before}
	if made {
		c.before = nil
	}
	err = a.apply(context.WithValue(ctx, callerKey{}, &caller{user: u.ID, via: "oidc"}), &c, func(ctx context.Context) error {
		if wasRoot && !u.Noun.Root() && !a.otherRoot(ctx, u.ID) {
			keepRoot(&u.Noun)
		}
		keep := a.users.change
		if made {
			keep = a.users.add
		}
		if err := keep(ctx, &u, a.Now()); err != nil {
			return err
		}
		c.after = showUser(u)
		return nil
	})
	if err == nil && len(u.Noun.Memberships) == 0 { // what was taken away is gone all the same
		err = a.denyOIDC(ctx, target, noRole)
	}
	return u, err
}

const noRole = "no group of yours has a role here"

// userOf finds a user by the subject. One who was made by hand without a password, to sign in at the
// provider, is found by the verified address, once; else a new one is given, whom nobody keeps yet.
func (a *api) userOf(ctx context.Context, who *claims) (kept[storage.User], error) {
	ref := refOf(who.subject)
	u, err := a.users.byRef(ctx, ref)
	if !errors.Is(err, storage.ErrNotFound) {
		return u, err
	}
	if who.email == "" {
		return u, a.denyOIDC(ctx, "", "the identity provider has verified no e-mail address")
	}
	u, err = a.users.get(ctx, "", who.email)
	switch {
	case err == nil && (u.Noun.Password != "" || u.Noun.Subject != ""):
		return u, a.denyOIDC(ctx, "user/"+u.ID, "another user has this name, who signs in otherwise")
	case err != nil && !errors.Is(err, storage.ErrNotFound):
		return u, err
	case err != nil && !a.oidc.CreateUsers:
		return u, a.denyOIDC(ctx, "", "nobody here is known by this identity")
	case err != nil:
		u = kept[storage.User]{Noun: storage.User{Name: who.email}}
		u.ID = who.email
	}
	u.Noun.Subject, u.Ref = who.subject, ref
	if err := u.Noun.Check(); err != nil {
		return u, a.denyOIDC(ctx, "", "the e-mail address is no name of a user")
	}
	return u, nil
}

// grant has a user be what the groups give, beside what was given by hand. In a workspace where a
// role was given by hand, that one holds.
func grant(u *storage.User, given []storage.Membership) {
	all := map[string]storage.Role{}
	for _, m := range given {
		all[m.Workspace] = m.Role
	}
	byHand := map[string]bool{}
	for _, m := range u.Memberships {
		if !slices.Contains(u.Granted, m) {
			all[m.Workspace], byHand[m.Workspace] = m.Role, true
		}
	}
	u.Granted = slices.DeleteFunc(given, func(m storage.Membership) bool { return byHand[m.Workspace] })
	u.Memberships = inOrder(all)
}

// keepRoot leaves the last one who may do everything what they are, whatever the groups say.
func keepRoot(u *storage.User) {
	root := storage.Membership{Workspace: storage.Everywhere, Role: storage.RoleAdmin}
	u.Memberships = slices.DeleteFunc(u.Memberships, func(m storage.Membership) bool { return m.Workspace == storage.Everywhere })
	u.Granted = slices.DeleteFunc(u.Granted, func(m storage.Membership) bool { return m.Workspace == storage.Everywhere })
	// Everywhere comes before every name.
	u.Memberships, u.Granted = slices.Insert(u.Memberships, 0, root), slices.Insert(u.Granted, 0, root)
}

// otherRoot reports whether another user may do everything. Where that cannot be told there is none.
func (a *api) otherRoot(ctx context.Context, name string) bool {
	all, err := a.users.list(ctx, storage.DocumentQuery{})
	return err == nil && slices.ContainsFunc(all, func(u kept[storage.User]) bool { return u.ID != name && u.Noun.Root() })
}
