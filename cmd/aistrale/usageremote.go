package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/internal/sheet"
	"github.com/aistrale/aistrale/storage"
)

// usageCommand asks the ledger of a running gateway where one is named, else the one here.
type usageCommand struct {
	*ledgerCommand
	control   *controlCommand
	workspace string
}

func newUsageCommand(env environment, usage string) *usageCommand {
	control := newControlCommand(env, usage)
	c := &usageCommand{ledgerCommand: newLedgerFlags(control.storeCommand), control: control}
	c.flags.StringVar(&c.workspace, "workspace", "", "of a running gateway: whose usage; without it, default")
	return c
}

// remote gives a client of the running gateway that is named; nil where none is.
func (c *usageCommand) remote() (*apiClient, error) {
	at, err := c.control.target()
	if err != nil || at.URL == "" {
		return nil, err
	}
	api := newAPIClient(at.URL, storage.NewSecret(at.Token))
	api.http = &http.Client{} // exports take as long as they are
	return api, nil
}

// asked gives the flags as parameters of the API.
func (c *usageCommand) asked() (url.Values, error) {
	from, to, err := c.span()
	if err != nil {
		return nil, err
	}
	asked := url.Values{}
	if !from.IsZero() {
		asked.Set("from", from.Format(timeOfAPI))
	}
	if !to.IsZero() {
		asked.Set("to", to.Format(timeOfAPI))
	}
	filters, err := c.filters(&Config{})
	if err != nil {
		return nil, err
	}
	for _, f := range filters {
		asked.Set(string(f.Dimension), strings.Join(f.Values, ","))
	}
	if c.workspace != "" {
		asked.Set("workspace", c.workspace)
	}
	return asked, nil
}

const timeOfAPI = "2006-01-02T15:04:05Z07:00"

// print copies what is at a path of the API, in the form that is wanted. columns are those of
// tables, of which the rows have the values in the same order.
func (c *usageCommand) print(ctx context.Context, api *apiClient, path string, as sheet.Form, columns func([][]jsontext.Value) []sheet.Column) error {
	if as == sheet.CSV {
		return api.download(ctx, path+"&format=csv", c.env.Stdout)
	}
	response, err := api.send(ctx, http.MethodGet, path+"&format=json", nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if as == sheet.JSON {
		_, err := io.Copy(c.env.Stdout, response.Body)
		return err
	}
	var rows [][]jsontext.Value
	err = eachRow(response.Body, func(row []jsontext.Value) error {
		rows = append(rows, row)
		return nil
	})
	if err != nil {
		return err
	}
	s := sheet.New(c.env.Stdout, as, columns(rows))
	for _, row := range rows {
		if err := s.Row(row...); err != nil {
			return err
		}
	}
	return s.Close()
}

// eachRow reads an array of flat objects and gives the values of each, in their order.
func eachRow(r io.Reader, f func([]jsontext.Value) error) error {
	d := jsontext.NewDecoder(r)
	if _, err := d.ReadToken(); err != nil {
		return fmt.Errorf("the gateway's answer: %w", err)
	}
	for d.PeekKind() == '{' {
		var row []jsontext.Value
		if _, err := d.ReadToken(); err != nil {
			return err
		}
		for d.PeekKind() != '}' {
			if _, err := d.ReadToken(); err != nil {
				return fmt.Errorf("the gateway's answer: %w", err)
			}
			value, err := d.ReadValue()
			if err != nil {
				return fmt.Errorf("the gateway's answer: %w", err)
			}
			row = append(row, value.Clone())
		}
		if _, err := d.ReadToken(); err != nil {
			return err
		}
		if err := f(row); err != nil {
			return err
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return errors.Join(errors.New("the gateway's answer broke off"), err)
	}
	return nil
}

// remoteSums prints sums of a running gateway.
func (c *usageCommand) remoteSums(ctx context.Context, api *apiClient, q *storage.UsageQuery, as sheet.Form) error {
	asked, err := c.asked()
	if err != nil {
		return err
	}
	var by []string
	for _, d := range q.By {
		if d == storage.ByWorkspace {
			return usagef("--by: a running gateway is asked about one workspace: --workspace NAME\n%s", c.usage)
		}
		by = append(by, string(d))
	}
	if len(by) > 0 {
		asked.Set("by", strings.Join(by, ","))
	}
	if q.Per != "" {
		asked.Set("per", string(q.Per))
	}
	return c.print(ctx, api, "/usage/export?"+asked.Encode(), as, func(rows [][]jsontext.Value) []sheet.Column {
		columns := sheet.SumColumns(q, nil, nil)
		sortDearest(q, columns, rows)
		return shownUnits(q, columns, rows)
	})
}

// sortDearest puts what is dear first: people look for that.
func sortDearest(q *storage.UsageQuery, columns []sheet.Column, rows [][]jsontext.Value) {
	cost := placeOf(columns, "cost_usd")
	nano := func(row []jsontext.Value) int64 {
		n, _ := storage.ParseUSD(string(row[cost])) // what is not known is 0
		return n
	}
	slices.SortStableFunc(rows, func(a, b []jsontext.Value) int {
		order := 0
		if q.Per != "" {
			order = cmp.Compare(string(a[0]), string(b[0]))
		}
		return cmp.Or(order, cmp.Compare(nano(b), nano(a)))
	})
}

func placeOf(columns []sheet.Column, name string) int {
	return slices.IndexFunc(columns, func(c sheet.Column) bool { return c.Name == name })
}

// shownUnits are the columns with headings for what there is some of.
func shownUnits(q *storage.UsageQuery, columns []sheet.Column, rows [][]jsontext.Value) []sheet.Column {
	var some storage.UsageSum
	for name, m := range map[string]storage.Measure{
		"images": storage.Images, "characters": storage.Characters, "audio_in_seconds": storage.AudioInMs, "audio_out_seconds": storage.AudioOutMs,
	} {
		at := placeOf(columns, name)
		if slices.ContainsFunc(rows, func(row []jsontext.Value) bool { return string(row[at]) != "0" }) {
			some.Totals[m] = 1
		}
	}
	return sheet.SumColumns(q, nil, []storage.UsageSum{some})
}

// remoteRows prints attempts of a running gateway.
func (c *usageCommand) remoteRows(ctx context.Context, api *apiClient, q *storage.EntryQuery, as sheet.Form) error {
	asked, err := c.asked()
	if err != nil {
		return err
	}
	if q.RequestID != "" {
		asked.Set("request", q.RequestID)
	}
	asked.Set("limit", fmt.Sprint(q.Limit))
	return c.print(ctx, api, "/usage/rows?"+asked.Encode(), as, func([][]jsontext.Value) []sheet.Column { return sheet.EntryColumns() })
}
