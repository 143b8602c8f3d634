package proxy

import (
	"bytes"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// sayProvider tells a client how to choose.
const sayProvider = "say which by the header x-aistrale-provider, or by ?provider= in the URL."

// wantedProvider is the provider that the client names, "" where it leaves that to the gateway.
func (f *flight) wantedProvider() string {
	if name := f.fc.Request.Header.Peek("x-aistrale-provider"); len(name) > 0 {
		return string(name)
	}
	return f.query("provider")
}

// admitStored decides whether the key may make a call about stored objects, and finds those.
func (f *flight) admitStored() error {
	admit := policy.AdmitStored
	if f.mayAsk() {
		admit = policy.AdmitOwn
	}
	if err := admit(f.key, f.endpoint.Op.String()); err != nil {
		return err
	}
	if len(f.doc.Hits) > 0 {
		if err := f.admitStoredFields(); err != nil {
			return err
		}
	}
	if err := f.findHeld(); err != nil {
		return err
	}
	if len(f.heldHere) > 0 && !f.here() {
		return noObject(f.heldHere[0].ID, "") // not to whom this call would go
	}
	if b := f.endpoint.Stored.Batch; b != nil && f.endpoint.Stored.Costs {
		return f.admitBatch()
	}
	if f.endpoint.Stored.Deletes && len(f.held) > 0 && f.held[0].Owed {
		return f.settleFirst(&f.held[0])
	}
	if f.endpoint.Stored.Model != "" {
		return f.admitStoredModel(f.endpoint.Stored.Model)
	}
	return nil
}

// admitStoredModel holds the model that an object is made for against the key. The provider is told
// its own name of it.
func (f *flight) admitStoredModel(field string) error {
	said, _, err := f.doc.String(field)
	if err != nil {
		return err
	}
	account, err := f.keepingAccount()
	if err != nil {
		return err
	}
	resource, name := "", said
	if at := strings.IndexByte(said, '/'); at >= 0 && said[:at] == "models" { // as Google names it
		resource, name = said[:at+1], said[at+1:]
	}
	own := strings.TrimPrefix(name, account.Name+"/")
	if own == "" {
		return providers.Invalid(field, "you must provide a model parameter")
	}
	if err := f.admitOwnModel(account, own, nil); err != nil {
		return err
	}
	if own != name {
		f.rewritten = f.doc.Splice(f.rewritten[:0], providers.Edit{Name: field, Value: providers.AppendString(nil, resource+own)})
		return f.scan(f.rewritten)
	}
	return nil
}

// admitOwnModel holds a model by its provider's name, and the governed fields of a call of it,
// against the key.
func (f *flight) admitOwnModel(account *Account, model string, hits []providers.Hit) error {
	target := policy.Target{Provider: account.Name, Model: model}
	if _, err := f.state.Router.Resolve(target.Name()); err != nil {
		return err
	}
	targets, err := policy.AdmitTargets(f.key, target.Name(), []policy.Target{target})
	if err != nil {
		return err
	}
	return policy.AdmitFields(f.key, hits, targets)
}

// admitStoredFields holds the body's governed fields against the key. That the call is about
// objects was admitted already.
func (f *flight) admitStoredFields() error {
	var others []providers.Hit
	for _, hit := range f.doc.Hits {
		if hit.Rule.Effect != providers.NamesObject || hit.Rule.Shared {
			others = append(others, hit)
		}
	}
	return policy.AdmitFields(f.key, others, nil)
}

// routeStored gives the one account that a call about stored objects goes to: the one that keeps
// what it names, else the one that is to keep what it makes.
func (f *flight) routeStored() ([]target, error) {
	account, err := f.keepingAccount()
	if err != nil {
		return nil, err
	}
	route, ok := f.storedRoute(account)
	if !ok {
		return nil, &providers.Fault{Kind: providers.FaultInvalid, NoRetry: true,
			Message: "The provider \"" + account.keeper() + "\" does not serve " + f.endpoint.Op.String() + " by this path."}
	}
	t := policy.Target{Provider: account.Name}
	f.alias = &policy.Alias{Targets: []policy.Target{t}}
	return append(f.room[:0], target{Target: t, account: account, route: route, lore: f.lore(&t, account)}), nil
}

// storedRoute gives how an account serves the call: what is stored, no language says in another's
// words.
func (f *flight) storedRoute(a *Account) (providers.Route, bool) {
	language := f.endpoint.Face.Language()
	route, ok := a.Route(f.endpoint.Op, language, "")
	return route, ok && route.Language == language
}

func (f *flight) keepingAccount() (*Account, error) {
	if len(f.held) == 0 {
		return f.makingAccount()
	}
	o := &f.held[0]
	account := f.state.keeping(o)
	switch {
	case account == nil:
		return nil, &providers.Fault{Kind: providers.FaultProviderAuth, NoRetry: true,
			Message: "The account that keeps the object '" + clean([]byte(o.ID)) + "' is no longer known to the gateway.",
			Cause:   errForgotten}
	case !f.maySee(account):
		return nil, noObject(o.ID, "")
	}
	return account, nil
}

// keeping finds the account that keeps an object, nil where the configuration has it no more.
func (s *Snapshot) keeping(o *storage.Object) *Account {
	for _, accounts := range [...][]*Account{s.Own[o.Workspace][o.Provider], s.Accounts[o.Provider]} {
		for _, a := range accounts {
			if a.keeps(o) {
				return a
			}
		}
	}
	return nil
}

// maySee reports whether the key, and its workspace's regions, let a call go to an account.
func (f *flight) maySee(a *Account) bool {
	return policy.ReachesProvider(f.key, a.Name) && f.state.Regions.Allow(f.key.Workspace, a.Region)
}

// makingAccount chooses who is to keep what the call makes: the provider that the client names,
// else the workspace's, else the only one that there is. Of its accounts a workspace always has
// the same one, as long as that is there: what it makes can then be used together.
func (f *flight) makingAccount() (*Account, error) {
	name := f.wantedProvider()
	if keeper := f.state.Keepers[f.key.Workspace]; name == "" && f.speaks(keeper) {
		name = keeper
	}
	serving := f.servingAccounts()
	if name == "" { // one without a credential is no choice, unless it is the only one
		able := slices.DeleteFunc(slices.Clone(serving), func(of string) bool { return f.state.accounts(f.key.Workspace, of)[0].NeedsKey })
		if len(able) > 0 {
			serving = able
		}
		if len(serving) == 1 {
			name = serving[0]
		}
	}
	if !slices.Contains(serving, name) {
		return nil, f.noKeeper(name, serving)
	}
	accounts := f.state.accounts(f.key.Workspace, name)
	i := policy.Rendezvous(policy.HashParts(f.key.Workspace), len(accounts), func(i int) (uint64, int) {
		return policy.HashParts(name, accounts[i].Credential), accounts[i].Weight
	})
	return accounts[i], nil
}

// speaks reports whether a provider has anything to say in the client's language.
func (f *flight) speaks(of string) bool {
	language := f.endpoint.Face.Language()
	for _, a := range f.state.Accounts[of] {
		for _, routes := range a.Routes {
			if slices.ContainsFunc(routes, func(r providers.Route) bool { return r.Language == language }) {
				return true
			}
		}
	}
	return false
}

// servingAccounts lists, by name, whose accounts serve the operation to the key.
func (f *flight) servingAccounts() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(f.state.Accounts)) {
		a := f.state.Accounts[name][0]
		if _, ok := f.storedRoute(a); ok && f.maySee(a) {
			names = append(names, name)
		}
	}
	return names
}

