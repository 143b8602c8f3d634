package main

import (
	"errors"
	"flag"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// durationFlag takes a duration as the configuration does, with days.
type durationFlag time.Duration

// newDurationFlag adds one to flags, and gives where it will be.
func newDurationFlag(flags *flag.FlagSet, name string, usual time.Duration, usage string) *time.Duration {
	d := usual
	flags.Var((*durationFlag)(&d), name, usage)
	return &d
}

// String implements flag.Value.
func (d *durationFlag) String() string { return time.Duration(*d).String() }

// Set implements flag.Value.
func (d *durationFlag) Set(text string) error {
	said, err := storage.ParseDuration(text)
	if err != nil {
		return errors.New("it is no duration such as 15m, 24h or 90d")
	}
	*d = durationFlag(said)
	return nil
}
