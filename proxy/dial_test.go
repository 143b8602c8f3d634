package proxy

import (
	"errors"
	"net"
	"testing"
	"time"
)

// What breaks while a connection is made breaks who asked for it.
func TestOnOwnStack(t *testing.T) {
	refused, broken := errors.New("refused"), errors.New("broken")
	if c, err := onOwnStack(func(string, time.Duration) (net.Conn, error) { return nil, refused })("", 0); c != nil || !errors.Is(err, refused) {
		t.Errorf("%v, %v", c, err)
	}
	defer func() {
		if got := recover(); got != broken { //nolint:errorlint // the very value
			t.Errorf("it broke with %v", got)
		}
	}()
	_, _ = onOwnStack(func(string, time.Duration) (net.Conn, error) { panic(broken) })("", 0)
}
