package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/internal/telemetry"
	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/proxy"
	"github.com/aistrale/aistrale/storage"
)

// maxReply bounds a whole reply, and one event of a stream, in memory.
const maxReply = 64 << 20

// clientRate is how slow a client's line may be for large bodies, in bytes a second; timeouts.read
// and timeouts.client_write grow by it.
const clientRate = 64 << 10

// Images and files that a provider wants as bytes are fetched up to this size and time.
const (
	fetchBytes   = 20 << 20
	fetchTimeout = 30 * time.Second
)

const serveUsage = "usage: aistrale serve [--config FILE]\n       Without a file: developer mode, on loopback, with the store in ./data."

func runServe(ctx context.Context, env environment, args []string) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	path := flags.String("config", "", "the configuration; without it, developer mode on loopback")
	if err := env.parse(flags, args, serveUsage); err != nil {
		return helped(err)
	}
	hup := make(chan os.Signal, 1) // from here on: one that nobody waits for would end the program
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	file := watchFile(*path) // before it is read, so that no change after that goes unseen
	config, err := loadConfig(*path, env.Getenv)
	if err != nil {
		return err
	}
	room := makeHeadroom(env.Getenv)
	defer runtime.KeepAlive(room)
	s, err := newService(ctx, env, config)
	if err != nil {
		return config.located(err)
	}
	s.file, s.hup = file, hup
	return errors.Join(s.run(ctx), s.close())
}

// service is a running gateway and all that it owns.
type service struct {
	env       environment
	started   *Config                // what the program began with
	config    *Config                // what is in force; the watcher's
	inForce   atomic.Pointer[Config] // the same, for all others
	file      *watchedFile
	hup       <-chan os.Signal
	ways      []*watchedFile // certificates and authorities of providers
	version   int64          // of the store, as it is in force
	warned    []string       // of config, as it was logged
	log       *slog.Logger
	level     *logging
	debug     *slog.Logger // says all, of keys of which that is wanted
	store     *store
	tracer    *telemetry.Tracer     // nil where nothing is traced
	shipper   *telemetry.LogShipper // nil where the log goes nowhere else
	telemetry *telemetry.Telemetry
	accounts  *accounting
	counting  *counting
	replies   *replies
	news      *news
	payloads  *payloadKeeper
	gateway   *proxy.Gateway
	state     *state
	server    *proxy.Server
	control   *admin.Server
	plane     *control
	circuits  *circuits
	defects   *defects
	// conditions are written by the watcher.
	conditions conditions
	mock       *mockUpstream // nil where none is configured
	storeUp    atomic.Bool   // the store answered when it was last asked
	first      *firstKeys    // to be shown, at developer mode's first start
	data       *listener
	admin      *listener
}

