package proxy

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aistrale/aistrale/providers"
)

// The bounds of a form.
const (
	maxPartHead   = 8 << 10   // bytes
	maxFormFields = 256       // and as many files
	maxFormText   = 256 << 10 // bytes of all fields
)

// form is a client's multipart/form-data. It is read part by part, as far as needed; what is read
// of its files is kept in the spool. It is written anew, under a boundary of our own: what is no
// part to us is none to the upstream.
type form struct {
	kind  *providers.Form
	in    *intake
	parts *multipart.Reader

	fields []formField
	text   int // bytes of the fields
	spool  spool
	files  []formFile
	open   io.Reader // a file of which nothing has been read
	sound  *ends     // of the files, where they are sounds
	opened formFile
	ended  bool
	spent  bool // of an open file something has been sent

	boundary string // of the form that is written
}

// formField is one part that is no file.
type formField struct{ name, value string }

// formFile is one file: its part's head, and where its bytes stand in the spool.
type formFile struct {
	name, filename, mime string
	from, size           int64
}

// isForm reports whether a request's body is a form.
func isForm(contentType []byte) bool {
	const want = "multipart/form-data"
	return len(contentType) >= len(want) && bytes.EqualFold(contentType[:len(want)], []byte(want))
}

// newForm makes ready to read a form.
func newForm(kind *providers.Form, in *intake, contentType string) (*form, error) {
	_, params, err := mime.ParseMediaType(contentType)
	boundary := params["boundary"]
	if err != nil || boundary == "" || len(boundary) > 70 {
		return nil, providers.Invalid("", "The content-type of the form says no valid boundary.")
	}
	return &form{kind: kind, in: in, parts: multipart.NewReader(io.MultiReader(in, strings.NewReader("\r\n"), cut{}), boundary), boundary: "aistrale-" + rand.Text()}, nil
}

// cut is the end of the bytes as the form's reader sees it, which takes a form that just ends
// for a whole one.
type cut struct{}

// Read implements io.Reader.
func (cut) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// close forgets the form.
func (fm *form) close() {
	fm.in.close()
	fm.spool.close()
}

// advance reads one part: a field, or the head of a file, which is then open.
func (fm *form) advance() error {
	fm.in.spare = maxPartHead + 4096 // what is read ahead
	part, err := fm.parts.NextRawPart()
	fm.in.spare = -1
	if errors.Is(err, io.EOF) {
		fm.ended = true
		return nil
	}
	if err != nil {
		return fm.unreadable(err)
	}
	name, filename, isFile, err := disposition(part)
	if err != nil {
		return err
	}
	if len(fm.fields)+len(fm.files) >= maxFormFields {
		return providers.Invalid("", "The form has more than "+strconv.Itoa(maxFormFields)+" parts.")
	}
	if isFile && slices.Contains(fm.kind.Files, name) {
		fm.open, fm.opened = fm.heard(part), formFile{name: name, filename: filename, mime: part.Header.Get("Content-Type")}
		return nil
	}
	value, err := fm.readField(name, part)
	if err != nil {
		return err
	}
	fm.fields = append(fm.fields, formField{name, value})
	return nil
}

// heard has a file that is a sound be heard while it is read.
func (fm *form) heard(part io.Reader) io.Reader {
	if fm.sound == nil {
		return part
	}
	fm.sound.mixed = fm.sound.size > 0 || len(fm.files) > 0
	return io.TeeReader(part, fm.sound)
}

// disposition reads a part's head, and refuses what two readers could take differently.
func disposition(part *multipart.Part) (name, filename string, isFile bool, err error) {
	lines := part.Header["Content-Disposition"]
	if len(lines) != 1 || len(part.Header["Content-Type"]) > 1 {
		return "", "", false, providers.Invalid("", "A part of the form must have one content-disposition.")
	}
	kind, params, err := mime.ParseMediaType(lines[0])
	if err != nil || kind != "form-data" || params["name"] == "" {
		return "", "", false, providers.Invalid("", "A part of the form has no valid content-disposition with a name.")
	}
	for _, encoding := range part.Header["Content-Transfer-Encoding"] {
		switch strings.ToLower(encoding) {
		case "7bit", "8bit", "binary":
		default:
			return "", "", false, providers.Invalid(params["name"], "A part of the form has an unsupported content-transfer-encoding.")
		}
	}
	name = params["name"]
	filename, isFile = params["filename"]
	if !utf8.ValidString(name) || strings.ContainsFunc(name+filename, unicode.IsControl) || !printable([]byte(part.Header.Get("Content-Type"))) {
		return "", "", false, providers.Invalid("", "A part of the form has a head that cannot be read.")
	}
	return name, filename, isFile, nil
}

