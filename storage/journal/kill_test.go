package journal

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/storage"
)

// childDir names the folder in which this test binary is to live a life that ends in a kill.
const childDir = "AISTRALE_JOURNAL_CHILD"

const childWorkers = 6

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(child(dir))
	}
	os.Exit(m.Run())
}

// child appends for as long as it lives, and says of each record that it is kept. It ships, too,
// to a file.
func child(dir string) int {
	j, err := Open(Options{Dir: filepath.Join(dir, "journal"), Wait: time.Millisecond, bytes: 64 << 10})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	go func() { _ = j.Ship(context.Background(), fileLedger(filepath.Join(dir, "ledger"))) }()
	var wg sync.WaitGroup
	for range childWorkers {
		wg.Go(func() {
			var behind []uuid.UUID
			for {
				id := newID()
				behind = append(behind, id)
				if j.Append(opened(id)) != nil || say('o', id) != nil {
					return
				}
				if len(behind) < 4 {
					continue
				}
				id, behind = behind[0], behind[1:]
				if j.Append(settled(id)) != nil || say('s', id) != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return 0
}

func say(what byte, id uuid.UUID) error {
	_, err := fmt.Fprintf(os.Stdout, "%c %s\n", what, id)
	return err
}

// fileLedger appends a batch to a file in one write. A kill may end that between two pages: so each
// row says that it ends, and each batch begins with a line of its own.
type fileLedger string

func (f fileLedger) Write(_ context.Context, entries []storage.Entry) error {
	b := strings.Builder{}
	b.WriteByte('\n')
	for i := range entries {
		fmt.Fprintf(&b, "%d %s %d .\n", entries[i].State, entries[i].RequestID, entries[i].CostNano)
	}
	return appendLine(string(f), []byte(b.String()))
}

// No record whose Append returned is lost by kill -9, none is invented, and what was open is
// marked.
func TestKill(t *testing.T) {
	rounds := 3
	if os.Getenv("AISTRALE_PROVE") != "" {
		rounds = 50
	}
	for range rounds {
		killed(t)
	}
}

func killed(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said, count, last := map[uuid.UUID]byte{}, 0, 200+rand.IntN(20_000)
	for in := bufio.NewReader(pipe); ; count++ {
		if count == last {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		line, err := in.ReadString('\n')
		if err != nil {
			if err != io.EOF {
				t.Fatal(err)
			}
			break
		}
		id := uuid.MustParse(strings.TrimSpace(line[2:]))
		said[id] = max(said[id], line[0]) // 's' is after 'o'
	}
	_ = cmd.Wait()
	ledger := fileLedger(filepath.Join(dir, "ledger"))
	if _, err := Adopt(t.Context(), filepath.Join(dir, "journal"), ledger, nil); err != nil {
		t.Fatal(err)
	}
	if left := folders(t, filepath.Join(dir, "journal")); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	compare(t, said, readLedger(t, string(ledger)))
}

// readLedger gives the state of each row; of a row that was written twice, as a real ledger
// does, that of the first.
func readLedger(t *testing.T, path string) map[uuid.UUID]storage.EntryState {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[uuid.UUID]storage.EntryState{}
	for line := range strings.Lines(string(b)) {
		if !strings.HasSuffix(line, " .\n") {
			continue
		}
		var state storage.EntryState
		var id string
		var cost int64
		if _, err := fmt.Sscanf(line, "%d %s %d", &state, &id, &cost); err != nil {
			t.Fatal(err)
		}
		if state == storage.EntrySettled && cost != 103_000 {
			t.Errorf("a row that nobody wrote: %s", line)
		}
		if _, ok := rows[uuid.MustParse(id)]; !ok {
			rows[uuid.MustParse(id)] = state
		}
	}
	return rows
}

func compare(t *testing.T, said map[uuid.UUID]byte, rows map[uuid.UUID]storage.EntryState) {
	t.Helper()
	for id, what := range said {
		state := rows[id]
		if state == 0 || what == 's' && state != storage.EntrySettled {
			t.Errorf("%s was said to be kept as %c, the ledger has %d", id, what, state)
		}
	}
	unsaid := 0 // kept, but the kill came before it was said: at most what was under way
	for id := range rows {
		if said[id] == 0 {
			unsaid++
		}
	}
	if unsaid > childWorkers {
		t.Errorf("%d rows that nobody knows", unsaid)
	}
}
