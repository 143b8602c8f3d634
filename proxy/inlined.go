package proxy

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"

	"github.com/aistrale/aistrale/providers"
)

// inlined is a body in which files of the client's form stand as base64. They are encoded as they
// are read: none is ever in memory whole.
type inlined struct {
	form   *form
	body   []byte
	files  []providers.Inlined
	reader io.Reader
}

func newInlined(fm *form, req *providers.UpstreamRequest) *inlined {
	i := &inlined{form: fm, body: req.Body, files: req.Inline}
	i.Rewind()
	return i
}

// Read implements Source.
func (i *inlined) Read(p []byte) (int, error) { return i.reader.Read(p) }

// Length implements Source.
func (i *inlined) Length() int64 {
	n := int64(len(i.body))
	for _, f := range i.files {
		n += (i.form.files[f.File].size + 2) / 3 * 4
	}
	return n
}

// Rewind implements Source.
func (i *inlined) Rewind() bool {
	var parts []io.Reader
	from := 0
	for _, f := range i.files {
		file := &i.form.files[f.File]
		parts = append(parts, bytes.NewReader(i.body[from:f.At]), &encoder{src: i.form.spool.section(file.from, file.size)})
		from = f.At
	}
	i.reader = io.MultiReader(append(parts, bytes.NewReader(i.body[from:]))...)
	return true
}

// encoder reads another reader's bytes as base64.
type encoder struct {
	src   io.Reader
	raw   [3 << 10]byte
	text  [4 << 10]byte
	ready []byte // of text
}

// Read implements io.Reader.
func (e *encoder) Read(p []byte) (int, error) {
	if len(e.ready) == 0 {
		n, err := io.ReadFull(e.src, e.raw[:])
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return 0, err
		}
		e.ready = base64.StdEncoding.AppendEncode(e.text[:0], e.raw[:n])
	}
	n := copy(p, e.ready)
	e.ready = e.ready[n:]
	return n, nil
}

// names gives the form's files as languages see them.
func (fm *form) names(dst []providers.File) []providers.File {
	for i := range fm.files {
		dst = append(dst, providers.File{Field: fm.files[i].name, Name: fm.files[i].filename, Type: fm.files[i].mime})
	}
	return dst
}

var _ Source = (*inlined)(nil)
