package storage

import (
	"errors"
	"fmt"
	"time"
)

// Document is a noun of the control plane as stores keep it: a JSON object under a name. Stores
// know nothing of what is in it; whoever owns a kind does.
type Document struct {
	Kind      Kind
	Workspace string // "" for what is of the whole installation
	ID        string // unique among the kind in its workspace: a name, or an id that was minted
	// Ref is a second way to find it, unique among its kind where it is not "".
	Ref  string
	Body []byte // a JSON object
	// Sealed is what it has that must be kept secret and read again, for its Binding; one without a
	// data key is nothing.
	Sealed Sealed `json:",omitzero"`

	Revision  int64 // 1 when added, and one more with each change
	CreatedAt time.Time
	UpdatedAt time.Time
	ExpiresAt *time.Time // nil: stays until it is removed
}

// Kind is what a document is.
type Kind struct {
	Name string
	// Served is set where requests of the data plane are judged by it: a change of it changes the
	// store's Version.
	Served bool
}

// ErrChanged is wrapped where a document is not any more what the caller has read.
var ErrChanged = errors.New("changed in the meantime")

// Check says what is wrong with the document's own data. Stores refuse one that fails it.
func (d *Document) Check() error {
	switch {
	case d.Kind.Name == "":
		return errors.New("document: it has no kind")
	case d.ID == "" || len(d.ID) > maxDocumentID:
		return fmt.Errorf("%s: its id has %d bytes, want 1 to %d", d.Kind.Name, len(d.ID), maxDocumentID)
	case len(d.Body)+len(d.Sealed.Blob) > MaxDocument:
		return fmt.Errorf("%s %q: it has %d bytes, at most %d are kept", d.Kind.Name, d.ID, len(d.Body)+len(d.Sealed.Blob), MaxDocument)
	case (d.Sealed.DataKeyID == "") != (len(d.Sealed.Blob) == 0):
		return fmt.Errorf("%s %q: it is half sealed", d.Kind.Name, d.ID)
	}
	return nil
}

// documentTable names the table in bindings. It is part of every seal: never change it.
const documentTable = "documents"

// Binding is what holds the document's Sealed to it.
func (d *Document) Binding() Binding {
	return Binding{Table: documentTable, Row: d.Kind.Name + "/" + d.Workspace + "/" + d.ID}
}

// Bounds of a document, in bytes.
const (
	MaxDocument   = 4 << 20
	maxDocumentID = 256
)

// Stamp gives the document with its times as stores keep them.
func (d Document) Stamp() Document {
	d.CreatedAt, d.UpdatedAt = stamp(d.CreatedAt), stamp(d.UpdatedAt)
	if d.ExpiresAt != nil {
		at := stamp(*d.ExpiresAt)
		d.ExpiresAt = &at
	}
	return d
}

// DocumentQuery asks for documents of a kind, in the order of their ids.
type DocumentQuery struct {
	Kind      Kind
	Workspace string // "" for those of the whole installation
	All       bool   // of every workspace, and of the installation
	Prefix    string // of their ids
	After     string // an id: those behind it; "" from the beginning
	Limit     int    // 0: all
}
