package storage

import "errors"

// SealedTable is a table whose rows have something sealed: each has the columns data_key and
// sealed, which are NULL together where a row has nothing. Rotation of data keys is written once,
// for every table of SealedTables; a new one is a line there, and those two columns.
type SealedTable struct {
	Name string
	Key  []string // the columns of its primary key, all of them text
	More []string // columns that its bindings need beside, text too
	// Bind makes the binding of a row out of its key and the columns of More, in that order.
	Bind func(values []string) Binding
	// Noun is set where who changes a row takes a turn for it first, as all changes of nouns do.
	Noun bool
}

// SealedTables lists every table that has something sealed.
func SealedTables() []SealedTable {
	return []SealedTable{
		{
			Name: credentialTable, Key: []string{"id"}, More: []string{"target"}, Noun: true,
			Bind: func(v []string) Binding { return Binding{Table: credentialTable, Row: v[0], Target: v[1]} },
		},
		{
			Name: documentTable, Key: []string{"kind", "workspace", "id"}, Noun: true,
			Bind: func(v []string) Binding {
				return (&Document{Kind: Kind{Name: v[0]}, Workspace: v[1], ID: v[2]}).Binding()
			},
		},
		{
			Name: turnTable, Key: []string{"id"}, More: []string{"workspace", "previous", "within"},
			Bind: func(v []string) Binding {
				return (&Turn{ID: v[0], Workspace: v[1], Previous: v[2], Within: v[3]}).binding()
			},
		},
		{
			Name: payloadTable, Key: []string{"id"}, More: []string{"workspace", "owner", "end_user"},
			Bind: func(v []string) Binding {
				return (&Payload{ID: v[0], Workspace: v[1], User: v[2], EndUser: v[3]}).Binding()
			},
		},
	}
}

// SealedRow is what a row of a SealedTable has sealed.
type SealedRow struct {
	Values []string // of Key and More
	Sealed
}

// SealedQuery asks for rows of a SealedTable, in the order of their keys.
type SealedQuery struct {
	Under string     // the data key that they are sealed under; "" any
	After *SealedRow // those behind this one; nil from the beginning
	Limit int
}

// SealedCount says how many rows of a table are sealed under a data key.
type SealedCount struct {
	Table, DataKeyID string
	Rows             int64
}

// Resealed is a row with what is to stand in the place of what it has.
type Resealed struct {
	SealedRow
	New Sealed
}

// MarshalJSON keeps sealed values out of the bodies of documents, where no rotation would find
// them: they stand in Document.Sealed.
func (Sealed) MarshalJSON() ([]byte, error) {
	return nil, errors.New("a sealed value has a column of its own and stands in no JSON")
}
