// Command gen writes the catalogue's models.json from a copy of models.dev's data and the
// overlay beside the catalogue. It must never fetch anything: a refresh is a reviewed diff.
//
//	go run ./providers/catalog/gen -from models.dev.json
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	from := flag.String("from", "", "a JSON file of models.dev's data: {source, commit, date, licence, models: […]}")
	dir := flag.String("dir", "providers/catalog", "the catalogue's folder: overlay.json is read, models.json written")
	flag.Parse()
	if *from == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := generate(*from, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func generate(from, dir string) error {
	facts, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("-from: %w", err)
	}
	overlay, err := os.ReadFile(filepath.Join(dir, "overlay.json"))
	if err != nil {
		return fmt.Errorf("-dir: %w", err)
	}
	out, err := build(facts, overlay)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "models.json"), out, 0o644) //nolint:gosec // a source file of the project
}
