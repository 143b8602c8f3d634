package main

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"slices"
	"time"

	"github.com/aistrale/aistrale/internal/outbound"
	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/proxy"
)

// look is how often the config file and the store are looked at. A change of the file that is
// seen is read at the next look, as editors write in several steps.
const look = 250 * time.Millisecond

// reload builds a snapshot of config and the store, and puts it in place.
func (s *service) reload(ctx context.Context, config *Config) error {
	ways := watchWays(s.ways, config.wayFiles()) // before they are read
	stock, err := s.store.load(ctx, config)
	if err != nil {
		return err
	}
	warnClosed(s.log, stock.credentials)
	locked := lockedOf(stock.credentials)
	s.store.warnUnsealed(config, stock.keys)
	if s.mock == nil {
		if s.mock, err = startMock(config); err != nil {
			return err
		}
	}
	snapshot, err := s.state.build(config, stock, s.mock.url())
	if err != nil {
		return err
	}
	debugged, err := s.level.follow(config, stock.logRules, s.env.Now())
	if err != nil {
		return fmt.Errorf("log_level: %w", err)
	}
	if len(debugged) > 0 {
		snapshot.Debug = &proxy.Debug{Log: s.debug, Until: debugged}
	}
	var limits *policy.Limits // at the start none: who knows which ones were counted before
	if before := s.gateway.Snapshot(); before != nil {
		limits = before.Limits
	}
	snapshot.Limits.Follow(limits, time.Now())
	s.config, s.version = config, stock.version
	s.storeUp.Store(stock.missing == nil)
	s.inForce.Store(config)
	s.ways = ways
	s.gateway.Swap(snapshot)
	s.conditions.locked.Store(&locked)
	s.conditions.store.Note(stock.missing, s.env.Now())
	s.warn(config, stock)
	return nil
}

// watch reloads on SIGHUP, when the config file changes, and when another process has changed
// the store. A bad file changes nothing and is reported. It returns when ctx ends.
func (s *service) watch(ctx context.Context) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	var trouble string
	looked := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.hup:
			s.reloadFile(ctx)
			s.data.load(&s.config.TLS, s.log)
			s.admin.load(&s.config.AdminTLS, s.log)
		case <-tick.C:
			s.level.tick(s.env.Now())
			if s.file.settled() {
				s.reloadFile(ctx)
			}
			s.lookAtWays(ctx)
			s.data.look(&s.config.TLS, s.log)
			s.admin.look(&s.config.AdminTLS, s.log)
			if now := time.Now(); now.Sub(looked) >= s.news.every()-look/2 {
				looked = now
				trouble = s.reloadStore(ctx, "looked", trouble)
			}
		case <-s.news.heard:
			looked = time.Now()
			trouble = s.reloadStore(ctx, "told", trouble)
		}
	}
}

// watchWays has the files of ways to upstreams watched; those that were go on.
func watchWays(now []*watchedFile, files []string) []*watchedFile {
	if slices.EqualFunc(now, files, func(w *watchedFile, path string) bool { return w.path == path }) {
		return now
	}
	next := make([]*watchedFile, len(files))
	for i, path := range files {
		next[i] = watchFile(path)
	}
	return next
}

// lookAtWays makes the ways to upstreams anew when a file of theirs has changed. Where it is not
// good, the old ones stay.
func (s *service) lookAtWays(ctx context.Context) {
	changed := false
	for _, f := range s.ways {
		changed = f.settled() || changed
	}
	if !changed {
		return
	}
	for i := range s.config.Providers {
		p := &s.config.Providers[i]
		if _, err := outbound.New(p.way()); err != nil {
			s.log.Error("a provider's new certificate or authority is not good; the old one stays in force", "provider", p.Name, "error", err.Error())
		}
	}
	if err := s.reload(ctx, s.config); err != nil {
		s.log.Error("reload of providers' certificates failed; the old ones stay in force", "error", err.Error())
		return
	}
	s.log.Info("certificates of providers loaded")
}

// watchedFile notices that a file has changed: written, replaced, or reached by a symbolic link
// that has. It is looked at and not subscribed to, since bind mounts, network file systems and
// links to other folders send no notice.
type watchedFile struct {
	path    string // "" watches nothing
	seen    os.FileInfo
	pending bool // a change was seen and is not yet read
}

func watchFile(path string) *watchedFile {
	w := &watchedFile{path: path}
	w.mark()
	return w
}

// mark takes the file as it stands for read.
func (w *watchedFile) mark() {
	w.seen, w.pending = w.stat(), false
}

