package proxy

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// The bounds of a file of calls: those of OpenAI, with room.
const (
	maxBatchCalls = 100_000
	maxBatchBytes = 256 << 20
)

// admitBatch governs the calls that a batch is to make as if the client had made each by itself.
// The provider reads them as they stand, so a call that would have to be changed is refused.
func (f *flight) admitBatch() error {
	b := f.endpoint.Stored.Batch
	if sets(&f.key.Parameters) {
		return &providers.Fault{Kind: providers.FaultForbidden, NoRetry: true, Param: b.Input,
			Message: fmt.Sprintf("The key %q has parameters that are put into its calls, which cannot be done in a batch.", f.key.Name)}
	}
	if len(f.doc.Value(b.Input)) == 0 {
		return providers.Invalid(b.Input, "Missing required parameter: '"+b.Input+"'.")
	}
	if b.Inline {
		return f.admitInline()
	}
	return f.admitFile()
}

// admitInline looks at the calls that stand in the body itself.
func (f *flight) admitInline() error {
	input := f.endpoint.Stored.Batch.Input
	calls := gjson.ParseBytes(f.doc.Value(input))
	if !calls.IsArray() {
		return providers.Invalid(input, "Invalid '"+input+"': it must be an array of calls.")
	}
	for {
		account, err := f.keepingAccount()
		if err == nil {
			err = f.admitCalls(account, calls)
		}
		if err != nil {
			return err
		}
		if settled, err := f.keepingAccount(); err != nil || settled == account {
			return err
		} // else a call has named an object, which says where all of them go
	}
}

func (f *flight) admitCalls(account *Account, calls gjson.Result) (err error) {
	n := 0
	calls.ForEach(func(_, call gjson.Result) bool {
		if n++; n > maxBatchCalls {
			err = providers.Invalid(f.endpoint.Stored.Batch.Input, fmt.Sprintf("The batch has more than %d calls.", maxBatchCalls))
			return false
		}
		err = inLine(fmt.Sprintf("Call %d of the batch", n), f.admitBatchCall(account, []byte(call.Raw)))
		return err == nil
	})
	return err
}

// admitFile looks at the calls of a file, line by line.
func (f *flight) admitFile() error {
	b := f.endpoint.Stored.Batch
	id, _, err := f.doc.String(b.Input)
	if err != nil {
		return err
	}
	account, err := f.keepingAccount()
	if err != nil {
		return err
	}
	route, _ := f.storedRoute(account)
	group := &asking{under: map[Exchange]struct{}{}}
	if err := f.own(group); err != nil {
		return f.broken(err)
	}
	defer f.disown()
	err = group.lines(account, &route, contentPath(b, id), f.g.options.Limits.MaxBody, func(n int, line []byte) error {
		return inLine(lineOf(n), f.admitBatchCall(account, line))
	})
	var ours *providers.Fault
	if err != nil && !errors.As(err, &ours) {
		return f.broken(err)
	}
	return err
}

func lineOf(n int) string { return fmt.Sprintf("Line %d of the batch's file", n) }

func contentPath(b *providers.Batch, id string) string {
	return strings.ReplaceAll(b.Content, "{id}", url.PathEscape(id))
}

// inLine says which call is wrong.
func inLine(which string, err error) error {
	if err == nil {
		return nil
	}
	var of *providers.Fault
	if !errors.As(err, &of) {
		return err
	}
	out := *of
	out.Message = which + ": " + out.Message
	out.NoRetry = true
	return &out
}

// admitBatchCall holds one call against the key. Its model is the provider's own name.
func (f *flight) admitBatchCall(account *Account, line []byte) error {
	path, body, err := f.endpoint.Stored.Batch.Call(line)
	if err != nil {
		return err
	}
	at, vars, _ := f.g.endpoints.find([]byte(http.MethodPost), []byte(path))
	if at.Ask == nil {
		return providers.Invalid("url", "The path '"+clean([]byte(path))+"' is none that a batch can call.")
	}
	var doc providers.Document
	if err := doc.Scan(body, f.g.options.Watch); err != nil {
		return err
	}
	asked, err := at.Ask(&doc)
	if err != nil {
		return err
	}
	asked.Model = cmp.Or(vars.model(), asked.Model)
	if route, ok := account.Route(at.Op, at.Face.Language(), asked.Model); !ok || route.Pair != nil {
		return providers.Invalid("url", "The provider of the batch does not serve '"+clean([]byte(path))+"'.")
	}
	if err := f.admitOwnModel(account, asked.Model, doc.Hits); err != nil {
		return err
	}
	return f.findNamed(doc.Hits)
}

func sets(p *storage.Parameters) bool { return len(p.Defaults)+len(p.Force) > 0 }

// lines reads an account's file line by line, within bounds. Empty lines are none.
func (a *asking) lines(account *Account, route *providers.Route, path string, longest int, each func(n int, line []byte) error) error {
	x, head, err := a.open(account, route, path)
	if err != nil {
		return err
	}
	defer a.end(x)
	if head.Status != http.StatusOK {
		return &providers.Fault{Kind: providers.FaultUpstream, Status: head.Status, Retryable: head.Status >= 500,
			Message: "The batch's file cannot be read at its provider.", Cause: fmt.Errorf("status %d", head.Status)}
	}
	left := &io.LimitedReader{R: bodyOf{x}, N: maxBatchBytes + 1}
	r := bufio.NewReaderSize(left, 64<<10)
	for n := 1; ; n++ {
		line, err := readLine(r, longest)
		if len(line) == 0 && errors.Is(err, io.EOF) && left.N > 0 {
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return inLine(lineOf(n), err)
		}
		if n > maxBatchCalls || left.N <= 0 {
			return providers.Invalid("", fmt.Sprintf("The batch's file has more than %d lines or %d bytes.", maxBatchCalls, maxBatchBytes))
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if err := each(n, line); err != nil {
			return err
		}
	}
}

// readLine reads a line of up to most bytes. The slice holds until the next one is read.
func readLine(r *bufio.Reader, most int) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, err
	}
	long := bytes.Clone(line)
	for errors.Is(err, bufio.ErrBufferFull) {
		if len(long) > most {
			return nil, tooLarge(int64(most))
		}
		line, err = r.ReadSlice('\n')
		long = append(long, line...)
	}
	return long, err
}
