package admin

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aistrale/aistrale/internal/sheet"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
)

const (
	// exportsAtOnce is how many exports of rows there are at a time.
	exportsAtOnce = 2
	// exportPause bounds how long the client of an export may take for some kilobytes.
	exportPause = time.Minute
)

// ExportForm says what a file is to be.
type ExportForm struct {
	Format string `query:"format" enum:"csv,json" default:"csv" doc:"csv: RFC 4180, where a text that a spreadsheet would take for a formula has a ' before it; json: one array"`
}

func (f ExportForm) form() sheet.Form {
	if f.Format == "json" {
		return sheet.JSON
	}
	return sheet.CSV
}

// stream answers with rows as they come, so that no more than a page of them is in memory.
func (a *api) stream(ctx context.Context, f ExportForm, columns []sheet.Column, rows func(context.Context, *sheet.Sheet) error) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(h huma.Context) {
		kind := map[string]string{"csv": "text/csv; charset=utf-8; header=present", "json": "application/json"}[f.Format]
		h.SetHeader("content-type", kind)
		h.SetHeader("content-disposition", `attachment; filename="usage.`+f.Format+`"`)
		s := sheet.New(patient(h.BodyWriter()), f.form(), columns)
		s.CRLF()
		err := rows(h.Context(), s)
		if err == nil {
			err = s.Close()
		}
		if err != nil {
			a.Log.Error("control plane: an export of usage broke off", "request_id", requestOf(ctx).id, "error", err.Error())
			panic(errBrokenOff) // the client must not take a part for the whole
		}
	}}
}

// patient gives each part of a long answer a time of its own, in place of one for the whole.
func patient(w io.Writer) io.Writer {
	if h, ok := w.(http.ResponseWriter); ok {
		return patience{h, http.NewResponseController(h)}
	}
	return w
}

type patience struct {
	http.ResponseWriter
	control *http.ResponseController
}

// Write implements io.Writer. A writer that knows no deadlines has none to be moved.
func (p patience) Write(b []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(exportPause))
	return p.ResponseWriter.Write(b)
}

type sumsExport struct {
	UsageWhere
	ExportForm
	By  []string `query:"by" maxItems:"4" enum:"project,key,user,provider,model,prompt,tag,operation,outcome,status,fault"`
	Per string   `query:"per" enum:"minute,hour,day,week,month"`
}

// exportUsage gives the whole answer that listUsage gives in pages.
func (a *api) exportUsage(ctx context.Context, in *sumsExport) (*huma.StreamResponse, error) {
	q, err := in.ask(a.Now(), in.By, in.Per)
	if err != nil {
		return nil, err
	}
	found, err := a.sums(ctx, &q)
	if err != nil {
		return nil, err
	}
	shown := q.UsageQuery
	shown.Per = storage.Period(q.per)
	return a.stream(ctx, in.ExportForm, sheet.SumColumns(&shown, facetNames(q.ByFacets), nil), func(_ context.Context, s *sheet.Sheet) error {
		for i := range found {
			if err := s.Row(sheet.SumCells(&shown, found[i].Facets, &found[i].UsageSum)...); err != nil {
				return err
			}
		}
		return nil
	}), nil
}

func facetNames(facets []ledger.Facet) []string {
	var names []string
	for _, f := range facets {
		names = append(names, string(f))
	}
	return names
}

type rowsExport struct {
	UsageWhere
	ExportForm
	Limit   int    `query:"limit" minimum:"0" doc:"At most so many; 0 is all"`
	Request string `query:"request" format:"uuid" doc:"Of this request alone, whenever it was"`
}

// exportRows gives every attempt in its latest revision, oldest first.
func (a *api) exportRows(ctx context.Context, in *rowsExport) (*huma.StreamResponse, error) {
	if a.Ledger == nil {
		return nil, notKept()
	}
	q := storage.EntryQuery{Limit: in.Limit, RequestID: in.Request}
	var err error
	if in.Request != "" && in.From == "" {
		in.From = "1970-01-01"
	}
	if q.From, q.To, err = in.span(a.Now()); err != nil {
		return nil, err
	}
	q.Where = in.filters()
	return a.stream(ctx, in.ExportForm, sheet.EntryColumns(), func(ctx context.Context, s *sheet.Sheet) error {
		select {
		case a.exports <- struct{}{}:
			defer func() { <-a.exports }()
		case <-ctx.Done():
			return ctx.Err()
		}
		return ledger.Each(ctx, a.Ledger, q, in.facets(), func(e *storage.Entry) error { return s.Row(sheet.EntryCells(e)...) })
	}), nil
}
