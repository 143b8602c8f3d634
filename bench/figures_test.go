//go:build linux

package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
)

// sampled are figures in which the gateway spends the given multiple of the floor.
func sampled(ratio float64) *figures {
	f := &figures{Commit: "abc", Rounds: 3}
	floor := []float64{10, 20, 40} // a machine that slows down
	samples := map[string][]float64{"floor": floor}
	for _, us := range floor {
		samples[whole] = append(samples[whole], us*ratio)
	}
	f.add(work{name: "335B", unit: "request"}, samples)
	f.add(work{name: "claude", unit: "request", own: true}, map[string][]float64{"floor": floor, whole: {20, 40, 80}})
	return f
}

// The ratio is taken round by round, so that a machine that slows down changes nothing.
func TestFigures_ratio(t *testing.T) {
	f := sampled(1.5)
	if got := f.ratio("335B", whole); got != 1.5 {
		t.Errorf("ratio of 335B is %v, want 1.5", got)
	}
	if got := f.ratio("claude", whole); got != 2 {
		t.Errorf("ratio of a translation is %v, want 2", got)
	}
	if got := f.ratio("335B", "nginx"); got != 0 {
		t.Errorf("ratio of what was not measured is %v", got)
	}
}

func TestFigures_holdAgainst(t *testing.T) {
	f := func(now float64, fails bool) {
		t.Helper()
		if err := sampled(now).holdAgainst(sampled(1.5), 15); (err != nil) != fails {
			t.Errorf("%v against 1.5: %v", now, err)
		}
	}
	f(1.5, false)
	f(1.72, false)
	f(1.74, true)
	f(1, false)
	if err := (&figures{}).holdAgainst(sampled(1.5), 15); err == nil {
		t.Error("a run without figures passes")
	}
}

func TestFigures_writeAndRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.json")
	f := sampled(1.5)
	if err := f.write(path); err != nil {
		t.Fatal(err)
	}
	again, err := readFigures(path)
	if err != nil {
		t.Fatal(err)
	}
	var a, b bytes.Buffer
	f.print(&a)
	again.print(&b)
	if a.String() != b.String() || !strings.Contains(a.String(), "30.0 (1.50)") {
		t.Errorf("printed:\n%s\nand after reading:\n%s", a.String(), b.String())
	}
}

// A work is shown alone.
func TestFigures_shown(t *testing.T) {
	f := sampled(1.5)
	f.only = "claude"
	var b bytes.Buffer
	f.print(&b)
	if text := b.String(); strings.Contains(text, "335B") || !strings.Contains(text, "40.0 (2.00)") {
		t.Errorf("printed:\n%s", text)
	}
}

func TestFigures_plot(t *testing.T) {
	d := xml.NewDecoder(bytes.NewReader(sampled(1.5).plot()))
	texts := ""
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := token.(xml.CharData); ok {
			texts += string(text) + "\n"
		}
	}
	for _, want := range []string{"335B", "1.50", "claude", "2.00", whole} {
		if !strings.Contains(texts, want+"\n") {
			t.Errorf("the plot does not say %q: %s", want, texts)
		}
	}
}

func TestFigures_goBench(t *testing.T) {
	f := &figures{}
	f.add(work{name: "335B", unit: "request"}, map[string][]float64{whole: {2, 3}, base: {4}})
	const want = "build: base\nBenchmark/335B 1 4.0000 cpu-µs/request\n" +
		"build: aistrale\nBenchmark/335B 1 2.0000 cpu-µs/request\nBenchmark/335B 1 3.0000 cpu-µs/request\n"
	if got := string(f.goBench()); got != want {
		t.Errorf("got %q", got)
	}
}
