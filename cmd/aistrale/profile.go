package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// profiles are the gateways that a person has signed in to, as their file has them.
type profiles struct {
	path string
	// Current is the one that commands take which name none.
	Current string             `yaml:"current"`
	Named   map[string]profile `yaml:"profiles"`
}

type profile struct {
	URL     string `yaml:"url"`
	Token   string `yaml:"token"`
	TokenID string `yaml:"token_id,omitempty"` // where login made the token, and logout ends it
}

const defaultProfile = "default"

// profilesPath is $XDG_CONFIG_HOME/aistrale/config.yaml, or that under ~/.config; "" without a home.
func profilesPath(getenv func(string) string) string {
	base := getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(base) { // as the specification wants it
		home := getenv("HOME")
		if home == "" {
			return ""
		}
		base = filepath.Join(home, ".config")
	}
	return filepath.Join(base, "aistrale", "config.yaml")
}

// loadProfiles reads the file, where there is one. One that others may read is refused: its tokens
// are not secret any more.
func loadProfiles(getenv func(string) string) (*profiles, error) {
	p := &profiles{path: profilesPath(getenv), Named: map[string]profile{}}
	if p.path == "" {
		return p, nil
	}
	file, err := os.Open(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	about, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if mode := about.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s has mode %04o, so that others may read the tokens in it; chmod 600 it, and make new tokens if anybody did", p.path, mode)
	}
	decoder := yaml.NewDecoder(file)
	decoder.KnownFields(true)
	if err := decoder.Decode(p); err != nil {
		// The decoder's error may repeat a line, and with it a token.
		return nil, fmt.Errorf("%s is no list of profiles as aistrale login writes it; log in again once it is out of the way", p.path)
	}
	return p, nil
}

// named gives a profile; "" is the current one, which there may not be.
func (p *profiles) named(name string) (profile, error) {
	if name == "" {
		return p.Named[p.Current], nil
	}
	found, ok := p.Named[name]
	if !ok {
		return profile{}, fmt.Errorf("there is no profile %q in %s; aistrale login --profile %s makes it", name, p.path, name)
	}
	return found, nil
}

// save writes the file anew, for its owner alone, whole or not at all.
func (p *profiles) save() error {
	if p.path == "" {
		return errors.New("neither XDG_CONFIG_HOME nor HOME is set, so there is no place for profiles")
	}
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := encoder.Encode(p); err != nil {
		return err
	}
	dir := filepath.Dir(p.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, ".config-*") // of mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // what has been renamed is not there
	_, err = file.Write(text.Bytes())
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), p.path)
}
