//go:build linux

package main

import (
	"os"
	"path/filepath"
	"testing"
)

// Peers are known by name, or said by a file; what is neither says so.
func TestReadPeers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "other.json")
	if err := os.WriteFile(file, []byte(`[{"name":"other","command":["other"]}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	peers, err := readPeers("portkey," + file)
	if err != nil || len(peers) != 2 || peers[0].Name != "portkey" || peers[1].Name != "other" {
		t.Errorf("readPeers() = %+v, %v", peers, err)
	}
	if peers, err := readPeers(""); err != nil || len(peers) != 0 {
		t.Errorf("readPeers of none = %+v, %v", peers, err)
	}
	if _, err := readPeers("nobody"); err == nil {
		t.Error("a peer that nobody knows is taken")
	}
}
