package redis

import (
	"context"
	"errors"
	"net/url"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// connections bounds the pool: calls share trips, so a few carry many.
const connections = trips + 4

// silent keeps the driver from writing beside our log, which says when Redis is away.
type silent struct{}

// Printf implements the driver's logger.
func (silent) Printf(context.Context, string, ...any) {}

// connect makes a client that dials nothing yet. Its error names the setting and never repeats
// the URL, which may hold a password.
func connect(o Options) (client goredis.UniversalClient, cluster bool, err error) {
	goredis.SetLogger(silent{}) // the driver has one for all its clients
	u, err := url.Parse(o.URL.Reveal())
	if err != nil {
		return nil, false, errors.New("storage.redis: not a URL")
	}
	query := u.Query()
	cluster = query.Get("cluster") == "true"
	query.Del("cluster")
	u.RawQuery = query.Encode()
	if cluster {
		options, err := goredis.ParseClusterURL(u.String())
		if err != nil {
			return nil, false, errURL(u)
		}
		return goredis.NewClusterClient(tuneCluster(options, o.Timeout)), true, nil
	}
	options, err := goredis.ParseURL(u.String())
	if err != nil {
		return nil, false, errURL(u)
	}
	return goredis.NewClient(tune(options, o.Timeout)), false, nil
}

func errURL(u *url.URL) error {
	if u.Scheme != "redis" && u.Scheme != "rediss" {
		return errors.New("storage.redis: the URL does not begin with redis:// or rediss://")
	}
	return errors.New("storage.redis: the URL has a wrong part: want redis://user:password@host:port/database")
}

// tune makes the driver keep to a context's deadline and try nothing twice: a trip that is sent
// again after it was done would charge twice.
func tune(o *goredis.Options, timeout time.Duration) *goredis.Options {
	o.ContextTimeoutEnabled = true
	o.MaxRetries = -1
	o.DialerRetries = 1
	o.DialTimeout = max(timeout, time.Second)
	o.ReadTimeout, o.WriteTimeout = time.Second, time.Second
	o.PoolSize = connections
	o.MinIdleConns = 0
	o.Protocol = 2 // nothing is pushed to us, and looking for it costs
	o.DisableIdentity = true
	return o
}

func tuneCluster(o *goredis.ClusterOptions, timeout time.Duration) *goredis.ClusterOptions {
	o.ContextTimeoutEnabled = true
	o.MaxRetries = -1
	o.MaxRedirects = 2 // a call that was sent elsewhere was not done
	o.DialerRetries = 1
	o.DialTimeout = max(timeout, time.Second)
	o.ReadTimeout, o.WriteTimeout = time.Second, time.Second
	o.PoolSize = connections
	o.Protocol = 2
	o.DisableIdentity = true
	return o
}
