package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// defaultSchema keeps our tables apart from those of other programs in the same database.
const defaultSchema = "aistrale"

// pool is what connections of one purpose may take: one purpose that is stuck must not starve
// another.
type pool struct {
	most      int32
	statement time.Duration // how long one statement may run
	lock      time.Duration // how long it may wait for a lock
}

// The pools of a store: with all of them full a gateway has 11 connections.
var (
	nounsPool   = pool{most: 3, statement: 10 * time.Second, lock: 5 * time.Second}
	writerPool  = pool{most: 4, statement: 30 * time.Second, lock: 10 * time.Second}
	queriesPool = pool{most: 4, statement: 2 * time.Minute, lock: 10 * time.Second}
)

// parse reads the URL. Its error names the setting and never repeats the URL.
func parse(o Options) (config *pgxpool.Config, schema string, err error) {
	u, err := url.Parse(o.URL.Reveal())
	if err != nil { // the parser's own text repeats the URL, which may hold a password
		return nil, "", errors.New("storage.postgres: not a URL")
	}
	if u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, "", errors.New("storage.postgres: the URL does not begin with postgres://")
	}
	config, err = pgxpool.ParseConfig(o.URL.Reveal())
	if err != nil {
		return nil, "", fmt.Errorf("storage.postgres: %s", without(err, u))
	}
	schema = defaultSchema
	if path, ok := config.ConnConfig.RuntimeParams["search_path"]; ok {
		first, _, _ := strings.Cut(path, ",")
		schema = strings.Trim(strings.TrimSpace(first), `"`)
		delete(config.ConnConfig.RuntimeParams, "search_path")
	}
	if schema == "" || strings.ContainsAny(schema, `"$`+"\x00") {
		return nil, "", errors.New("storage.postgres: search_path does not begin with the name of a schema")
	}
	if config.ConnConfig.ConnectTimeout == 0 || !u.Query().Has("connect_timeout") {
		config.ConnConfig.ConnectTimeout = o.ConnectTimeout
		if o.ConnectTimeout == 0 {
			config.ConnConfig.ConnectTimeout = 5 * time.Second
		}
	}
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "aistrale"
	}
	return config, schema, nil
}

// without gives what the driver finds wrong with a URL, or nothing of it where that repeats a
// secret part.
func without(err error, u *url.URL) string {
	said := err.Error()
	if _, after, ok := strings.Cut(said, "`: "); ok {
		said = after // before that stands the URL
	}
	secrets := append([]string{u.String()}, u.Query()["password"]...)
	secrets = append(secrets, u.Query()["sslpassword"]...)
	if u.User != nil {
		password, _ := u.User.Password()
		_, raw, _ := strings.Cut(u.User.String(), ":")
		secrets = append(secrets, password, raw)
	}
	for _, secret := range secrets {
		if secret != "" && strings.Contains(said, secret) {
			return "the URL has a wrong part"
		}
	}
	return "the URL has a wrong part: " + said
}

// connect prepares the pools. Nothing is dialled yet.
func (s *Store) connect(ctx context.Context, config *pgxpool.Config) error {
	for _, p := range []struct {
		pool
		to **pgxpool.Pool
	}{{nounsPool, &s.nouns}, {writerPool, &s.writer}, {queriesPool, &s.queries}} {
		c := config.Copy()
		c.MaxConns, c.MinConns = p.most, 0
		c.MaxConnIdleTime = 5 * time.Minute
		c.AfterConnect = s.setting(p.pool)
		var err error
		if *p.to, err = pgxpool.NewWithConfig(context.WithoutCancel(ctx), c); err != nil {
			return errors.New("storage.postgres: the pools cannot be made")
		}
	}
	return nil
}

// setting gives what a fresh connection is told. It is told by a statement, because poolers in
// between refuse startup parameters that they do not know.
func (s *Store) setting(p pool) func(context.Context, *pgx.Conn) error {
	text := s.settings(p)
	return func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.PgConn().Exec(ctx, text).ReadAll()
		return err
	}
}

func (s *Store) settings(p pool) string {
	ms := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	return `SET search_path TO ` + pgx.Identifier{s.schema}.Sanitize() +
		`; SET statement_timeout TO ` + ms(p.statement) +
		`; SET lock_timeout TO ` + ms(p.lock) +
		`; SET idle_in_transaction_session_timeout TO 60000` +
		`; SET jit TO off` // compiling the sums of all measures takes longer than summing
}