func (f *flight) noKeeper(name string, serving []string) error {
	out := &providers.Fault{Kind: providers.FaultInvalid, Param: "provider", NoRetry: true}
	what := f.endpoint.Op.String()
	switch {
	case len(serving) == 0:
		out.Message = "No provider that this key may use serves " + what + "."
	case name != "":
		out.Message = "The provider '" + clean([]byte(name)) + "' does not serve " + what + " to this key; these do: " + strings.Join(serving, ", ") + "."
	default:
		out.Message = "Several providers serve " + what + " (" + strings.Join(serving, ", ") + "); " + sayProvider
	}
	return out
}

// storedPlan is the client's own call, at the account's address.
func (f *flight) storedPlan(t *target) providers.Plan {
	path := t.route.Path + f.endpoint.Stored.Path
	if strings.HasPrefix(f.endpoint.Stored.Path, "//") {
		path = f.endpoint.Stored.Path
	}
	for i, name := range f.vars.names {
		path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(string(f.vars.values[i])))
	}
	if query := f.storedQuery(); query != "" {
		path += map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] + query
	}
	req := providers.UpstreamRequest{Method: f.endpoint.Method, Path: path}
	for _, h := range t.route.Headers {
		if len(f.fc.Request.Header.Peek(h.Name)) == 0 {
			req.Headers = append(req.Headers, h)
		}
	}
	if f.hasBody() {
		req.Body, req.Form = f.doc.Raw, f.form != nil
	}
	return providers.Plan{Requests: []providers.UpstreamRequest{req}}
}

