package admin

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/auditlog"
)

// AuditRecord is a record of the audit log as the API shows one.
type AuditRecord struct {
	Seq       int64                `json:"seq"`
	Hash      string               `json:"hash" doc:"SHA-256 over the record and the one before, in hex"`
	At        time.Time            `json:"at"`
	Actor     string               `json:"actor"`
	Via       string               `json:"via,omitempty"`
	Action    string               `json:"action"`
	Target    string               `json:"target,omitempty"`
	Workspace string               `json:"workspace,omitempty"`
	Outcome   storage.AuditOutcome `json:"outcome" enum:"done,denied,failed"`
	Reason    string               `json:"reason,omitempty"`
	Before    Object               `json:"before,omitempty"`
	After     Object               `json:"after,omitempty"`
	RequestID string               `json:"request_id,omitempty"`
	Address   string               `json:"address,omitempty"`
}

type auditQuery struct {
	Page
	Workspace string    `query:"in_workspace" maxLength:"128"`
	From      time.Time `query:"from"`
	To        time.Time `query:"to"`
	Actor     string    `query:"actor" maxLength:"256" doc:"user/ada@example.com; a * at its end stands for all that begin so"`
	Action    string    `query:"action" maxLength:"64" doc:"keys.create, keys.*"`
	Target    string    `query:"target" maxLength:"256" doc:"key/abcd2345, key/*"`
	Outcome   string    `query:"outcome" enum:"done,denied,failed"`
}

func (a *api) listAudit(ctx context.Context, in *auditQuery) (*listed[AuditRecord], error) {
	before, err := in.after()
	if err != nil {
		return nil, err
	}
	q := storage.AuditQuery{
		Workspace: in.Workspace, From: in.From, To: in.To, Actor: in.Actor, Action: in.Action, Target: in.Target,
		Outcome: storage.AuditOutcome(in.Outcome), Limit: in.Limit + 1,
	}
	if before != "" {
		if q.After, err = strconv.ParseInt(before, 10, 64); err != nil {
			return nil, huma.Error400BadRequest("cursor: it is none that a list gave")
		}
	}
	found, err := a.Store.AuditLog(ctx, q)
	if err != nil {
		return nil, err
	}
	shown := make([]AuditRecord, 0, len(found))
	for i := range found {
		one, err := showAudit(&found[i])
		if err != nil {
			return nil, err
		}
		shown = append(shown, one)
	}
	return listOf(in.Page, shown, func(r AuditRecord) string { return strconv.FormatInt(r.Seq, 10) }, func(r AuditRecord) AuditRecord { return r }), nil
}

func showAudit(r *storage.AuditRecord) (AuditRecord, error) {
	e, err := storage.DecodeAuditEvent(r.Body)
	return AuditRecord{
		Seq: r.Seq, Hash: hexOf(r.Hash), At: e.At, Actor: e.Actor, Via: e.Via, Action: e.Action, Target: e.Target,
		Workspace: e.Workspace, Outcome: e.Outcome, Reason: e.Reason, Before: Object(e.Before), After: Object(e.After),
		RequestID: e.RequestID, Address: e.Address,
	}, err
}

type auditExport struct {
	After int64 `query:"after" minimum:"0" doc:"Records behind this one; none: from the first"`
}

// exportPart is how many records are read from the store at once.
const exportPart = 1000

// exportAudit streams the log from the first record on, and then every checkpoint.
func (a *api) exportAudit(ctx context.Context, in *auditExport) (*huma.StreamResponse, error) {
	if _, err := a.Auditor.chain(ctx); err != nil {
		return nil, err
	}
	c := change{action: policy.AuditRead, target: "audit/export"}
	if err := a.apply(ctx, &c, func(context.Context) error { return nil }); err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(h huma.Context) {
		h.SetHeader("content-type", "application/jsonl")
		h.SetHeader("content-disposition", `attachment; filename="audit.jsonl"`)
		if err := a.writeAudit(h.Context(), in.After, h.BodyWriter().Write); err != nil {
			a.Log.Error("control plane: an export of the audit log broke off", "request_id", requestOf(ctx).id, "error", err.Error())
			panic(errBrokenOff) // the client must not take a part for the whole
		}
	}}, nil
}

func (a *api) writeAudit(ctx context.Context, after int64, write func([]byte) (int, error)) error {
	var text []byte
	for {
		part, err := a.Store.AuditLog(ctx, storage.AuditQuery{After: after, Oldest: true, Limit: exportPart})
		if err != nil {
			return err
		}
		text = text[:0]
		for i := range part {
			text = auditlog.AppendRecord(text, &part[i])
			after = part[i].Seq
		}
		if _, err := write(text); err != nil {
			return err
		}
		if len(part) < exportPart {
			break
		}
	}
	notes, err := a.Auditor.checkpoints.list(ctx, storage.DocumentQuery{})
	if err != nil {
		return err
	}
	text = text[:0]
	for i := len(notes) - 1; i >= 0; i-- {
		seq, err := checkpointSeq(notes[i].ID)
		if err != nil {
			return err
		}
		if seq > after { // it was made since, of records that are not in this export
			continue
		}
		if text, err = auditlog.AppendCheckpoint(text, notes[i].Noun.Note); err != nil {
			return err
		}
	}
	_, err = write(text)
	return err
}

// Checkpoint is a signed statement of how far the log went.
type Checkpoint struct {
	Seq       int64     `json:"seq"`
	Note      string    `json:"note" doc:"A signed note, https://c2sp.org/signed-note"`
	CreatedAt time.Time `json:"created_at"`
}

func showCheckpoint(k kept[checkpoint]) Checkpoint {
	seq, _ := checkpointSeq(k.ID) // as it was written
	return Checkpoint{Seq: seq, Note: string(k.Noun.Note), CreatedAt: k.CreatedAt}
}

func (a *api) listCheckpoints(ctx context.Context, in *Page) (*listed[Checkpoint], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	found, err := a.Auditor.checkpoints.list(ctx, storage.DocumentQuery{After: after, Limit: in.Limit + 1})
	if err != nil {
		return nil, err
	}
	return listOf(*in, found, func(k kept[checkpoint]) string { return k.ID }, showCheckpoint), nil
}

// makeCheckpoint makes one of the log as it stands; where there is one of that, it is the answer.
func (a *api) makeCheckpoint(ctx context.Context, _ *struct{}) (*one[Checkpoint], error) {
	k, err := a.Auditor.checkpoint(ctx)
	if errors.Is(err, storage.ErrExists) {
		k, err = a.Auditor.checkpoints.get(ctx, "", k.ID)
	}
	if err != nil {
		return nil, err
	}
	return &one[Checkpoint]{Body: showCheckpoint(k)}, nil
}

// AuditKey verifies checkpoints.
type AuditKey struct {
	Origin string `json:"origin"`
	Key    string `json:"key" doc:"Ed25519, in the form of https://c2sp.org/signed-note"`
}

func (a *api) auditKey(ctx context.Context, _ *struct{}) (*one[AuditKey], error) {
	k, err := a.Auditor.key(ctx)
	if err != nil {
		return nil, err
	}
	return &one[AuditKey]{Body: AuditKey{k.Noun.Origin, k.Noun.Verifying}}, nil
}
