//go:build linux

package main

import (
	"fmt"
	"math"
	"strings"
)

// The plot's measures, in SVG's units.
const (
	plotLeft  = 130.0 // where bars begin
	plotWide  = 520.0 // of the longest bar
	barHigh   = 14.0
	groupGap  = 12.0
	plotAbove = 46.0
)

// colour of a target's bars; peers share one, and can be told apart by their order.
func colour(name string) string {
	switch name {
	case "nginx":
		return "#9aa5b1"
	case whole:
		return "#2b6cb0"
	case heldBack:
		return "#90cdf4"
	case shared:
		return "#1a365d"
	default:
		return "#d9822b"
	}
}

// plot draws each work's CPU time as a multiple of the floor's, on a logarithmic scale: peers are an
// order of magnitude apart.
func (f *figures) plot() []byte {
	var columns []string
	for _, name := range f.columns() {
		if name != "floor" && name != base {
			columns = append(columns, name)
		}
	}
	most := 2.0
	for _, r := range f.shown() {
		for _, name := range columns {
			most = max(most, f.ratio(r.Work, name))
		}
	}
	least := 0.25
	at := func(ratio float64) float64 {
		return plotWide * math.Log(max(ratio, least)/least) / math.Log(most*1.1/least)
	}
	var bars strings.Builder
	y := plotAbove
	for _, r := range f.shown() {
		top := y
		for _, name := range columns {
			ratio := f.ratio(r.Work, name)
			if ratio == 0 {
				continue
			}
			_, _ = fmt.Fprintf(&bars, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`, plotLeft, y, at(ratio), barHigh-2, colour(name))
			_, _ = fmt.Fprintf(&bars, `<text x="%.1f" y="%.1f">%.2f</text>`+"\n", plotLeft+at(ratio)+4, y+barHigh-4, ratio)
			y += barHigh
		}
		if y > top {
			_, _ = fmt.Fprintf(&bars, `<text x="%.1f" y="%.1f" text-anchor="end">%s</text>`+"\n", plotLeft-8, (top+y)/2+4, r.Work)
			y += groupGap
		}
	}
	var head strings.Builder
	_, _ = fmt.Fprintf(&head, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" font-family="sans-serif" font-size="11">`+"\n", plotLeft+plotWide+60, y+10)
	_, _ = fmt.Fprintf(&head, `<rect width="100%%" height="100%%" fill="white"/><text x="8" y="16" font-size="13">CPU time as a multiple of a bare Go proxy's (lower is better, logarithmic)</text>`+"\n")
	for i, name := range columns {
		x := plotLeft + float64(i)*110
		_, _ = fmt.Fprintf(&head, `<rect x="%.1f" y="26" width="10" height="10" fill="%s"/><text x="%.1f" y="35">%s</text>`+"\n", x, colour(name), x+14, name)
	}
	_, _ = fmt.Fprintf(&head, `<line x1="%[1]f" x2="%[1]f" y1="%[2]f" y2="%[3]f" stroke="black" stroke-dasharray="3 3"/>`+"\n", plotLeft+at(1), plotAbove-4, y)
	return []byte(head.String() + bars.String() + "</svg>\n")
}
