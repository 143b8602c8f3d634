package main

import (
	"fmt"
	"strings"
)

// expand replaces ${VAR}, ${VAR:-default} and ${file:/path} in one value; $${ is a literal ${.
// It works on values that were already parsed, so that what a variable or a file holds can
// never become YAML. A variable that is empty counts as not set.
func (d *decoder) expand(text string) (string, error) {
	var out strings.Builder
	for {
		at := strings.Index(text, "${")
		if at < 0 {
			out.WriteString(text)
			return out.String(), nil
		}
		if at > 0 && text[at-1] == '$' {
			out.WriteString(text[:at-1] + "${")
			text = text[at+2:]
			continue
		}
		out.WriteString(text[:at])
		end := strings.IndexByte(text[at:], '}')
		if end < 0 {
			return "", fmt.Errorf("${ without its }; a literal ${ is written $${")
		}
		value, err := d.reference(text[at+2 : at+end])
		if err != nil {
			return "", err
		}
		out.WriteString(value)
		text = text[at+end+1:]
	}
}

func (d *decoder) reference(inner string) (string, error) {
	if path, ok := strings.CutPrefix(inner, "file:"); ok {
		content, err := d.readFile(path)
		if err != nil {
			return "", fmt.Errorf("${file:…}: %w", err)
		}
		return strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r"), nil
	}
	name, fallback, hasFallback := strings.Cut(inner, ":-")
	if !isVariable(name) {
		return "", fmt.Errorf("${%s}: not the name of an environment variable; a literal ${ is written $${", inner)
	}
	if value := d.getenv(name); value != "" {
		return value, nil
	}
	if !hasFallback {
		return "", fmt.Errorf("environment variable %s is not set; write ${%s:-} where it may be missing", name, name)
	}
	return fallback, nil
}

func isVariable(name string) bool {
	for i := range len(name) {
		c := name[i] | 0x20
		if name[i] != '_' && (c < 'a' || c > 'z') && (i == 0 || name[i] < '0' || name[i] > '9') {
			return false
		}
	}
	return name != ""
}
