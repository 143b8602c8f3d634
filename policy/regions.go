package policy

import "slices"

// Regions keeps workspaces to providers of some regions; a workspace that it does not name may
// use all.
type Regions map[string][]string

// Allow reports whether a workspace may use a provider's region, "" where the provider has none.
func (r Regions) Allow(workspace, region string) bool {
	allowed, pinned := r[workspace]
	return !pinned || slices.Contains(allowed, region)
}