// storedQuery is the client's, without what is said to the gateway.
func (f *flight) storedQuery() string {
	args := f.fc.QueryArgs()
	if !args.Has("provider") {
		return string(args.QueryString())
	}
	values, err := url.ParseQuery(string(args.QueryString()))
	if err != nil {
		return ""
	}
	values.Del("provider")
	return values.Encode()
}

// readStored takes in the body of a call about stored objects, where it has one.
func (f *flight) readStored() error {
	if err := f.readStoredBody(); err != nil {
		return err
	}
	f.received = time.Now()
	if err := f.label(); err != nil {
		return err
	}
	f.rec.Stream = f.query("stream") == "true"
	if f.rec.Stream && !f.endpoint.Stored.Streams {
		return providers.Invalid("stream", "This object cannot be read as a stream.")
	}
	f.call = providers.Call{Op: f.endpoint.Op, Doc: &f.doc, Stream: f.rec.Stream, ID: f.rec.ID, Created: f.start}
	return nil
}

func (f *flight) readStoredBody() error {
	f.doc.Raw, f.doc.Fields, f.doc.Hits = nil, f.doc.Fields[:0], f.doc.Hits[:0]
	if err := f.wants(f.endpoint.Stored.Wants); err != nil {
		return err
	}
	if f.endpoint.Stored.Raw {
		return f.takeRaw()
	}
	if !f.hasBody() {
		f.watchHeaders()
		return nil
	}
	if f.endpoint.Form != nil && isForm(f.fc.Request.Header.ContentType()) {
		return f.readForm()
	}
	if err := f.readBody(); err != nil {
		return err
	}
	f.rec.BytesIn = int64(len(f.body))
	if len(bytes.TrimSpace(f.body)) == 0 {
		f.watchHeaders()
		return nil
	}
	return f.scan(f.body)
}

// hasBody reports whether a call about stored objects says anything in a body.
func (f *flight) hasBody() bool {
	return f.endpoint.Method != http.MethodGet && f.endpoint.Method != http.MethodDelete
}

// wantStored says what a call about stored objects takes: one request. What its provider bills
// for it in its own time no budget can hold.
func (f *flight) wantStored(t *target) {
	l := &f.bill.lease
	l.wanted = policy.Wanted{
		Lease: f.leaseID(), Now: time.Now(), Alive: leaseAlive, Asked: f.endpoint.Op.String(), Target: t.Target, Said: true, Charged: &l.charged,
	}
	if f.endpoint.Stored.Costs {
		l.wanted.Unbounded, l.wanted.Begins = f.endpoint.Op.String(), true
	}
}

// doneAlready reports whether a failed call about stored objects may have been carried out all
// the same: a batch that was begun is not begun again.
func (f *flight) doneAlready(reason policy.Reason) bool {
	return f.endpoint.About() && f.hasBody() && reason != policy.ReasonRateLimited
}

var errForgotten = errors.New("no such account is configured, or its credential has another name now")
