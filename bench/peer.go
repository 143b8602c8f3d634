//go:build linux

package main

import (
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
	Command []string          `json:"command"` // {host}, {port}: where it is to listen; {upstream}: the mock's host:port; {dir}: a folder of its own
	Files   map[string]string `json:"files"`   // written into that folder before it starts
	Prefix  string            `json:"prefix"`  // before /chat/completions
	Health  string            `json:"health"`  // a path that answers when it serves
	Headers map[string]string `json:"headers"`
	Model   string            `json:"model"` // as it names the mock's gpt
}

func readPeers(path string) ([]peer, error) {
	if path == "" {
		return nil, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var peers []peer
	if err := json.Unmarshal(b, &peers); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return peers, nil
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
	args := make([]string, len(p.Command))
	for i, arg := range p.Command {
		args[i] = fill(arg)
	}
	path, err := exec.LookPath(args[0])
	if err != nil {
		return fmt.Errorf("peer %s: %w", p.Name, err)
	}
	return r.add(t, p.Name, path, args[1:]...)
}

// health is the path that tells whether a target serves.
func (t *target) health() string {
	if t.peer != nil && t.peer.Health != "" {
		return t.peer.Health
	}
	return "/healthz"
}
