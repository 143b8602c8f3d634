package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds the start of a server on a machine that is busy with other tests.
const patience = 60 * time.Second

// errMissing is a server's program that is neither here nor to be had.
var errMissing = errors.New("not installed")

// server is a throw-away server of this test process, or one that the environment names.
type server struct {
	url    string
	folder string    // "" where the server is not ours
	stop   io.Closer // closing it, as the kernel does when this process ends, stops the server
	ended  chan struct{}
}

// supervise runs the server that its arguments name, until its standard input ends; then the
// server and its folder go. The other end of that pipe is the test binary's, so nothing is left
// behind however it ends, kill -9 included. The folder of a server that ends by itself stays,
// for its log.
const supervise = `PATH=$PATH:/usr/bin:/bin; folder=$1; shift
exec 3<&0
"$@" >"$folder/log" 2>&1 </dev/null 3<&- & server=$!
{ read -r _ <&3; : >"$folder/stop"; kill -INT $server; } & reader=$!
wait $server
if [ -e "$folder/stop" ]; then rm -rf "$folder"; else kill $reader; exit 1; fi`

// launcher says how a server is started.
type launcher struct {
	prepare func(folder string) error
	program func(folder, port string) []string
	ready   func(port string) error
}

// launch starts the server on a free port, in a folder of its own, and waits until it answers.
// A port may be taken between its choice and its use, so it tries again. The url that it gives
// is only the port.
func (l launcher) launch() (s *server, err error) {
	for range 3 {
		if s, err = l.try(); err == nil {
			return s, nil
		}
	}
	return nil, err
}

func (l launcher) try() (*server, error) {
	folder, err := newFolder()
	if err != nil {
		return nil, err
	}
	if err := l.prepare(folder); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	port, err := freePort()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	s, err := l.run(folder, port)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return s, nil
}

// run starts the server in a folder that is prepared, and waits until it answers.
func (l launcher) run(folder, port string) (*server, error) {
	program := l.program(folder, port)
	cmd := unprivileged("/bin/sh", append([]string{"-c", supervise, "supervise", folder}, program...)...)
	stop, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", program[0], err)
	}
	ended := make(chan struct{})
	go func() { // ends with the server
		_ = cmd.Wait()
		close(ended)
	}()
	if err := await(ended, func() error { return l.ready(port) }); err != nil {
		said, _ := os.ReadFile(filepath.Join(folder, "log"))
		_ = stop.Close()
		<-ended
		return nil, fmt.Errorf("%s does not serve: %w; it says: %s", program[0], err, tail(said))
	}
	return &server{url: port, folder: folder, stop: stop, ended: ended}, nil
}

var errEnded = errors.New("it ended")

// await asks until there is no error, for as long as patience and the server last.
func await(ended <-chan struct{}, ready func() error) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-again.C:
		case <-ended:
			return errors.Join(errEnded, err)
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
	}
}

// newFolder makes a folder that the server's user owns and can reach.
func newFolder() (string, error) {
	base := os.TempDir()
	if os.Geteuid() == 0 {
		base = "/tmp" // TMPDIR may lie where only root can go
	}
	folder, err := os.MkdirTemp(base, "aistrale-test-")
	if err != nil {
		return "", fmt.Errorf("folder for a throw-away server: %w", err)
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(folder, nobody, nobody); err != nil {
			return "", errors.Join(err, os.RemoveAll(folder))
		}
	}
	return folder, nil
}

// nobody is the user that servers run as where the tests run as root, which PostgreSQL refuses.
const nobody = 65534

// unprivileged makes a command that runs as nobody where this process is root, and in a session
// of its own, so that an interrupt at the terminal does not kill it before it has tidied up.
func unprivileged(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Dir = "/"
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	return cmd
}

func freePort() (string, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}

// find looks for a program on the PATH and where the globs say, and installs its package where
// that is allowed.
func find(program, pkg string, globs ...string) (string, error) {
	if path := look(program, globs); path != "" {
		return path, nil
	}
	err := install(pkg)
	if path := look(program, globs); path != "" {
		return path, nil
	}
	return "", fmt.Errorf("%s is %w: apt-get install %s (%w)", program, errMissing, pkg, err)
}

func look(program string, globs []string) string {
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	for _, glob := range globs {
		if found, _ := filepath.Glob(filepath.Join(glob, program)); len(found) > 0 {
			return found[len(found)-1]
		}
	}
	return ""
}

var errNotRoot = errors.New("only root may install it")

// install asks apt for a package; the lock makes test binaries take turns.
func install(pkg string) error {
	if os.Geteuid() != 0 {
		return errNotRoot
	}
	apt, err := exec.LookPath("apt-get")
	if err != nil {
		return err
	}
	lock, err := os.OpenFile(filepath.Join(os.TempDir(), "aistrale-apt.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	for _, args := range [][]string{{"update", "-q"}, {"install", "-q", "-y", "--no-install-recommends", pkg}} {
		cmd := exec.CommandContext(context.Background(), apt, args...)
		// At run level 1 the package's own service is not started.
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w: %s", args[0], err, tail(out))
		}
	}
	return nil
}

// give fails the test, or skips it where a server's program is missing and may be.
func give(t testing.TB, s *server, err error) *server {
	t.Helper()
	if err == nil {
		return s
	}
	if errors.Is(err, errMissing) && os.Getenv("CI") != "true" {
		t.Skip(strings.SplitN(err.Error(), "\n", 2)[0])
	}
	t.Fatal(err)
	return nil
}

// tail gives the end of what a program said, where the reason mostly stands.
func tail(said []byte) []byte {
	const most = 600
	said = bytes.TrimSpace(said)
	return said[max(0, len(said)-most):]
}
