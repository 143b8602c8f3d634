package redis

import (
	"cmp"
	"context"
	"fmt"

	goredis "github.com/redis/go-redis/v9"
)

// naming is how a command says which script is meant.
type naming uint8

const (
	byHash naming = iota
	byText
)

// groups puts calls together that one command can carry: those of a script that many share, in
// one place.
func groups(batch []*call) [][]*call {
	if len(batch) == 1 {
		return [][]*call{batch}
	}
	var all [][]*call
next:
	for _, c := range batch {
		for i, group := range all {
			if c.joins(group[0]) {
				all[i] = append(group, c)
				continue next
			}
		}
		all = append(all, append(make([]*call, 0, len(batch)), c))
	}
	return all
}

// joins reports whether calls may be in one group. The first key names the place.
func (c *call) joins(other *call) bool {
	return c.script.shared && c.script == other.script && c.keys[0] == other.keys[0]
}

// command makes one command of a group. Keys are given by their address, which saves an
// allocation each.
func command(ctx context.Context, group []*call, name naming) *goredis.Cmd {
	first, keys := group[0], 1
	for _, c := range group {
		keys += len(c.keys) - 1
	}
	words := make([]any, 0, 4+keys)
	if name == byHash {
		words = append(words, "evalsha", &first.script.hash)
	} else {
		words = append(words, "eval", &first.script.text)
	}
	words = append(words, keys, &first.keys[0])
	for _, c := range group {
		for i := range c.keys[1:] {
			words = append(words, &c.keys[1+i])
		}
	}
	cmd := goredis.NewCmd(ctx, append(words, arguments(group))...)
	cmd.SetFirstKeyPos(3)
	return cmd
}

// arguments are those of the only call, or how many there are between what they share and what
// each has.
func arguments(group []*call) []byte {
	first := &group[0].args
	if !group[0].script.shared {
		return first.bytes()
	}
	room := 8
	for _, c := range group {
		room += len(c.args.text)
	}
	all := newPack(room)
	all.join(first.head())
	all.add(int64(len(group)))
	for _, c := range group {
		all.join(c.args.rest())
	}
	return all.bytes()
}

// answer gives each call of a group its own, and the first error.
func answer(group []*call, cmd *goredis.Cmd) error {
	reply, err := cmd.Result()
	if err != nil || !group[0].script.shared {
		for _, c := range group {
			c.reply, c.err, c.answered = reply, err, true
		}
		return err
	}
	text, _ := reply.(string)
	var first error
	for _, c := range group {
		c.numbers, text, c.err = unpackAnswer(text, c.room[:0])
		c.answered = true
		first = cmp.Or(first, c.err)
	}
	return first
}

// takeFailed begins the answer of a call that a script could not answer; words say why.
const takeFailed = 3

// unpackAnswer reads one of the answers that stand behind one another.
func unpackAnswer(text string, dst []int64) (numbers []int64, rest string, err error) {
	numbers, rest, ok := unpackNumbers(text, dst)
	switch {
	case ok && numbers[0] != takeFailed:
		return numbers, rest, nil
	case len(numbers) > 0 && numbers[0] == takeFailed:
		words, rest, _ := unpackWord(rest)
		return nil, rest, fmt.Errorf("%w as they should: %s", ErrDown, words)
	}
	return nil, "", errNoNumbers
}
