//go:build linux

package main

import (
	"embed"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
)

// peer is another gateway, measured beside this one on the works of OpenAI's language.
type peer struct {
	Name    string            `json:"name"`
	Install []string          `json:"install"` // run once before it starts; {dir} as below
	Command []string          `json:"command"` // {host}, {port}: where it is to listen; {upstream}: the mock's host:port; {dir}: a folder of its own
	Files   map[string]string `json:"files"`   // written into that folder before it starts
	Prefix  string            `json:"prefix"`  // before /chat/completions
	Health  string            `json:"health"`  // a path that answers when it serves
	Headers map[string]string `json:"headers"`
	Model   string            `json:"model"` // as it names the mock's gpt
}

// known are the peers that are named without a file of the caller's own.
//
//go:embed peers/*.json
var known embed.FS

// readPeers takes names of known peers and files, comma-separated.
func readPeers(names string) ([]peer, error) {
	var all []peer
	for _, name := range strings.FieldsFunc(names, func(c rune) bool { return c == ',' }) {
		b, err := known.ReadFile("peers/" + name + ".json")
		if err != nil {
			if b, err = os.ReadFile(name); err != nil {
				return nil, fmt.Errorf("peer %s is neither known nor a file: %w", name, err)
			}
		}
		var some []peer
		if err := json.Unmarshal(b, &some); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, some...)
	}
	return all, nil
}

func (r *rig) startPeer(p *peer, mock *target) error {
	t := &target{addr: free(), prefix: p.Prefix, peer: p}
	folder, err := os.MkdirTemp(r.dir, p.Name)
	if err != nil {
		return err
	}
	host, port, _ := net.SplitHostPort(t.addr)
	fill := strings.NewReplacer("{host}", host, "{port}", port, "{upstream}", mock.addr, "{dir}", folder).Replace
	for name, text := range p.Files {
		if err := os.WriteFile(folder+"/"+name, []byte(fill(text)), 0o600); err != nil {
			return err
		}
	}
	filled := *p
	filled.Headers = map[string]string{}
	for name, value := range p.Headers {
		filled.Headers[name] = fill(value)
	}
	t.peer = &filled
	if err := p.install(fill); err != nil {
		return err
	}
	args := filledWords(p.Command, fill)
	path, err := exec.LookPath(args[0])
	if err != nil {
		return fmt.Errorf("peer %s: %w", p.Name, err)
	}
	return r.add(t, p.Name, path, args[1:]...)
}

func (p *peer) install(fill func(string) string) error {
	if len(p.Install) == 0 {
		return nil
	}
	args := filledWords(p.Install, fill)
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil { //nolint:gosec // a command of the caller's choice
		return fmt.Errorf("install %s: %w: %s", p.Name, err, out)
	}
	return nil
}

func filledWords(words []string, fill func(string) string) []string {
	out := make([]string, len(words))
	for i, word := range words {
		out[i] = fill(word)
	}
	return out
}

// health is the path that tells whether a target serves.
func (t *target) health() string {
	if t.peer != nil && t.peer.Health != "" {
		return t.peer.Health
	}
	return "/healthz"
}
