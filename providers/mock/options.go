package mock

import "time"

// Options configure a Server. The zero value is a server that remembers 64 requests.
type Options struct {
	// Calls is how many requests /calls remembers; 0 is 64, less than 0 none.
	Calls int
	// Body is how many bytes of each remembered request are kept; 0 is 1 MiB.
	Body int
	// Now dates the rate-limit headers; nil is time.Now. Nothing else depends on it.
	Now func() time.Time
}

func (o Options) normal() Options {
	switch {
	case o.Calls == 0:
		o.Calls = 64
	case o.Calls < 0:
		o.Calls = 0
	}
	if o.Body <= 0 {
		o.Body = 1 << 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}