// settled reports, once, a change that the last look saw and this one finds as it was.
func (w *watchedFile) settled() bool {
	now := w.stat()
	if !sameFile(now, w.seen) {
		w.seen, w.pending = now, true
		return false
	}
	defer func() { w.pending = false }()
	return w.pending
}

// stat gives nil where there is no file.
func (w *watchedFile) stat() os.FileInfo {
	if w.path == "" {
		return nil
	}
	info, err := os.Stat(w.path)
	if err != nil {
		return nil
	}
	return info
}

func sameFile(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// reloadStore reloads where the store has changed, which was told of or is looked for, or opens again. It gives
// its trouble, and logs it once for as long as it stays the same.
func (s *service) reloadStore(ctx context.Context, how, before string) string {
	version, err := s.store.Version(ctx)
	s.storeUp.Store(err == nil)
	if err == nil && version == s.version && !s.store.reopens(ctx) {
		s.conditions.store.Note(nil, s.env.Now())
		return ""
	}
	if err == nil {
		err = s.reload(ctx, s.config)
	}
	if err == nil {
		s.telemetry.StoreChanged(how)
	}
	if err == nil || ctx.Err() != nil {
		return ""
	}
	s.conditions.store.Note(err, s.env.Now())
	if err.Error() != before {
		s.log.Error("reload of keys and credentials failed; the old ones stay in force", "error", err.Error())
	}
	return err.Error()
}

// reloadFile reads the configuration anew: in developer mode that is the environment alone.
func (s *service) reloadFile(ctx context.Context) {
	s.file.mark()
	before := s.config
	config, err := loadConfig(s.config.File, s.env.Getenv)
	if err == nil {
		err = s.reload(ctx, config)
	}
	if err != nil && ctx.Err() != nil {
		return // the program ends
	}
	s.telemetry.Reloaded(err == nil)
	s.conditions.config.Note(err, s.env.Now())
	if err != nil {
		s.log.Error("reload failed; the old config stays in force", "file", s.config.File, "error", err.Error())
		return
	}
	s.log.Info("reloaded", "file", config.File)
	s.data.renew(&before.TLS, &config.TLS, s.log)
	s.admin.renew(&before.AdminTLS, &config.AdminTLS, s.log)
	s.warnFixed(config)
}

// warnFixed names settings that a reload cannot change.
func (s *service) warnFixed(next *Config) {
	now := s.started
	for _, f := range []struct {
		name    string
		changed bool
	}{
		{"listen", now.Listen != next.Listen},
		{"admin_listen", now.AdminListen != next.AdminListen},
		{"tls or admin_tls, where one is begun or ended", now.TLS.on() != next.TLS.on() || now.AdminTLS.on() != next.AdminTLS.on()},
		{"proxy_protocol or admin_proxy_protocol", now.ProxyProtocol != next.ProxyProtocol || now.AdminProxyProtocol != next.AdminProxyProtocol},
		{"data_dir", now.DataDir != next.DataDir},
		{"node", now.Node != next.Node},
		{"journal, ledger or storage.postgres", now.Journal != next.Journal || now.Ledger != next.Ledger ||
			now.Storage.Postgres.Reveal() != next.Storage.Postgres.Reveal()},
		{"storage.redis or storage.redis_mode", now.Storage.Redis.Reveal() != next.Storage.Redis.Reveal() || now.Storage.RedisMode != next.Storage.RedisMode},
		{"oidc or sessions", now.Sessions != next.Sessions || !reflect.DeepEqual(now.OIDC, next.OIDC)},
		{"metrics_token", now.MetricsToken.Reveal() != next.MetricsToken.Reveal()},
		{"audit, outbound.allow, outbound.http or smtp", !reflect.DeepEqual(now.Audit, next.Audit) || !slices.Equal(now.Outbound.Allow, next.Outbound.Allow) || now.Outbound.HTTP != next.Outbound.HTTP || !reflect.DeepEqual(now.SMTP, next.SMTP)},
		{"tracing or otlp_logs", !reflect.DeepEqual(now.Tracing, next.Tracing) || !reflect.DeepEqual(now.OTLPLogs, next.OTLPLogs)},
		{"sentry", now.Sentry != next.Sentry},
		{"encryption", !reflect.DeepEqual(now.Encryption, next.Encryption)},
		{"turns", now.Turns != next.Turns},
		{"max_upload or upload_disk", now.MaxUpload != next.MaxUpload || now.UploadDisk != next.UploadDisk},
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
