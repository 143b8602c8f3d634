package redact

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// BuiltIn names the rules that are there without being given, what is told by more than digits first.
func BuiltIn() []string { return []string{"secret", "email", "iban", "card", "ssn", "phone"} }

// builtIn finds what is personal or secret wherever it stands. It takes more rather than less.
var builtIn = sync.OnceValue(func() map[string]func(string) [][2]int {
	return map[string]func(string) [][2]int{
		"email": matches(regexp.MustCompile(`[\p{L}\p{N}._%+\-]+@[\p{L}\p{N}.\-]+\.\p{L}{2,}`)),
		"card":  digits(regexp.MustCompile(`\d(?:[ \-]?\d){12,}`), card),
		"iban":  ibans,
		"phone": matches(regexp.MustCompile(`\+\d[\d ()./\-]{6,20}\d|\(\d{3}\) ?\d{3}[ .\-]\d{4}|\b\d{3}[ .\-]\d{3}[ .\-]\d{4}\b`)),
		"ssn":   matches(regexp.MustCompile(`\b\d{3}-\d{2}-\d{4}\b`)),
		"secret": matches(regexp.MustCompile(strings.Join([]string{
			`\b(?:sk|pk|rk|xai|gsk|glpat|ais-admin)-[A-Za-z0-9_\-]{16,}`, `\b(?:sk|pk|rk|gsk|hf|r8|npm|ghp|gho|ghu|ghs|ghr|github_pat)_[A-Za-z0-9_]{16,}`,
			`\b(?:AKIA|ASIA)[0-9A-Z]{16}\b`, `\bAIza[0-9A-Za-z_\-]{30,}`, `\bxox[a-z]-[A-Za-z0-9\-]{10,}`, `\bya29\.[A-Za-z0-9_\-]{20,}`,
			`\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*)?`, `(?i:\bbearer\s+)[A-Za-z0-9._~+/=\-]{16,}`,
			`-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|\z)`,
		}, "|"))),
	}
})

// digits finds, in each run of digits with single separators, the parts that a check takes.
func digits(run *regexp.Regexp, check func(string) int) func(string) [][2]int {
	return func(text string) [][2]int {
		var spans [][2]int
		for _, at := range run.FindAllStringIndex(text, -1) {
			var bare []byte
			var places []int // of bare's digits in text
			for i := at[0]; i < at[1]; i++ {
				if text[i] >= '0' && text[i] <= '9' {
					bare, places = append(bare, text[i]), append(places, i)
				}
			}
			for i := 0; i < len(bare); i++ {
				if n := check(string(bare[i:min(len(bare), i+longestCard)])); n > 0 {
					spans = append(spans, [2]int{places[i], places[i+n-1] + 1})
					i += n - 1
				}
			}
		}
		return spans
	}
}

const shortestCard, longestCard = 13, 19

// card gives how many digits of the beginning are a card's number: the longest that a network
// gives out and whose Luhn sum is right, 0 where there is none.
func card(text string) int {
	two := text[0]
	switch { // Source: ISO/IEC 7812, the networks' ranges
	case two == '4', two == '6':
	case strings.HasPrefix(text, "34"), strings.HasPrefix(text, "37"), strings.HasPrefix(text, "35"):
	case strings.HasPrefix(text, "30"), strings.HasPrefix(text, "36"), strings.HasPrefix(text, "38"), strings.HasPrefix(text, "39"):
	case two == '5', two == '2' && len(text) > 1 && text[1] >= '2' && text[1] <= '7':
	default:
		return 0
	}
	for n := min(len(text), longestCard); n >= shortestCard; n-- {
		if luhn(text[:n]) {
			return n
		}
	}
	return 0
}

func luhn(text string) bool {
	sum := 0
	for i := range len(text) {
		d := int(text[len(text)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

var ibanRun = regexp.MustCompile(`(?i)\b[A-Z]{2}\d{2}(?:[ \-]?[A-Z0-9]){11,30}`)

// ibans finds account numbers by their check digits; what follows one may look like more of it.
func ibans(text string) [][2]int {
	var spans [][2]int
	for from := 0; from < len(text); {
		at := ibanRun.FindStringIndex(text[from:])
		if at == nil {
			break
		}
		start, end := from+at[0], from+at[1]
		from = start + 2
		for ; end-start >= 15; end-- {
			if mod97(text[start:end]) {
				spans, from = append(spans, [2]int{start, end}), end
				break
			}
		}
	}
	return spans
}

// mod97 is the check of ISO 13616: letters count from 10, the first four characters go last.
func mod97(text string) bool {
	var bare []byte
	for i := range len(text) {
		if c := text[i]; c != ' ' && c != '-' {
			bare = append(bare, c)
		}
	}
	if last := text[len(text)-1]; len(bare) < 15 || last == ' ' || last == '-' {
		return false
	}
	rest := 0
	for _, c := range append(slices.Clone(bare[4:]), bare[:4]...) {
		switch {
		case c >= '0' && c <= '9':
			rest = (rest*10 + int(c-'0')) % 97
		default:
			rest = (rest*100 + int((c|0x20)-'a') + 10) % 97
		}
	}
	return rest == 1
}
