package main

import "net/url"

// workspaceCommand is a command about what a workspace has of one kind.
type workspaceCommand struct {
	*controlCommand
	kind, workspace string
}

// newWorkspaceCommand makes one of the kind that the API has under /KIND. workspace is the one that
// is meant where none is named.
func newWorkspaceCommand(env environment, usage, kind, workspace, says string) *workspaceCommand {
	c := &workspaceCommand{controlCommand: newControlCommand(env, usage), kind: kind}
	c.flags.StringVar(&c.workspace, "workspace", workspace, says)
	return c
}

// path is where the API has all of the kind, or what is under that.
func (c *workspaceCommand) path(under ...string) string {
	return workspacePath(c.workspace, c.kind, under...)
}

func workspacePath(workspace, kind string, under ...string) string {
	path := "/" + kind
	for _, word := range under {
		path += "/" + url.PathEscape(word)
	}
	return path + "?workspace=" + url.QueryEscape(workspace)
}
