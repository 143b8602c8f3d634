package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/jackc/pgx/v5"

	"github.com/aistrale/aistrale/storage"
)

// Prices gives every price that was added, superseded ones too: by the date they hold from,
// those of one date in the order they were added.
func (s *Store) Prices(ctx context.Context) ([]storage.Price, error) {
	prices, err := all(ctx, s, `SELECT body FROM prices ORDER BY effective_from, seq`,
		func(row pgx.CollectableRow) (storage.Price, error) {
			var p storage.Price
			var body string
			if err := row.Scan(&body); err != nil {
				return p, err
			}
			return p, json.Unmarshal([]byte(body), &p)
		})
	if err != nil {
		return nil, fmt.Errorf("prices: %w", err)
	}
	return prices, nil
}

// AddPrices adds prices, all or none. One whose id is there already is left as it is: equal ids
// are equal prices.
func (s *Store) AddPrices(ctx context.Context, prices []storage.Price) error {
	if len(prices) == 0 {
		return nil
	}
	return s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		for i := range prices {
			if err := addPrice(ctx, tx, &prices[i]); err != nil {
				return named("price", prices[i].ID, err)
			}
		}
		return nil
	})
}

func addPrice(ctx context.Context, tx pgx.Tx, p *storage.Price) error {
	if p.ID == "" || p.Provider == "" || p.Model == "" {
		return fmt.Errorf("of %q at %q: it wants an id, a model and a provider", p.Model, p.Provider)
	}
	body, err := json.Marshal(p, json.Deterministic(true), json.FormatNilMapAsNull(true), json.FormatNilSliceAsNull(true))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO prices (id, provider, model, effective_from, body, source, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING`,
		p.ID, p.Provider, p.Model, p.From, string(body), p.Source, time.Now())
	return err
}
