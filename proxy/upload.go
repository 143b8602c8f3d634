package proxy

import (
	"cmp"
	"errors"
	"io"
	"mime"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// Source is a request's body that is not in memory. Its owner reads it to its end, or not; an
// error of Read ends the request unfinished.
type Source interface {
	io.Reader
	// Length is the body's length, -1 where it is not known yet.
	Length() int64
	// Rewind goes back to the beginning; false where that has gone already.
	Rewind() bool
}

// upload writes a form anew: the fields that the plan says, then the client's files, and where
// the last of them is still coming, what the client sends behind it.
type upload struct {
	form   *form
	late   func(formField) (formField, error) // what becomes of a field behind a file; no name: nothing
	fields []byte

	pending []byte // written next
	current io.Reader
	file    int // the next of form.files
	closed  bool
}

// newUpload makes the upstream's body of a form, whose fields are the members of a JSON object.
func newUpload(fm *form, object []byte, late func(formField) (formField, error)) *upload {
	u := &upload{form: fm, late: late}
	gjson.ParseBytes(object).ForEach(func(name, value gjson.Result) bool {
		u.add(name.String(), value)
		return true
	})
	u.pending = u.fields
	return u
}

func (u *upload) add(name string, value gjson.Result) {
	switch {
	case value.Type == gjson.Null:
	case value.IsArray():
		value.ForEach(func(_, item gjson.Result) bool {
			u.add(name, item)
			return true
		})
	case value.Type == gjson.String:
		u.fields = u.form.appendField(u.fields, name, value.String())
	default:
		u.fields = u.form.appendField(u.fields, name, value.Raw)
	}
}

// appendField writes a part that is no file.
func (fm *form) appendField(dst []byte, name, value string) []byte {
	dst = append(append(append(dst, "--"...), fm.boundary...), "\r\nContent-Disposition: form-data; name=\""...)
	dst = append(append(dst, escapeName(name)...), "\"\r\n\r\n"...)
	return append(append(dst, value...), "\r\n"...)
}

// appendFile writes the head of a file's part.
func (fm *form) appendFile(dst []byte, file *formFile) []byte {
	dst = append(append(append(dst, "--"...), fm.boundary...), "\r\nContent-Disposition: form-data; name=\""...)
	dst = append(append(dst, escapeName(file.name)...), "\"; filename=\""...)
	dst = append(append(dst, escapeName(file.filename)...), '"')
	if file.mime != "" {
		dst = append(append(dst, "\r\nContent-Type: "...), file.mime...)
	}
	return append(dst, "\r\n\r\n"...)
}

// escapeName makes a name fit for a quoted string.
// Source: https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data
var escapeName = strings.NewReplacer("\\", "\\\\", "\"", "\\\"", "\r", "%0D", "\n", "%0A").Replace

// contentType is the upstream's.
func (fm *form) contentType() string {
	return mime.FormatMediaType("multipart/form-data", map[string]string{"boundary": fm.boundary})
}

// Read implements Source.
func (u *upload) Read(p []byte) (int, error) {
	for {
		if len(u.pending) > 0 {
			n := copy(p, u.pending)
			u.pending = u.pending[n:]
			return n, nil
		}
		if u.current != nil {
			n, err := u.current.Read(p)
			if errors.Is(err, io.EOF) {
				u.current, u.pending, err = nil, []byte("\r\n"), nil
			}
			if err != nil {
				err = u.form.unreadable(err)
			}
			if n > 0 || err != nil {
				return n, err
			}
			continue
		}
		if u.closed {
			return 0, io.EOF
		}
		if err := u.next(); err != nil {
			return 0, err
		}
	}
}

// next begins the next part, or the end.
func (u *upload) next() error {
	fm := u.form
	switch {
	case u.file < len(fm.files):
		file := &fm.files[u.file]
		u.file++
		u.pending, u.current = fm.appendFile(nil, file), fm.spool.section(file.from, file.size)
	case fm.open != nil:
		u.pending, u.current = fm.appendFile(nil, &fm.opened), fm.open
		fm.open, fm.spent = nil, true
	case !fm.ended:
		return u.read()
	default:
		u.closed = true
		u.pending = append(append(append(u.pending[:0], "--"...), fm.boundary...), "--\r\n"...)
	}
	return nil
}

// read takes what the client sends behind a file.
func (u *upload) read() error {
	fm := u.form
	before := len(fm.fields)
	if err := fm.advance(); err != nil {
		return err
	}
	if len(fm.fields) == before {
		return nil
	}
	field, err := u.late(fm.fields[before])
	if err == nil && field.name != "" {
		u.pending = fm.appendField(nil, field.name, field.value)
	}
	return err
}

// Length implements Source.
func (u *upload) Length() int64 {
	fm := u.form
	if !fm.ended || fm.spent {
		return -1
	}
	n := int64(len(u.fields) + len("--") + len(fm.boundary) + len("--\r\n"))
	for i := range fm.files {
		n += int64(len(fm.appendFile(nil, &fm.files[i]))) + fm.files[i].size + int64(len("\r\n"))
	}
	return n
}

// Rewind implements Source.
func (u *upload) Rewind() bool {
	u.pending, u.current, u.file, u.closed = u.fields, nil, 0, false
	return !u.form.spent
}

// bareFile is one file of a form as a whole body.
type bareFile struct {
	*io.SectionReader
}

func (b bareFile) Length() int64 { return b.Size() }

func (b bareFile) Rewind() bool {
	_, err := b.Seek(0, io.SeekStart)
	return err == nil
}

// bare gives the form's file of a name; false where it has none.
func (fm *form) bare(name string) (b bareFile, contentType string, ok bool) {
	for i := range fm.files {
		if file := &fm.files[i]; file.name == name {
			return bareFile{io.NewSectionReader(&fm.spool, file.from, file.size)}, file.mime, true
		}
	}
	return bareFile{}, "", false
}

var _ Source = (*upload)(nil)

// source gives the body of an upstream request that is not in memory, and its content type; nil
// where the whole body is.
func (f *flight) source(req *providers.UpstreamRequest) (Source, string, error) {
	switch {
	case f.raw != nil:
		return f.raw, f.raw.contentType(), nil
	case len(req.Inline) > 0 && f.form != nil:
		return newInlined(f.form, req), "application/json", nil
	case f.form == nil || !req.Form && req.File == "":
		return nil, "application/json", nil
	case req.Form:
		return newUpload(f.form, req.Body, f.lateField), f.form.contentType(), nil
	}
	b, kind, ok := f.form.bare(req.File)
	if !ok {
		return nil, "", providers.Invalid(req.File, "The form has no file of this name.")
	}
	return b, cmp.Or(req.Type, kind, "application/octet-stream"), nil
}
