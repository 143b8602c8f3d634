package redis

import (
	"math"
	"slices"
	"testing"

	goredis "github.com/redis/go-redis/v9"
)

// What is packed here Lua unpacks, and what Lua packs is unpacked here.
func TestPack(t *testing.T) {
	c := open(t, Options{})
	echo := goredis.NewScript(`return cmsgpack.pack(cmsgpack.unpack(ARGV[1]))`)
	f := func(numbers ...int64) {
		t.Helper()
		p := newPack(0)
		p.add(numbers...)
		got, err := echo.Run(t.Context(), c.client, nil, p.bytes()).Text()
		if err != nil {
			t.Fatal(err)
		}
		back, rest, err := unpackAnswer(got, nil)
		if err != nil || rest != "" || !slices.Equal(back, numbers) {
			t.Errorf("%v came back as %v, %v", numbers, back, err)
		}
	}
	f(0)
	f(1, 127, 128, 255, 256, 65535, 65536, math.MaxUint32, math.MaxUint32+1, 1<<53)
	f(-1, -32, -33, -128, -129, -32768, -32769, math.MinInt32, math.MinInt32-1, -1<<53)
	f(slices.Repeat([]int64{7}, 15)...)
	f(slices.Repeat([]int64{1 << 40}, 1000)...)
	words := goredis.NewScript(`local v = cmsgpack.unpack(ARGV[1]); return v[1] .. v[2] .. v[3]`)
	p := newPack(0)
	p.word("")
	p.word("a lease/1 \x00 é")
	p.add(7)
	if got, err := words.Run(t.Context(), c.client, nil, p.bytes()).Text(); err != nil || got != "a lease/1 \x00 é7" {
		t.Errorf("%q, %v", got, err)
	}
}

func FuzzUnpack(f *testing.F) {
	for _, seed := range []string{"\x92\x01\xff", "\x91\xcb\x43\x40\x00\x00\x00\x00\x00\x00", "\xdc\x00\x01\xd3\x80\x00\x00\x00\x00\x00\x00\x01", "\x91\xcb\x7f\xf8\x00\x00\x00\x00\x00\x01", "\x90", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		numbers, _, err := unpackAnswer(text, nil)
		if err != nil {
			return
		}
		p := newPack(0)
		p.add(numbers...)
		if len(numbers) > len(text) || len(p.bytes()) > packHead+9*len(numbers) {
			t.Errorf("%d numbers of %d bytes", len(numbers), len(text))
		}
	})
}
