package main

// headroom is how much the heap may grow between two collections at the least. A heap that is as
// small as the gateway's would else be looked through every few thousand requests, for some
// milliseconds in which, on a single core, nobody is served.
const headroom = 32 << 20

// makeHeadroom gives room that nobody writes to, to be kept: the collector counts it as used, and
// waits for as much more, while no page of it is ever taken from the system. Who sets the collector's
// own knobs gets what they say.
func makeHeadroom(getenv func(string) string) []byte {
	if getenv("GOGC") != "" || getenv("GOMEMLIMIT") != "" {
		return nil
	}
	return make([]byte, headroom)
}