func newService(ctx context.Context, env environment, config *Config) (_ *service, err error) {
	s := &service{env: env, started: config, config: config, level: &logging{}}
	if _, err := s.level.follow(config, nil, env.Now()); err != nil {
		return nil, fmt.Errorf("log_level: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	lines, err := s.openLog()
	if err != nil {
		return nil, err
	}
	// Listening comes first: keys that are shown once must not be made for a start that fails.
	if err := s.listen(); err != nil {
		return nil, err
	}
	if s.store, err = openStore(ctx, env, config, s.log); err != nil {
		return nil, err
	}
	if s.plane, err = newControl(s.store, config, s.log); err != nil {
		return nil, err
	}
	s.circuits = &circuits{node: config.Node, post: s.plane.notices.Post, open: map[policy.Place]bool{}}
	s.state = newState()
	if s.defects, err = newDefects(config, s.log, s.state.knows); err != nil {
		return nil, err
	}
	s.plane.defect = s.defects.control
	s.telemetry = telemetry.New(telemetry.Options{
		Log: lines, Level: s.level, Known: s.state.knows, Version: version, Revision: revision,
		Read: s.readMetrics, Tracer: s.tracer,
	})
	if s.accounts, err = openAccounting(ctx, config, s.store.nounStore, s.log, s.telemetry); err != nil {
		return nil, err
	}
	if s.counting, err = openCounting(config, s.accounts, s.plane.notices.Post, s.log); err != nil {
		return nil, err
	}
	s.state.means = s.counting.means
	if s.replies, err = openReplies(config, s.log); err != nil {
		return nil, err
	}
	if s.news, err = openNews(config, s.store.nounStore, s.telemetry.StoreTells, s.log); err != nil {
		return nil, err
	}
	s.store.changed = s.news.changed
	if s.payloads, err = newPayloadKeeper(s.store, s.inForce.Load, config); err != nil {
		return nil, err
	}
	s.payloads.panicked = s.defects.beside
	if err := s.newGateway(); err != nil {
		return nil, err
	}
	return s, s.firstLoad(ctx)
}

// openLog begins the log, and what sends it and spans elsewhere. It gives the taker of the log's
// lines.
func (s *service) openLog() (lines io.Writer, err error) {
	lines = telemetry.Plain(s.env.Stdout)
	s.log = slog.New(slog.NewJSONHandler(lines, &slog.HandlerOptions{Level: s.level})) // for a start that fails here
	if s.shipper, err = openShipper(s.config, lines); err != nil {
		return nil, err
	}
	if s.shipper != nil {
		lines = io.MultiWriter(lines, s.shipper)
		s.log = slog.New(slog.NewJSONHandler(lines, &slog.HandlerOptions{Level: s.level}))
	}
	s.debug = slog.New(slog.NewJSONHandler(lines, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.tracer, err = openTracer(s.config, s.log)
	return lines, err
}

// closeLog sends what waits to be sent elsewhere. That a collector is away is no failure of ours.
func (s *service) closeLog() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, err := range []error{s.tracer.Close(ctx), s.shipper.Close(ctx)} {
		if err != nil {
			s.log.Warn("telemetry is not sent to its end", "error", err.Error())
		}
	}
}

// firstLoad puts the first snapshot in place. Developer mode's keys are made last, when nothing
// else can fail any more.
func (s *service) firstLoad(ctx context.Context) (err error) {
	if s.config.Developer {
		if err := s.store.takeFromEnvironment(ctx, s.config); err != nil {
			return err
		}
	}
	if err := s.reload(ctx, s.config); err != nil {
		return err
	}
	if s.config.Developer {
		if s.first, err = s.store.bootstrap(ctx); err != nil {
			return err
		}
		if s.first != nil { // its key must work at once
			if err := s.reload(ctx, s.config); err != nil {
				return err
			}
		}
	}
	s.accounts.heirs.tell(func(left []storage.Entry) error { return s.counting.inherit(s.gateway.Snapshot().Limits, left) })
	if s.gateway.Snapshot().Limits.Budgeted() {
		s.accounts.adopt(ctx)
	}
	s.telemetry.Reloaded(true)
	return nil
}

func (s *service) listen() (err error) {
	if s.data, err = listen("listen", s.config.Listen); err != nil {
		return err
	}
	if s.admin, err = listen("admin_listen", s.config.AdminListen); err != nil {
		return err
	}
	if s.config.ProxyProtocol {
		s.data.behind(s.trusted)
	}
	if s.config.AdminProxyProtocol {
		s.admin.behind(s.trusted)
	}
	return errors.Join(s.data.secure("tls", &s.config.TLS), s.admin.secure("admin_tls", &s.config.AdminTLS))
}

// trusted are the proxies whose word counts now.
func (s *service) trusted() storage.Networks { return s.inForce.Load().TrustedProxies }

func (s *service) newGateway() error {
	c := s.config
	gateway, err := proxy.New(proxy.Options{
		Able: s.able, Node: c.Node, Observer: s.telemetry, Streams: s.telemetry, Tracer: tracerOf(s.tracer), Journal: s.accounts.keeper(),
		Counters: s.counting.counters, Recheck: s.counting.recheck, Watch: catalog.Governed(), Headers: catalog.GovernedHeaders(), Fetch: proxy.NewFetcher(fetchBytes, fetchTimeout),
		Replies: s.replies.kept(), Objects: s.store, Turns: s.store.turns(), Payloads: s.payloads, Usage: s.accounts.told(),
		Health: policy.NewHealth(policy.HealthOptions{Changed: s.healthChanged}),
		Limits: proxy.Limits{
			MaxBody: int(c.MaxBody), MaxReply: maxReply, MaxCached: int(c.Cache.MaxReply), MaxTurn: int(c.Turns.MaxSize), TurnLife: c.Turns.MaxLifetime, BodyMemory: int64(c.BodyMemory), Hold: c.Timeouts.Hold,
			MaxUpload: int64(c.MaxUpload), UploadDisk: int64(c.UploadDisk), UploadDir: filepath.Join(c.DataDir, "uploads"),
			Comment: c.Timeouts.KeepaliveComment, ClientWrite: c.Timeouts.ClientWrite, ClientRead: c.Timeouts.Read, ClientRate: clientRate,
		},
		Defects: s.defects,
	}, catalog.Surfaces())
	if err != nil {
		return err
	}
	s.gateway = gateway
	s.server = proxy.NewServer(gateway, proxy.ServerOptions{
		MaxHeader: int(c.MaxHeader), MaxBody: int(c.MaxBody), Concurrency: c.Concurrency,
		Read: c.Timeouts.Read, Idle: c.Timeouts.Idle, Logger: quiet{s.log},
	})
	return nil
}

// quiet hands fasthttp's own messages, about connections that failed, to the debug log.
type quiet struct{ log *slog.Logger }

func (q quiet) Printf(format string, args ...any) { q.log.Debug(fmt.Sprintf(format, args...)) }

// run serves until ctx ends, then drains.
func (s *service) run(ctx context.Context) error {
	s.accounts.run(s.env.Getenv)
	s.plane.budgets, s.plane.parts = s.budgetStands, s.parts
	s.control = admin.NewServer(admin.Options{
		Metrics: s.telemetry.Handler(), MetricsToken: s.config.MetricsToken, Ready: s.gateway.Ready, Parts: s.parts,
		API: s.plane.api(s.inForce.Load, s.accounts.teller()),
		Log: s.log, Trusted: s.trusted, Allow: func() storage.Networks { return s.inForce.Load().AdminAllow },
	})
	failed := make(chan error, 2)
	go func() { failed <- s.server.Serve(s.data) }()
	go func() { failed <- s.control.Serve(s.admin) }()
	config := s.config // from here on s.config is the watcher's, which reloads it
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	var watched sync.WaitGroup
	watched.Go(func() { s.watch(watching) })
	watched.Go(func() { s.news.run(watching) })
	watched.Go(func() { s.counting.prepare(watching, s.gateway.Snapshot) })
	watched.Go(func() { s.forgetExpired(watching) })
	watched.Go(func() { s.plane.run(watching) })
	watched.Go(func() { s.store.noteUses(watching) })
	s.log.Info("serving", "version", version, "listen", s.data.Addr().String(), "admin_listen", s.admin.Addr().String(), "tls", s.data.tls != nil, "admin_tls", s.admin.tls != nil, "node", config.Node)
	if config.Developer {
		s.first.greet(s.env.Stdout, s.data.Addr().String(), os.Args[0])
	}
	var err error
	select {
	case <-ctx.Done():
		err = s.leave(failed)
	case err = <-failed:
	}
	stop()
	watched.Wait()
	return errors.Join(err, s.drain())
}

// leave has the load balancer look elsewhere, and serves all the same for drain_delay.
func (s *service) leave(failed <-chan error) error {
	delay := s.inForce.Load().DrainDelay
	if delay == 0 {
		return nil
	}
	s.log.Info("leaving", "open", s.gateway.OpenFlights(), "drain_delay", delay.String())
	s.gateway.Leave()
	select {
	case <-time.After(delay):
		return nil
	case err := <-failed:
		return err
	}
}

// drain takes no new request and gives those under way drain_timeout to finish.
func (s *service) drain() error {
	s.log.Info("draining", "open", s.gateway.OpenFlights(), "drain_timeout", s.config.DrainTimeout.String())
	ctx, cancel := context.WithTimeout(context.Background(), s.config.DrainTimeout)
	defer cancel()
	err := s.server.Shutdown(ctx)
	last, stop := context.WithTimeout(context.Background(), 2*time.Second)
	defer stop()
	return errors.Join(err, s.control.Shutdown(last))
}

// close lets go of everything that newService took, in reverse.
func (s *service) close() error {
	var errs []error
	for _, l := range []*listener{s.data, s.admin} {
		if l != nil {
			_ = l.Close() // closed already where it was served
		}
	}
	if s.gateway != nil {
		s.gateway.Close()
	}
	if s.state != nil {
		s.state.close()
	}
	errs = append(errs, s.mock.close()) // after the connections to it
	errs = append(errs, s.payloads.close(), s.counting.close(), s.replies.close(), s.news.close(), s.accounts.close())
	s.defects.close()
	if s.telemetry != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		errs = append(errs, s.telemetry.Close(ctx))
		cancel()
	}
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	s.closeLog()
	return errors.Join(errs...)
}
