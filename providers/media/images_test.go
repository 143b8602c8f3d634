package media

import "testing"

func TestImages_Aspect(t *testing.T) {
	f := func(size, want string) {
		t.Helper()
		var a Images
		if err := a.size(size); err != nil {
			t.Fatal(err)
		}
		got, err := a.Aspect("1:1", "2:3", "3:2", "16:9", "9:16")
		if got != want || (err != nil) != (want == "" && a.Width > 0) {
			t.Errorf("%s: %q, %v; want %q", size, got, err, want)
		}
	}
	f("", "")
	f("auto", "")
	f("1024x1024", "1:1")
	f("1536x1024", "3:2")
	f("1024x1536", "2:3")
	f("1792x1024", "16:9")
	f("1024x1792", "9:16")
	f("3840x2160", "16:9")
	f("1000x800", "")
	for _, bad := range []string{"big", "x", "0x10", "10x", "-1x1", "1024"} {
		if err := new(Images).size(bad); err == nil {
			t.Errorf("%s is a size", bad)
		}
	}
}
