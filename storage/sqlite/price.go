package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/storage"
)

// Prices gives every price that was added, superseded ones too: by the date they hold from,
// those of one date in the order they were added.
func (s *Store) Prices(ctx context.Context) ([]storage.Price, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT body FROM prices ORDER BY effective_from, seq`)
	if err != nil {
		return nil, fmt.Errorf("prices: %w", err)
	}
	prices, err := gather(rows, scanPrice)
	if err != nil {
		return nil, fmt.Errorf("prices: %w", err)
	}
	return prices, nil
}

// AddPrices adds prices, all or none. One whose id is there already is left as it is: equal ids
// are equal prices.
func (s *Store) AddPrices(ctx context.Context, prices []storage.Price) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		for i := range prices {
			p := &prices[i]
			if p.ID == "" || p.Provider == "" || p.Model == "" {
				return fmt.Errorf("price %q of %q at %q: it wants an id, a model and a provider", p.ID, p.Model, p.Provider)
			}
			body, err := json.Marshal(p, json.Deterministic(true), json.FormatNilMapAsNull(true), json.FormatNilSliceAsNull(true))
			if err != nil {
				return named("price", p.ID, err)
			}
			_, err = tx.ExecContext(ctx, `INSERT INTO prices (id, provider, model, effective_from, body, source, created_at)
				VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
				p.ID, p.Provider, p.Model, p.From.UnixMicro(), string(body), p.Source, time.Now().UnixMicro())
			if err != nil {
				return named("price", p.ID, err)
			}
		}
		return nil
	})
}

func scanPrice(row scanner) (storage.Price, error) {
	var p storage.Price
	var body string
	if err := row.Scan(&body); err != nil {
		return p, err
	}
	err := json.Unmarshal([]byte(body), &p)
	return p, err
}
