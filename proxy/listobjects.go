package proxy

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

const (
	// listRounds bounds how often a list looks further where a filter leaves objects out.
	listRounds = 10
	// askAtOnce is how many objects of a list are asked for at a time.
	askAtOnce = 8
)

// listObjects answers with a page of the workspace's own objects, whoever keeps them: which there
// are, and in which order, is known here; each is shown as its account shows it. So nothing of
// another tenant is ever asked for. An object that its account knows no more is forgotten.
func (f *flight) listObjects() error {
	q, err := f.pageAsked()
	if err != nil {
		return err
	}
	page := providers.ObjectPage{}
	want := q.Limit
	q.Limit++ // to see whether there is more
	for range listRounds {
		found, err := f.readPage(q)
		if err != nil {
			return err
		}
		page.More = len(found) == q.Limit
		found = found[:min(len(found), q.Limit-1)]
		shown, err := f.showAll(found)
		if err != nil {
			return err
		}
		for i, body := range shown {
			if body == nil || !f.fits(body) {
				continue
			}
			if len(page.Objects) == want {
				page.More = true
				break
			}
			page.Objects = append(page.Objects, f.link(body))
			if page.First == "" {
				page.First = found[i].ID
			}
			page.Last = found[i].ID
		}
		if len(page.Objects) == want || !page.More {
			break
		}
		q.After = &found[len(found)-1]
	}
	f.answerOwn(f.endpoint.Stored.Paging.Write(f.scratch[:0], &page))
	return nil
}

// pageAsked reads what page the client wants.
func (f *flight) pageAsked() (storage.ObjectQuery, error) {
	p, err := f.page()
	q := storage.ObjectQuery{Workspace: f.key.Workspace, Kind: f.endpoint.Stored.Lists, Providers: f.keepers(), Oldest: p.Oldest, Limit: p.Limit}
	if err != nil {
		return q, err
	}
	for _, name := range f.endpoint.Stored.Paging.After {
		if id := f.query(name); id != "" {
			if err := f.findOne(id, name); err != nil {
				return q, err
			}
			if len(f.held) == 0 { // the gateway's own are in no list
				return q, noObject(id, name)
			}
			q.After = &f.held[0]
		}
	}
	return q, nil
}

// keepers names those that keep objects which the client's language can speak of.
func (f *flight) keepers() []string {
	names := []string{}
	for _, of := range f.servingAccounts() {
		names = append(names, f.state.Accounts[of][0].keeper())
	}
	return names
}

// page reads which part of a list the client wants.
func (f *flight) page() (page providers.Page, err error) {
	p := f.endpoint.Stored.Paging
	page.Limit = p.Usual
	if said := f.query(p.Limit); said != "" {
		n, err := strconv.Atoi(said)
		if err != nil || n < 1 {
			return page, providers.Invalid(p.Limit, "Invalid '"+p.Limit+"': it must be a positive integer.")
		}
		page.Limit = min(n, p.Most)
	}
	if p.Order != "" {
		switch f.query(p.Order) {
		case "", "desc":
		case "asc":
			page.Oldest = true
		default:
			return page, providers.Invalid(p.Order, "Invalid '"+p.Order+"': it must be 'asc' or 'desc'.")
		}
	}
	for _, name := range p.Refused {
		if f.query(name) != "" {
			return page, providers.Invalid(name, "Lists of the gateway are read forwards only: use '"+p.After[0]+"'.")
		}
	}
	return page, nil
}

func (f *flight) readPage(q storage.ObjectQuery) ([]storage.Object, error) {
	ctx, cancel := context.WithTimeout(context.Background(), objectWait)
	defer cancel()
	found, err := f.g.objects.store.ListObjects(ctx, q)
	if err != nil {
		return nil, objectTrouble(err)
	}
	return found, nil
}

// fits holds an object against the filters of the client's query.
func (f *flight) fits(body []byte) bool {
	for _, filter := range f.endpoint.Stored.Paging.Filters {
		wanted := f.fc.QueryArgs().PeekMulti(filter[0])
		has := gjson.GetBytes(body, filter[1]).String()
		if len(wanted) > 0 && !slices.ContainsFunc(wanted, func(one []byte) bool { return string(one) == has }) {
			return false
		}
	}
	return true
}

// showAll asks for objects, some at a time, each at its account. One that is not there, or not
// for this key, is nil.
func (f *flight) showAll(all []storage.Object) ([][]byte, error) {
	shown := make([][]byte, len(all))
	errs := make([]error, len(all))
	group := &asking{under: map[Exchange]struct{}{}}
	if err := f.own(group); err != nil {
		return nil, f.broken(err)
	}
	defer f.disown()
	var wg sync.WaitGroup
	free := make(chan struct{}, askAtOnce)
	for i := range all {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			shown[i], errs[i] = f.show(group, &all[i])
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, f.broken(err)
		}
	}
	return shown, nil
}

func (f *flight) show(group *asking, o *storage.Object) ([]byte, error) {
	account := f.state.keeping(o)
	if account == nil || account.NeedsKey || !f.maySee(account) {
		return nil, nil
	}
	route, ok := f.storedRoute(account)
	if !ok {
		return nil, nil
	}
	path := route.Path + f.endpoint.Stored.Path + "/" + url.PathEscape(strings.TrimPrefix(o.ID, f.endpoint.Stored.Prefix))
	status, body, err := group.ask(account, &route, path, f.g.options.Limits.MaxReply)
	switch {
	case err != nil:
		return nil, err
	case status == http.StatusNotFound:
		return nil, f.g.objects.release(*o)
	case status < 200 || status > 299 || !isObject(body):
		return nil, &providers.Fault{Kind: providers.FaultUpstream, Retryable: true, Message: "A provider could not show one of the objects of the list.",
			Cause: fmt.Errorf("%s %s: status %d", account.keeper(), path, status)}
	}
	if len(f.endpoint.Stored.Makes) > 0 {
		if err := f.claim(f.made(account, body), body); err != nil {
			return nil, err
		}
	}
	return body, nil
}
