// Package auditlog says the audit log in the form in which it leaves the gateway, and verifies it
// there: lines of JSON, and checkpoints that are signed. It needs no store.
package auditlog

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/aistrale/aistrale/storage"
)

// Checkpoint says how far a chain went. Whoever holds one outside the gateway can tell later
// whether the chain was cut off below it, or made anew.
type Checkpoint struct {
	Origin string // which installation's: "aistrale/<id>/audit"
	Head   storage.AuditHead
}

// NewKey makes a key that signs checkpoints, and the one that verifies them (Ed25519, in the form
// of https://c2sp.org/signed-note). name is the origin.
func NewKey(name string) (signing storage.Secret, verifying string, err error) {
	signer, verifier, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return storage.Secret{}, "", fmt.Errorf("audit key: %w", err)
	}
	return storage.NewSecret(signer), verifier, nil
}

// Sign gives the checkpoint as a signed note: origin, sequence number and the hash in base64, a
// line each (the lines of https://c2sp.org/tlog-checkpoint, with a chain's head for a tree's).
func (c Checkpoint) Sign(signing storage.Secret) ([]byte, error) {
	signer, err := note.NewSigner(signing.Reveal())
	if err != nil {
		return nil, errors.New("audit key: it is none that signs")
	}
	text := c.Origin + "\n" + strconv.FormatInt(c.Head.Seq, 10) + "\n" + base64.StdEncoding.EncodeToString(c.Head.Hash[:]) + "\n"
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	return signed, nil
}

// Key verifies checkpoints.
type Key struct{ verifier note.Verifier }

// ParseKey reads a verifying key: name+hash+base64.
func ParseKey(text string) (Key, error) {
	v, err := note.NewVerifier(strings.TrimSpace(text))
	if err != nil {
		return Key{}, fmt.Errorf("--key: %w (it looks like aistrale/…/audit+1a2b3c4d+…)", err)
	}
	return Key{v}, nil
}

// Open reads a signed checkpoint and checks its signature.
func (k Key) Open(signed []byte) (Checkpoint, error) {
	n, err := note.Open(signed, note.VerifierList(k.verifier))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: it is not signed by this key: %w", err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 4 {
		return Checkpoint{}, errors.New("checkpoint: it has fewer than three lines")
	}
	c := Checkpoint{Origin: lines[0]}
	if c.Origin != k.verifier.Name() {
		return Checkpoint{}, fmt.Errorf("checkpoint: it is of %q, and the key of %q", c.Origin, k.verifier.Name())
	}
	if c.Head.Seq, err = strconv.ParseInt(lines[1], 10, 64); err != nil || c.Head.Seq < 0 {
		return Checkpoint{}, errors.New("checkpoint: its second line is no sequence number")
	}
	hash, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(hash) != len(c.Head.Hash) {
		return Checkpoint{}, errors.New("checkpoint: its third line is no hash")
	}
	c.Head.Hash = [32]byte(hash)
	return c, nil
}

// Split gives the signed notes of a file that holds many, one behind the other.
func Split(file []byte) [][]byte {
	var notes [][]byte
	var one []string
	signed := false
	for line := range strings.Lines(string(file)) {
		signature := strings.HasPrefix(line, "— ")
		if signed && !signature {
			notes, one, signed = append(notes, []byte(strings.Join(one, ""))), nil, false
		}
		if len(one) == 0 && line == "\n" {
			continue
		}
		one, signed = append(one, line), signature
	}
	if len(one) > 0 {
		notes = append(notes, []byte(strings.Join(one, "")))
	}
	return notes
}
