// Command client drives the main flows of the control plane with a client that was generated from
// its description: what is described can be called as it is described.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
)

func main() {
	if err := drive(context.Background(), os.Getenv("URL"), os.Getenv("TOKEN")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("OK")
}

// is fails where a status is not the one that is wanted.
func is(what string, response *http.Response, want int, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if response.StatusCode != want {
		return fmt.Errorf("%s: %s, want %d", what, response.Status, want)
	}
	return nil
}

func drive(ctx context.Context, url, token string) error {
	c, err := NewClientWithResponses(url, WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("authorization", "Bearer "+token)
		return nil
	}))
	if err != nil {
		return err
	}
	for _, flow := range []func(context.Context, *ClientWithResponses) error{users, keys, log} {
		if err := flow(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func to[T any](v T) *T { return &v }

func users(ctx context.Context, c *ClientWithResponses) error {
	made, err := c.PostUsersWithResponse(ctx, &PostUsersParams{}, PostUsersJSONRequestBody{
		Name: "generated", Memberships: &[]Membership{{Workspace: "default", Role: "viewer"}},
	})
	if err := is("make a user", made.HTTPResponse, http.StatusCreated, err); err != nil {
		return err
	}
	tag := made.HTTPResponse.Header.Get("ETag")
	changed, err := c.PatchUsersByNameWithResponse(ctx, "generated", &PatchUsersByNameParams{IfMatch: &tag},
		PatchUsersByNameJSONRequestBody{Memberships: &[]Membership{{Workspace: "*", Role: "auditor"}}})
	if err := is("change a user", changed.HTTPResponse, http.StatusOK, err); err != nil {
		return err
	}
	if got := changed.JSON200.Memberships[0].Role; got != "auditor" {
		return fmt.Errorf("the user is %s", got)
	}
	stale, err := c.PatchUsersByNameWithResponse(ctx, "generated", &PatchUsersByNameParams{IfMatch: &tag}, PatchUsersByNameJSONRequestBody{Disabled: to(true)})
	if err := is("change what has changed", stale.HTTPResponse, http.StatusPreconditionFailed, err); err != nil {
		return err
	}
	if stale.ApplicationproblemJSON412.Detail == nil {
		return fmt.Errorf("the problem has no detail: %s", stale.Body)
	}
	gone, err := c.DeleteUsersByNameWithResponse(ctx, "generated", &DeleteUsersByNameParams{IfMatch: to("*")})
	return is("remove a user", gone.HTTPResponse, http.StatusNoContent, err)
}

func keys(ctx context.Context, c *ClientWithResponses) error {
	once := "the same"
	var id string
	for range 2 {
		made, err := c.PostKeysWithResponse(ctx, &PostKeysParams{IdempotencyKey: &once}, PostKeysJSONRequestBody{
			Name: "generated", Models: &[]string{"fast"}, Settings: &map[string]any{"priority": 3},
		})
		if err := is("make a key", made.HTTPResponse, http.StatusCreated, err); err != nil {
			return err
		}
		if made.JSON201.Key == nil || id != "" && made.JSON201.Id != id {
			return fmt.Errorf("sent again, a key is another one: %s", made.Body)
		}
		id = made.JSON201.Id
	}
	other, err := c.PostKeysWithResponse(ctx, &PostKeysParams{}, PostKeysJSONRequestBody{Name: "other"})
	if err := is("make another key", other.HTTPResponse, http.StatusCreated, err); err != nil {
		return err
	}
	seen := map[string]bool{}
	for cursor := (*string)(nil); ; {
		page, err := c.GetKeysWithResponse(ctx, &GetKeysParams{Limit: to(int64(1)), Cursor: cursor})
		if err := is("list keys", page.HTTPResponse, http.StatusOK, err); err != nil {
			return err
		}
		for _, k := range page.JSON200.Data {
			seen[k.Id] = true
		}
		if cursor = page.JSON200.NextCursor; cursor == nil {
			break
		}
	}
	if len(seen) != 2 {
		return fmt.Errorf("%d keys are listed, want 2", len(seen))
	}
	rotated, err := c.PostKeysByIdRotateWithResponse(ctx, id, &PostKeysByIdRotateParams{IfMatch: to("*")}, PostKeysByIdRotateJSONRequestBody{OverlapSeconds: to(int64(60))})
	if err := is("rotate a key", rotated.HTTPResponse, http.StatusOK, err); err != nil {
		return err
	}
	if rotated.JSON200.OldUntil == nil {
		return fmt.Errorf("there is no overlap: %s", rotated.Body)
	}
	for id := range seen {
		gone, err := c.DeleteKeysByIdWithResponse(ctx, id, &DeleteKeysByIdParams{IfMatch: to("*")})
		if err := is("revoke a key", gone.HTTPResponse, http.StatusNoContent, err); err != nil {
			return err
		}
	}
	return nil
}

func log(ctx context.Context, c *ClientWithResponses) error {
	// A stream is read as it comes; the generator would take JSON lines for one JSON text.
	export, err := c.GetAuditExport(ctx, &GetAuditExportParams{})
	if err := is("export the audit log", export, http.StatusOK, err); err != nil {
		return err
	}
	if err := export.Body.Close(); err != nil {
		return err
	}
	page, err := c.GetAuditWithResponse(ctx, &GetAuditParams{Action: to("keys.*"), Outcome: to(GetAuditParamsOutcomeDone)})
	if err := is("read the audit log", page.HTTPResponse, http.StatusOK, err); err != nil {
		return err
	}
	if len(page.JSON200.Data) != 5 { // two made, one rotated, two revoked
		return fmt.Errorf("%d records of keys, want 5: %s", len(page.JSON200.Data), page.Body)
	}
	return nil
}
