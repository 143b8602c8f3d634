package sqlite

import (
	"context"
	"database/sql"
	"sync"
)

// keptStatements bounds the statements that are kept: those that change with what is asked for
// would be without end.
const keptStatements = 64

// prepared is a database that keeps what it was asked. SQLite takes several times as long to read
// a short question as to answer it, and some are asked twice a second for as long as a gateway
// runs; on one core requests wait meanwhile.
type prepared struct {
	*sql.DB
	mu   sync.Mutex
	kept map[string]*sql.Stmt
}

// QueryContext is that of sql.DB.
func (p *prepared) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := p.statement(ctx, query) //nolint:sqlclosecheck // it is kept
	if err != nil {
		return nil, err
	}
	if s == nil {
		return p.DB.QueryContext(ctx, query, args...)
	}
	return s.QueryContext(ctx, args...)
}

// QueryRowContext is that of sql.DB.
func (p *prepared) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	s, err := p.statement(ctx, query) //nolint:sqlclosecheck // it is kept
	if err != nil || s == nil {
		return p.DB.QueryRowContext(ctx, query, args...) // which can tell the error
	}
	return s.QueryRowContext(ctx, args...)
}

// statement gives the kept statement, or nil where there is no room for another.
func (p *prepared) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	p.mu.Lock()
	s, full := p.kept[query], len(p.kept) >= keptStatements
	p.mu.Unlock()
	if s != nil || full {
		return s, nil
	}
	made, err := p.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if s = p.kept[query]; s != nil || len(p.kept) >= keptStatements { // others asked meanwhile
		return s, made.Close() //nolint:sqlclosecheck // the one of two that is not kept
	}
	p.kept[query] = made
	return made, nil
}
