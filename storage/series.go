package storage

// Series is whom an attempt is counted for: the dimensions of the roll-ups.
type Series struct {
	Workspace, Project string
	Key                string // the key's public id
	KeyName            string
	User               string // the key's owner
	Provider, Model    string
	Prompt             string // name@version of a stored prompt
	// Tag is "" in the series that counts every attempt. An attempt with tags is counted once
	// more for each of them.
	Tag string
}

// Dimension is one of a series' fields that usage is asked by.
type Dimension string

// The dimensions, as users and columns name them.
const (
	ByWorkspace Dimension = "workspace"
	ByProject   Dimension = "project"
	ByKey       Dimension = "key" // asked by id or by name; sums have both
	ByUser      Dimension = "user"
	ByProvider  Dimension = "provider"
	ByModel     Dimension = "model"
	ByPrompt    Dimension = "prompt"
	ByTag       Dimension = "tag"
)

// Dimensions lists them all.
func Dimensions() []Dimension {
	return []Dimension{ByWorkspace, ByProject, ByKey, ByUser, ByProvider, ByModel, ByPrompt, ByTag}
}

// Of gives the series' field of a dimension; of ByKey the id.
func (d Dimension) Of(s *Series) *string {
	switch d {
	case ByWorkspace:
		return &s.Workspace
	case ByProject:
		return &s.Project
	case ByKey:
		return &s.Key
	case ByUser:
		return &s.User
	case ByProvider:
		return &s.Provider
	case ByModel:
		return &s.Model
	case ByPrompt:
		return &s.Prompt
	case ByTag:
		return &s.Tag
	}
	return nil
}
