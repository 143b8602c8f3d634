package proxy

import (
	"slices"
	"strings"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
)

// readForm reads as much of a form as must be known before anything is sent, and makes the
// document of its fields. A file that comes before that is kept; where all is known, the rest is
// sent on as it comes.
func (f *flight) readForm() error {
	limits := &f.g.options.Limits
	length := f.fc.Request.Header.ContentLength()
	if int64(length) > limits.MaxUpload {
		f.discard(length)
		return tooLarge(limits.MaxUpload)
	}
	if length < 0 || length >= largeBody {
		if err := f.takeMemory(spoolMemory + maxFormText); err != nil {
			f.discard(length)
			return err
		}
	}
	in, err := f.newIntake(limits.MaxUpload)
	if err != nil {
		return err
	}
	if f.form, err = newForm(f.endpoint.Form, in, string(f.fc.Request.Header.ContentType())); err != nil {
		in.close()
		return err
	}
	fm := f.form
	if f.hears() {
		fm.sound = &ends{}
	}
	fm.spool.dir, fm.spool.disk = limits.UploadDir, &f.g.disk
	f.listen()
	for !fm.ended {
		if err := fm.advance(); err != nil {
			return err
		}
		if fm.open == nil {
			continue
		}
		if fm.known() && f.forwards() {
			break
		}
		if err := fm.keep(); err != nil {
			return err
		}
	}
	f.rec.BytesIn = max(fm.in.total, int64(length))
	f.body = fm.document(f.body[:0])
	if err := f.scan(f.body); err != nil {
		return err
	}
	return f.watchForm()
}

// forwards reports whether what comes behind a file can be let through as it comes: the operator
// sets no fields, no budget has to know how long a sound is, and every target takes the form itself.
func (f *flight) forwards() bool {
	if f.hears() && f.state.Limits != nil && f.state.Limits.For(f.key).Budgeted() {
		return false
	}
	i := slices.IndexFunc(f.form.fields, func(field formField) bool { return field.name == "model" })
	if i < 0 {
		return !sets(&f.key.Parameters)
	}
	alias, err := f.state.Router.Resolve(f.form.fields[i].value)
	if err != nil {
		return true // it will be refused
	}
	if sets(&f.key.Parameters) || sets(&alias.Parameters) {
		return false
	}
	return !slices.ContainsFunc(alias.Targets, func(t policy.Target) bool {
		accounts := f.accounts(t)
		if len(accounts) == 0 {
			return false
		}
		route, ok := accounts[0].Route(f.endpoint.Op, f.endpoint.Face.Language(), t.Model)
		return ok && route.Pair != nil
	})
}

// watchForm adds the governed fields that names with brackets hide from the document's scan.
func (f *flight) watchForm() error {
	if f.form == nil {
		return nil
	}
	for _, field := range f.form.fields {
		hits, err := f.watchField(field)
		if err != nil {
			return err
		}
		f.doc.Hits = append(f.doc.Hits, hits...)
	}
	return nil
}

func (f *flight) watchField(field formField) ([]providers.Hit, error) {
	raw := nested(nil, field)
	if raw == nil {
		return nil, nil
	}
	var doc providers.Document
	if err := doc.Scan(raw, f.g.options.Watch); err != nil {
		return nil, err
	}
	return doc.Hits, nil
}

// lateField holds a field that came behind a file against the key, when its target has been
// chosen. One that was said before the file is refused, in whatever case: it may be the model.
func (f *flight) lateField(field formField) (formField, error) {
	for _, said := range f.form.fields[:len(f.form.fields)-1] {
		if name := said.name; strings.EqualFold(name, field.name) && !strings.HasSuffix(name, "[]") {
			return field, providers.Invalid(field.name, "The form has the field '"+name+"' before its file and behind it.")
		}
	}
	if strings.EqualFold(field.name, "model") {
		return field, providers.Invalid("model", "The form has the field 'model' in a place where it cannot be read.")
	}
	var doc providers.Document
	one := form{fields: []formField{field}}
	if err := doc.Scan(one.document(nil), f.g.options.Watch); err != nil {
		return field, err
	}
	hits, err := f.watchField(field)
	if err != nil {
		return field, err
	}
	if hits = append(hits, doc.Hits...); len(hits) > 0 {
		if err := policy.AdmitFields(f.key, hits, f.alias.Targets); err != nil {
			return field, err
		}
		for i := range hits {
			if len(hits[i].Objects()) > 0 { // the account is chosen already
				return field, providers.Invalid(field.name, "The field '"+field.name+"' must stand before the file, as it names a stored object.")
			}
		}
		if name, is := policy.Unbounded(hits); is && f.bill.lease.limits != nil && f.bill.lease.limits.Budgeted() {
			return field, providers.Invalid(name, "The field '"+name+"' must stand before the file, as it changes what the call may cost.")
		}
	}
	quirks := &f.call.Quirks
	switch to := quirks.Rename[field.name]; {
	case slices.Contains(quirks.Strip, field.name):
		f.rec.Dropped = providers.AddDropped(f.rec.Dropped, field.name)
		return formField{}, nil
	case to != "":
		field.name = to
	}
	return field, nil
}
