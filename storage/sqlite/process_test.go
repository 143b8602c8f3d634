package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// childPath is where TestChild finds the file, when it is run as the other process.
const childPath = "AISTRALE_TEST_CHILD_STORE"

const childKeys = 50

// TestChild is the other process of TestTwoProcesses.
func TestChild(t *testing.T) {
	path := os.Getenv(childPath)
	if path == "" {
		t.Skip("only run by TestTwoProcesses")
	}
	s := open(t, path)
	fmt.Println("open")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	addKeys(t, s, "child")
	fmt.Println("done")
}

func addKeys(t *testing.T, s *Store, who string) {
	t.Helper()
	for i := range childKeys {
		k, _ := storage.NewKey(fmt.Sprintf("%s-%d", who, i), time.Now())
		if err := s.AddKey(t.Context(), k); err != nil {
			t.Error(err)
			return
		}
	}
}

func TestTwoProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", FileName)
	s := open(t, path)
	child := startChild(t, path)
	child.expect(t, "open")
	before, err := s.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	child.say(t)
	addKeys(t, s, "parent") // both write at once
	child.expect(t, "done")
	middle, err := s.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if middle == before {
		t.Error("the version did not change by the writes of two processes")
	}
	keys, err := s.Keys(t.Context())
	if err != nil || len(keys) != 2*childKeys {
		t.Fatalf("%d keys, want %d; error %v", len(keys), 2*childKeys, err)
	}

	// And by the other process's write alone, which is what a server sees of `key create`.
	second := startChild(t, path)
	second.expect(t, "open")
	if _, err := s.RevokeKey(t.Context(), storage.DefaultWorkspace, "no-such-key", time.Now()); err == nil {
		t.Fatal("a key that is not there was revoked")
	}
	idle, err := s.Version(t.Context())
	if err != nil || idle != middle {
		t.Fatalf("the version went from %d to %d without a write, error %v", middle, idle, err)
	}
	for i := range childKeys { // make room for the child's names
		if _, err := s.RevokeKey(t.Context(), storage.DefaultWorkspace, fmt.Sprintf("child-%d", i), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	ready, err := s.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second.say(t)
	second.expect(t, "done")
	after, err := s.Version(t.Context())
	if err != nil || after == ready {
		t.Fatalf("the version stayed %d after another process wrote, error %v", after, err)
	}
}

// child is this test binary as another process.
type child struct {
	in  io.WriteCloser
	out *bufio.Scanner
}

func startChild(t *testing.T, path string) *child {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), os.Args[0], "-test.run=^TestChild$", "-test.v")
	cmd.Env = append(os.Environ(), childPath+"="+path)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{in, bufio.NewScanner(out)}
	t.Cleanup(func() {
		_ = in.Close()
		var rest []string
		for c.out.Scan() {
			rest = append(rest, c.out.Text())
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("the other process: %v\n%s", err, strings.Join(rest, "\n"))
		}
	})
	return c
}

func (c *child) say(t *testing.T) {
	t.Helper()
	if _, err := io.WriteString(c.in, "go\n"); err != nil {
		t.Fatal(err)
	}
}

func (c *child) expect(t *testing.T, want string) {
	t.Helper()
	for c.out.Scan() {
		if c.out.Text() == want {
			return
		}
	}
	t.Fatalf("the other process ended before it said %q", want)
}
