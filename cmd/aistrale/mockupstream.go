package main

import (
	"context"
	"net"
	"time"

	"github.com/aistrale/aistrale/providers/mock"
)

// mockUpstream is the emulator inside the gateway: a server of its own on a loopback port, so
// that calls to it take the same road as calls to any provider.
type mockUpstream struct {
	server *mock.Server
	addr   string
	done   chan error
}

// startMock starts the emulator where the config names it without an address.
func startMock(config *Config) (*mockUpstream, error) {
	for i := range config.Providers {
		if p := &config.Providers[i]; p.Name == mockName && p.BaseURL == "" {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return nil, err
			}
			m := &mockUpstream{server: mock.New(mock.Options{}), addr: l.Addr().String(), done: make(chan error, 1)}
			go func() { m.done <- m.server.Serve(l) }()
			return m, nil
		}
	}
	return nil, nil //nolint:nilnil // no emulator is wanted
}

func (m *mockUpstream) url() string {
	if m == nil {
		return ""
	}
	return "http://" + m.addr
}

func (m *mockUpstream) close() error {
	if m == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := m.server.Shutdown(ctx); err != nil {
		return err
	}
	return <-m.done
}
