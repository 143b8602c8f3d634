package main

import (
	"errors"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// envName is the environment variable of a setting: timeouts.first_byte is
// AISTRALE_TIMEOUTS_FIRST_BYTE.
func envName(path string) string {
	return "AISTRALE_" + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

// override puts the environment's settings over those of the file. A single value is taken as
// it stands, with nothing expanded and nothing parsed as YAML; lists and mappings are YAML text.
func (d *decoder) override(into reflect.Value, path string) {
	for i := range into.NumField() {
		name, ok := keyOf(into.Type().Field(i))
		if !ok {
			continue
		}
		child := member(path, name)
		variable := envName(child)
		if text := d.getenv(variable); text != "" {
			d.overrideOne(into.Field(i), child, variable, text)
		}
		if isGroup(into.Field(i).Type()) {
			d.override(into.Field(i), child)
		}
	}
}

func (d *decoder) overrideOne(into reflect.Value, path, variable, text string) {
	sub := &decoder{found: d.found, places: d.places, getenv: d.getenv, readFile: d.readFile, env: variable}
	node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	if isList(into.Type()) || isGroup(into.Type()) || into.Kind() == reflect.Map {
		parsed, err := parseYAML(strings.NewReader(text), variable)
		if err != nil {
			said := strings.TrimPrefix(err.Error(), variable+": ")
			var bad notYAML
			if errors.As(err, &bad) {
				_, said = bad.split()
			}
			d.found.add(place{env: variable}, path, "is not YAML: %s", said)
			return
		}
		if parsed == nil {
			return
		}
		node = parsed
	} else {
		sub.verbatim = true
	}
	for known := range d.places { // what stood there is replaced, and so are its places
		if strings.HasPrefix(known, path+"[") || strings.HasPrefix(known, path+".") {
			delete(d.places, known)
		}
	}
	sub.decode(node, into, path)
}

func isList(t reflect.Type) bool { return t.Kind() == reflect.Slice }

// isGroup reports whether a setting is a mapping of settings, each with a variable of its own.
func isGroup(t reflect.Type) bool {
	switch t {
	case reflect.TypeFor[Timeouts](), reflect.TypeFor[StorageConfig](), reflect.TypeFor[JournalConfig](), reflect.TypeFor[LedgerConfig](),
		reflect.TypeFor[RetryConfig](), reflect.TypeFor[BreakerConfig](), reflect.TypeFor[QueueConfig](), reflect.TypeFor[CacheConfig](),
		reflect.TypeFor[TLSConfig](), reflect.TypeFor[SentryConfig](), reflect.TypeFor[CORSConfig](), reflect.TypeFor[TracingConfig](), reflect.TypeFor[OTLPLogsConfig]():
		return true
	}
	return false
}