func (fm *form) readField(name string, part io.Reader) (string, error) {
	value, err := io.ReadAll(io.LimitReader(part, int64(maxFormText-fm.text)+1))
	if err != nil {
		return "", fm.unreadable(err)
	}
	if fm.text += len(name) + len(value); fm.text > maxFormText {
		return "", providers.Invalid(name, "The fields of the form are larger than "+strconv.Itoa(maxFormText)+" bytes.")
	}
	if !utf8.Valid(value) {
		return "", providers.Invalid(name, "A field of the form is not valid UTF-8.")
	}
	return string(value), nil
}

// keep reads the open file into the spool.
func (fm *form) keep() error {
	file := fm.opened
	file.from = fm.spool.size
	var err error
	if file.size, err = io.Copy(&fm.spool, fm.open); err != nil {
		return fm.unreadable(err)
	}
	fm.files, fm.open = append(fm.files, file), nil
	return nil
}

// unreadable words what ended the reading of a form.
func (fm *form) unreadable(err error) error {
	var already *providers.Fault
	switch {
	case fm.in.err != nil:
		return fm.in.err
	case errors.As(err, &already):
		return already
	case errors.Is(err, errHead):
		return providers.Invalid("", "The head of a part of the form is too long.")
	}
	return &providers.Fault{Kind: providers.FaultInvalid, NoRetry: true, Cause: err, Message: "The form is not valid, or ends too early."}
}

// has reports whether a field was read.
func (fm *form) has(name string) bool {
	return slices.ContainsFunc(fm.fields, func(f formField) bool { return f.name == name })
}

// known reports whether a file may be sent on before the rest of the form is read.
func (fm *form) known() bool {
	return len(fm.kind.Needs) > 0 && !slices.ContainsFunc(fm.kind.Needs, func(name string) bool { return !fm.has(name) })
}

// document appends the fields as the JSON object that languages read.
func (fm *form) document(dst []byte) []byte {
	dst = append(dst, '{')
	for i, f := range fm.fields {
		same := func(o formField) bool { return o.name == f.name }
		if slices.ContainsFunc(fm.fields[:i], same) {
			continue
		}
		if len(dst) > 1 {
			dst = append(dst, ',')
		}
		dst = append(providers.AppendString(dst, f.name), ':')
		if !strings.HasSuffix(f.name, "[]") && !slices.ContainsFunc(fm.fields[i+1:], same) {
			dst = appendFieldValue(dst, f.value)
			continue
		}
		for j, o := range fm.fields[i:] {
			if same(o) {
				dst = appendFieldValue(append(dst, "[,"[min(j, 1)]), o.value)
			}
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

// appendFieldValue says a field's text as the JSON it looks like, where the text comes out of it
// again byte by byte.
func appendFieldValue(dst []byte, text string) []byte {
	const longest = 24
	number := len(text) > 0 && len(text) <= longest && text[0] <= '9' && text[len(text)-1] >= '0' && text[len(text)-1] <= '9'
	if text == "true" || text == "false" || number && providers.ValidJSON([]byte(text)) {
		return append(dst, text...)
	}
	return providers.AppendString(dst, text)
}

// nested appends a field whose name has brackets ("a[b][]") as the JSON that it stands for, so
// that governed fields are found in it. It gives dst where the name has none.
func nested(dst []byte, f formField) []byte {
	head, rest, ok := strings.Cut(f.name, "[")
	if !ok {
		return dst
	}
	dst = append(providers.AppendString(append(dst, '{'), head), ':')
	shut := []byte{'}'}
	for step := range strings.SplitSeq(rest, "[") {
		step = strings.TrimSuffix(step, "]")
		if _, err := strconv.Atoi(step); err == nil || step == "" {
			dst, shut = append(dst, '['), append(shut, ']')
			continue
		}
		dst = append(providers.AppendString(append(dst, '{'), step), ':')
		shut = append(shut, '}')
	}
	slices.Reverse(shut)
	return append(appendFieldValue(dst, f.value), shut...)
}
