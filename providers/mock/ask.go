package mock

import (
	"hash/crc32"
	"strings"

	"github.com/tidwall/gjson"
)

// An ask is what a request asks for, as far as the answer depends on it.
type ask struct {
	model  string
	id     uint64 // of the body: equal bytes, equal id
	input  int64  // tokens, a rough count
	user   string // the last text of the user
	tools  []tool
	choice choice
	forced string // the tool that the client demands
	single bool   // no parallel calls
	// results are the tool results that the conversation ends with; rounds counts the turns of
	// calls since the user's last text.
	results []result
	rounds  int64
	schema  gjson.Result // of the output, where one is asked for
	json    bool         // some JSON is asked for
	most    int64        // output tokens, 0 without bound
	n       int          // choices

	stream, includeUsage bool
	thinks               bool // reasoning is on
	hideThoughts         bool // and shall not be shown
	sealsThoughts        bool // but be sealed, to come back

	asked  gjson.Result // Responses: the body, which the answer says back
	stores bool         // Responses: the answer is kept
	before string       // Responses: the items of the response that this one follows
	said   []string     // Responses: the items of its own

	vectors *vectors // embeddings
	media   *media   // sounds and images
	script  []string // the pieces that the answer has to be made of, nil where it may say what it likes
	counts  bool     // only the tokens are wanted, which is free
	prompts int      // completions: how many prompts
}

type tool struct {
	name   string
	schema gjson.Result
}

type result struct{ name, text string }

type choice uint8

const (
	choiceAuto choice = iota
	choiceNone
	choiceAny
)

// newAsk starts from the body itself. A token is taken for four bytes.
func newAsk(body []byte, model string) *ask {
	return &ask{
		model: model, n: 1,
		id:    mix(uint64(crc32.ChecksumIEEE(body))<<32 | uint64(len(body))&0xffffffff),
		input: int64(len(body)+3) / 4,
	}
}

// wantsTool reports whether the user's text asks for a tool in so many words.
func (a *ask) wantsTool() bool {
	return strings.Contains(strings.ToLower(a.user), "use the tool")
}

func (a *ask) tool(name string) (tool, bool) {
	for _, t := range a.tools {
		if t.name == name {
			return t, true
		}
	}
	return tool{}, false
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// mix spreads the bits of a number (splitmix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// appendID appends size letters and digits that stand for seed.
func appendID(dst []byte, seed uint64, size int) []byte {
	for range size {
		seed = mix(seed)
		dst = append(dst, base62[seed%62])
	}
	return dst
}

func (a *ask) callID(prefix string, index, size int) string {
	return string(appendID([]byte(prefix), a.id+uint64(index)*0x51ed2701+1, size))
}
