// Command gen writes the catalogue's models.json and prices.json from copies of public lists and
// the overlays beside the catalogue. It must never fetch anything: a refresh is a reviewed diff.
//
//	go run ./providers/catalog/gen -from models.dev.json -prices litellm.json
package main

import (
	_ "embed"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// clouds is what models.dev says of models that clouds have beside those of rules (copies), in the
// form of -from.
//
//go:embed clouds.json
var clouds []byte

func main() {
	from := flag.String("from", "", "a JSON file of models.dev's data: {source, commit, date, licence, models: […]}")
	prices := flag.String("prices", "", "litellm's model_prices_and_context_window.json")
	dir := flag.String("dir", "providers/catalog", "the catalogue's folder: the overlays are read, models.json and prices.json written")
	flag.Parse()
	if *from == "" || *prices == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := generate(*from, *prices, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func generate(from, prices, dir string) error {
	facts, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("-from: %w", err)
	}
	list, err := os.ReadFile(prices)
	if err != nil {
		return fmt.Errorf("-prices: %w", err)
	}
	err = write(dir, "overlay.json", "models.json", func(overlay []byte) ([]byte, error) { return build(facts, overlay) })
	if err != nil {
		return err
	}
	return write(dir, "priceoverlay.json", "prices.json", func(overlay []byte) ([]byte, error) {
		return buildPrices([][]byte{facts, clouds, list}, overlay)
	})
}

func write(dir, overlay, name string, build func(overlay []byte) ([]byte, error)) error {
	text, err := os.ReadFile(filepath.Join(dir, overlay))
	if err != nil {
		return fmt.Errorf("-dir: %w", err)
	}
	out, err := build(text)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name), out, 0o644) //nolint:gosec // a source file of the project
}
