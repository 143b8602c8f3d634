package providers

import (
	"bytes"
	"slices"
	"strings"
)

// GovernedHeader is a request header that lists features which an upstream opens
// ("anthropic-beta"). Features are named without the day of their version.
type GovernedHeader struct {
	Name string // lower case
	// Known are features that do nothing but make fields available, which are governed
	// themselves; Priced change the price. All others open what the gateway does not know.
	Known, Priced []string
}

// Hits appends what a header's value says of governed features. A hit's path is the header's name
// and the feature's, with its day, joined by a dot.
func (g *GovernedHeader) Hits(dst []Hit, value []byte) []Hit {
	for part := range bytes.SplitSeq(value, []byte(",")) {
		said := string(bytes.TrimSpace(part))
		feature := undated(said)
		effect := OpensFeature
		switch {
		case said == "" || slices.Contains(g.Known, feature):
			continue
		case slices.Contains(g.Priced, feature):
			effect = ChangesPrice
		}
		dst = append(dst, Hit{Rule: &Governed{Path: g.Name + "." + said, Effect: effect}})
	}
	return dst
}

// undated takes the day off a feature's name: 2025-05-14 or 20250219.
func undated(feature string) string {
	for _, form := range [...]string{"-0000-00-00", "-00000000"} {
		at := len(feature) - len(form)
		if at > 0 && strings.Map(zero, feature[at:]) == form {
			return feature[:at]
		}
	}
	return feature
}

func zero(r rune) rune {
	if r >= '0' && r <= '9' {
		return '0'
	}
	return r
}
