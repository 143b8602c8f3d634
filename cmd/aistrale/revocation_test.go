package main_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/postgres"
	"github.com/aistrale/aistrale/storage/storagetest"
)

// promised is how soon every node refuses a key that was revoked on one.
const promised = time.Second

// A key that is revoked is refused on every node within a second: where the nodes are told, and
// where that is lost and they have to look. It runs with no other test beside it, as it is a promise
// in time of what the machine may be busy for.
func TestRevocation(t *testing.T) {
	address, redis := storagetest.Postgres(t), storagetest.Redis(t)
	s, err := postgres.Open(t.Context(), postgres.Options{URL: storage.NewSecret(address)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	token, root := storage.NewAdminToken("root", time.Now())
	if err := s.AddAdminToken(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	nodes := make([]*program, 2)
	var starting sync.WaitGroup
	for i := range nodes {
		starting.Go(func() {
			p := newPlace(t)
			nodes[i] = p.serve(t, fmt.Sprintf("listen: '127.0.0.1:0'\nadmin_listen: '127.0.0.1:0'\ndata_dir: %s\nnode: n%d\nproviders: [{name: mock}]\nstorage: {postgres: %q, redis: %q}\n",
				filepath.Join(p.dir, "data"), i, address, redis))
		})
	}
	starting.Wait()
	for _, g := range nodes {
		eventually(t, "both servers tell of changes", func() bool {
			return strings.Count(g.metrics(t), "aistrale_store_line_up{line=") == 2 && !strings.Contains(g.metrics(t), `_line_up{line="postgres"} 0`) && !strings.Contains(g.metrics(t), `_line_up{line="redis"} 0`)
		})
	}
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for name, revoke := range map[string]func(id string){
		"told": func(id string) { nodes[0].asksAdmin(t, root.Reveal(), http.MethodDelete, "/keys/"+id, "") },
		// Nobody tells of what the database's own shell does.
		"lost": func(id string) {
			if _, err := conn.Exec(t.Context(), `UPDATE aistrale.keys SET revoked_at = now() WHERE id = $1`, id); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range 5 {
				key := nodes[0].asksAdmin(t, root.Reveal(), http.MethodPost, "/keys", fmt.Sprintf(`{"name":"%s-%d"}`, name, i))
				for _, g := range nodes {
					g.turns(t, key.Get("key").Str, "mock/gpt", http.StatusOK)
				}
				revoke(key.Get("id").Str)
				began := time.Now()
				for n, g := range nodes {
					g.turns(t, key.Get("key").Str, "mock/gpt", http.StatusUnauthorized)
					took := time.Since(began)
					t.Logf("node %d refuses after %s", n, took)
					if took > promised {
						t.Errorf("node %d refuses after %s, promised is %s", n, took, promised)
					}
				}
			}
		})
	}
	if !regexp.MustCompile(`aistrale_store_changes_total\{how="told"\} [1-9]`).MatchString(nodes[1].metrics(t)) {
		t.Errorf("the other node was told of nothing:\n%s", nodes[1].metrics(t))
	}
	for _, series := range []string{
		`aistrale_store_up{store="postgres"} 1`, `aistrale_store_up{store="redis"} 1`, `aistrale_store_line_up{line="postgres"} 1`, `aistrale_store_line_up{line="redis"} 1`,
		`aistrale_store_connections_limit{pool="nouns",store="postgres"} 3`, `aistrale_store_connections_limit{pool="writer",store="postgres"} 4`, `aistrale_store_connections_limit{pool="queries",store="postgres"} 4`,
		`aistrale_store_pool_waits_total{pool="counters",store="redis"} 0`, `aistrale_store_pool_waits_total{pool="bell",store="redis"} 0`,
	} {
		eventually(t, series, func() bool { return strings.Contains(nodes[1].metrics(t), series+"\n") })
	}
}

// metrics are those of a running program.
func (g *program) metrics(t *testing.T) string {
	t.Helper()
	_, body := get(t, g.admin+"/metrics")
	return body
}
