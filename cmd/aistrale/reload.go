package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long a changed file is left alone: editors write in several steps.
const settle = 200 * time.Millisecond

// watch reloads on SIGHUP, when the config file changes, and when another process has changed
// the store. A bad file changes nothing and is reported. It returns when ctx ends.
func (s *service) watch(ctx context.Context) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	files, stop := s.watchFile()
	defer stop()
	poll := time.NewTicker(500 * time.Millisecond)
	defer poll.Stop()
	seen, _ := s.store.Version(ctx)
	var quiet <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			s.reloadFile(ctx)
		case e := <-files:
			if filepath.Base(e.Name) == filepath.Base(s.config.File) || filepath.Base(e.Name) == "..data" {
				quiet = time.After(settle)
			}
		case <-quiet:
			quiet = nil
			s.reloadFile(ctx)
		case <-poll.C:
			now, err := s.store.Version(ctx)
			if err != nil || now == seen {
				continue
			}
			if err := s.reload(ctx, s.config); err != nil {
				s.log.Error("reload of keys and credentials failed; the old ones stay in force", "error", err.Error())
				continue
			}
			seen = now
		}
	}
}

// watchFile watches the config file's folder, since editors and orchestrators replace the file.
func (s *service) watchFile() (<-chan fsnotify.Event, func()) {
	if s.config.File == "" {
		return nil, func() {}
	}
	w, err := fsnotify.NewWatcher()
	if err == nil {
		err = w.Add(filepath.Dir(s.config.File))
	}
	if err != nil {
		s.log.Warn("changes of the config file will not be noticed; send SIGHUP", "error", err.Error())
		return nil, func() {}
	}
	return w.Events, func() { _ = w.Close() }
}

func (s *service) reloadFile(ctx context.Context) {
	if s.config.File == "" {
		return
	}
	config, err := loadConfig(s.config.File, s.env.Getenv)
	if err == nil {
		s.warnFixed(config)
		err = s.reload(ctx, config)
	}
	s.telemetry.Reloaded(err == nil)
	if err != nil {
		s.log.Error("reload failed; the old config stays in force", "file", s.config.File, "error", err.Error())
		return
	}
	if err := s.level.UnmarshalText([]byte(config.LogLevel)); err != nil {
		s.log.Error("log_level", "error", err.Error())
	}
	s.log.Info("reloaded", "file", config.File)
}

// warnFixed names settings that a reload cannot change.
func (s *service) warnFixed(next *Config) {
	now := s.config
	for _, f := range []struct {
		name    string
		changed bool
	}{
		{"listen", now.Listen != next.Listen},
		{"admin_listen", now.AdminListen != next.AdminListen},
		{"data_dir", now.DataDir != next.DataDir},
		{"node", now.Node != next.Node},
		{"max_body, max_header, body_memory or concurrency", now.MaxBody != next.MaxBody || now.MaxHeader != next.MaxHeader ||
			now.BodyMemory != next.BodyMemory || now.Concurrency != next.Concurrency},
		{"timeouts of the listener", now.Timeouts.Read != next.Timeouts.Read || now.Timeouts.Idle != next.Timeouts.Idle ||
			now.Timeouts.Hold != next.Timeouts.Hold || now.Timeouts.ClientWrite != next.Timeouts.ClientWrite ||
			now.Timeouts.KeepaliveComment != next.Timeouts.KeepaliveComment},
	} {
		if f.changed {
			s.log.Warn("this setting takes effect at the next start", "setting", f.name)
		}
	}
}
