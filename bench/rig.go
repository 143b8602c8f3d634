//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// rig is everything that a run starts, and ends again.
type rig struct {
	dir     string
	bin     string
	certs   *certificates
	mocks   [2]*target // plain, and by TLS
	targets []*target
	stores  stores
	silent  *silentUpstream
	others  []*process // that end with the run
	folders []string   // that go with it, beside dir
}

// target is something that carries requests to the mock, or the mock itself.
type target struct {
	*process
	addr    string
	prefix  string        // before /chat/completions
	certs   *certificates // TLS on both sides; nil: neither
	flavour *flavour      // of gateways
	admin   string        // the control plane's address, of gateways
	peer    *peer         // of peers
}

func (t *target) gateway() bool { return t.flavour != nil }

// part is set for a gateway that differs from the whole one in something, and so tells the price
// of that.
func (t *target) part() bool { return t.gateway() && t.name != whole }

func (t *target) url(path string) string {
	if t.certs != nil {
		return "https://" + t.addr + path
	}
	return "http://" + t.addr + path
}

// start begins all that the works of a run need.
func start(o options) (_ *rig, err error) {
	r := &rig{bin: o.bin}
	if r.dir, err = os.MkdirTemp("", "bench"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			r.stop()
		}
	}()
	if r.certs, err = newCertificates(r.dir); err != nil {
		return nil, err
	}
	if r.silent, err = newSilentUpstream(); err != nil {
		return nil, err
	}
	if err = r.startStores(o.stores); err != nil {
		return nil, err
	}
	ways := []*certificates{nil, r.certs}
	_, byTLS := wanted(o.only)
	if !byTLS {
		ways = ways[:1]
	}
	for i, certs := range ways {
		if r.mocks[i], err = r.startMock(certs); err != nil {
			return nil, err
		}
		if err = r.startOthers(r.mocks[i], o); err != nil {
			return nil, err
		}
	}
	for _, f := range flavours(r.stores, o) {
		if f.tls && !byTLS {
			continue
		}
		if err = r.startGateway(f); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *rig) startMock(certs *certificates) (*target, error) {
	t := &target{addr: free(), prefix: "/openai/v1", certs: certs}
	args := []string{"mock", "--listen", t.addr}
	if certs != nil {
		args = append(args, "--tls-cert", certs.cert, "--tls-key", certs.key)
	}
	var err error
	t.process, err = program{name: "mock", core: 1, serves: t.healthy, path: filepath.Join(r.bin, "aistrale"), args: args}.launch()
	if err != nil {
		return nil, err
	}
	r.others = append(r.others, t.process)
	return t, nil
}

// startOthers starts what the gateway is held against.
func (r *rig) startOthers(mock *target, o options) error {
	floor := &target{addr: free(), prefix: "/openai/v1", certs: mock.certs}
	args := []string{"-listen", floor.addr, "-upstream", mock.addr}
	if c := mock.certs; c != nil {
		args = append(args, "-cert", c.cert, "-key", c.key, "-ca", c.ca)
	}
	err := r.add(floor, "floor", filepath.Join(r.bin, "floor"), args...)
	if err != nil {
		return err
	}
	if path, missing := exec.LookPath("nginx"); missing == nil {
		if err := r.startNginx(path, mock); err != nil {
			return err
		}
	}
	if mock.certs != nil {
		return nil
	}
	for i := range o.peers {
		if err := r.startPeer(&o.peers[i], mock); err != nil {
			return err
		}
	}
	return nil
}

// add launches a target on the core of what is measured.
func (r *rig) add(t *target, name, path string, args ...string) (err error) {
	if t.process, err = (program{name: name, serves: t.healthy, path: path, args: args}).launch(); err != nil {
		return err
	}
	r.targets = append(r.targets, t)
	return nil
}

const nginxConfig = `daemon off; master_process off; pid %[1]s/nginx.pid; error_log stderr crit;
events { worker_connections 8192; }
http {
 access_log off; client_max_body_size 64m; client_body_buffer_size 1m; keepalive_requests 1000000;
 client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
 upstream mock { server %[2]s; keepalive 256; keepalive_requests 1000000; }
 server {
  listen %[3]s;
  location / { proxy_pass %[4]s://mock; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; %[5]s }
 }
}
`

func (r *rig) startNginx(path string, mock *target) error {
	t := &target{addr: free(), prefix: "/openai/v1", certs: mock.certs}
	listen, scheme, verify := t.addr, "http", ""
	if c := t.certs; c != nil {
		listen = fmt.Sprintf("%s ssl; ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate %s; ssl_certificate_key %s", t.addr, c.cert, c.key)
		scheme, verify = "https", fmt.Sprintf("proxy_ssl_protocols TLSv1.2 TLSv1.3; proxy_ssl_verify on; proxy_ssl_trusted_certificate %s; proxy_ssl_name localhost;", c.ca)
	}
	folder := filepath.Join(r.dir, "nginx-"+scheme)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	config := filepath.Join(folder, "nginx.conf")
	text := fmt.Sprintf(nginxConfig, folder, mock.addr, listen, scheme, verify)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	return r.add(t, "nginx", path, "-c", config)
}

func (r *rig) startGateway(f flavour) error {
	t := &target{addr: free(), admin: free(), prefix: "/v1", flavour: &f}
	mock, edge := r.mocks[0], ""
	if f.tls {
		t.certs, mock = r.certs, r.mocks[1]
		edge = fmt.Sprintf("tls: {cert_file: %q, key_file: %q}\n", r.certs.cert, r.certs.key)
	}
	folder := filepath.Join(r.dir, strings.ReplaceAll(f.name, " ", "-"))
	if f.tls {
		folder += "-tls"
	}
	text := fmt.Sprintf(`listen: %q
admin_listen: %q
data_dir: %q
%sproviders:
  - {name: mock, base_url: %q%s}
  - {name: silent, dialect: openai, base_url: "http://%s/v1", api_key: none}
keys:
  - {name: bench, key: %q, models: ["*"]}
%s`, t.addr, t.admin, folder, edge, mock.url(""), mock.trust(), r.silent.addr(), benchKey, f.config)
	config := folder + ".yaml"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	return r.add(t, f.name, f.program(r.bin), "serve", "--config", config)
}

// trust is the setting by which a gateway trusts the target's certificate.
func (t *target) trust() string {
	if t.certs == nil {
		return ""
	}
	return fmt.Sprintf(", ca_file: %q", t.certs.ca)
}

// end ends the targets that are not wanted any more.
func (r *rig) end(unwanted func(*target) bool) {
	r.targets = slices.DeleteFunc(r.targets, func(t *target) bool {
		if !unwanted(t) {
			return false
		}
		t.end()
		return true
	})
}

func (r *rig) stop() {
	for _, t := range r.targets {
		t.end()
	}
	r.stopStores()
	for _, p := range r.others {
		p.end()
	}
	if r.silent != nil {
		r.silent.close()
	}
	for _, folder := range append(r.folders, r.dir) {
		_ = os.RemoveAll(folder)
	}
}

// find gives a target by its name.
func (r *rig) find(name string, tls bool) (*target, error) {
	for _, t := range r.targets {
		if t.name == name && (t.certs != nil) == tls {
			return t, nil
		}
	}
	return nil, errors.New(name + " is not measured in this run")
}
