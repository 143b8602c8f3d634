package proxy

import (
	"errors"
	"net/http"
	"testing"

	"github.com/aistrale/aistrale/storage"
)

// confessor is told of defects.
type confessor struct {
	panicked func(*storage.Record)
	failed   func(*storage.Record, error)
}

func (c confessor) Panicked(r *storage.Record, _ any, _ []byte) { c.panicked(r) }

func (c confessor) Failed(r *storage.Record, err error) { c.failed(r, err) }

// fullDisk is a journal that takes nothing.
type fullDisk struct{}

var errFull = errors.New("no room")

func (fullDisk) Append(...*storage.Entry) error { return errFull }

// A 5xx of ours is told of, and no 5xx of an upstream's, no mistake of the client's, no end.
func TestGateway_tellsOfItsOwnFailures(t *testing.T) {
	f := func(want bool, status int, ask string, replies []string, change func(*Options, *Snapshot)) {
		t.Helper()
		var told []storage.Record
		g := newTestGateway(t, one(t, func(int, int) []string { return replies }), func(o *Options, s *Snapshot) {
			o.Defects = confessor{failed: func(r *storage.Record, err error) {
				told = append(told, *r)
				if !errors.Is(err, errFull) {
					t.Errorf("told of %v", err)
				}
			}}
			if change != nil {
				change(o, s)
			}
		})
		got, _, text := g.post(t, ask)
		if got != status || (len(told) == 1) != want {
			t.Errorf("%d %s, told of %d", got, text, len(told))
		}
		if want && (told[0].Status != status || told[0].Fault == "" || told[0].ID == "") {
			t.Errorf("told of %+v", told[0])
		}
	}
	f(true, http.StatusServiceUnavailable, askWhole, nil, func(o *Options, _ *Snapshot) { o.Journal = fullDisk{} })
	f(false, http.StatusBadGateway, askWhole, []string{"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 2\r\n\r\n{}"}, nil)
	f(false, http.StatusBadRequest, "{", nil, nil)
	f(false, http.StatusOK, askWhole, []string{whole(wholeReply)}, nil)
}
