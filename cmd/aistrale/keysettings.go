package main

import (
	"fmt"
	"os"
	"reflect"
)

// keySettings are the settings of a key for the store, from a file of their own.
type keySettings struct {
	config KeyConfig
	reader *decoder
}

// readKeySettings reads a file with what a key in the configuration has; "" says nothing.
func readKeySettings(path string, env environment) (*keySettings, error) {
	s := &keySettings{reader: &decoder{found: &mistakes{file: path}, places: map[string]place{}, getenv: env.Getenv, readFile: os.ReadFile}}
	if path == "" {
		return s, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--settings: %w", err)
	}
	defer file.Close()
	root, err := parseYAML(file, path)
	if err != nil {
		return nil, fmt.Errorf("--settings: %w", err)
	}
	if root != nil {
		s.reader.decode(root, reflect.ValueOf(&s.config).Elem(), "")
	}
	for _, name := range []string{"name", "key", "expires"} {
		if at, said := s.reader.places[name]; said {
			s.reader.found.add(at, name, "is no setting: the command line says it, or nobody")
		}
	}
	if len(s.reader.found.list) > 0 {
		return nil, s.reader.found
	}
	return s, nil
}

// override takes from what flags say that which the named one says.
func (s *keySettings) override(said *KeyConfig, flag string) {
	switch flag {
	case "models":
		s.config.Models = said.Models
	case "allow":
		s.config.Allow = said.Allow
	case "tags":
		s.config.Tags = said.Tags
	case "project":
		s.config.Project = said.Project
	case "owner":
		s.config.Owner = said.Owner
	}
}
