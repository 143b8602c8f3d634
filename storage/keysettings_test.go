package storage_test

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// settled is a key with every setting there is.
func settled() storage.Key {
	return storage.Key{
		Deny: []string{"speed"}, DenyModels: []string{"openai/*"}, AllowProviders: []string{"groq"}, DenyProviders: []string{"mine"},
		AllowAddresses: storage.Networks{{Prefix: netip.MustParsePrefix("10.1.0.0/16")}, {Prefix: netip.MustParsePrefix("2001:db8::1/128")}},
		Parameters: storage.Parameters{
			Defaults: []storage.Parameter{{Name: "seed", Value: []byte("12345678901234567890")}, {Name: "temperature", Value: []byte("1e-1")}},
			Force:    []storage.Parameter{{Name: "metadata", Value: []byte(`{"a":"\u0000","b":[null]}`)}, {Name: "user", Value: []byte("null")}},
		},
		Timeouts: storage.KeyTimeouts{FirstByte: 1500 * time.Millisecond, StreamIdle: time.Minute, Total: time.Hour},
		Priority: -3, Sticky: "prefix", Cache: 90 * time.Second, Store: 24 * time.Hour,
		Bounds: storage.Bounds{
			Limits:  []storage.LimitSettings{{Models: []string{"groq/*"}, RequestsPerMinute: 60, TokensPerMinute: 9, Count: storage.CountInput, Burst: 1, BurstTokens: 2}, {Concurrent: 3, RequestsPerDay: 4}},
			Budgets: []storage.BudgetSettings{{USD: "25.000000001", Per: "month", TimeZone: "Europe/Berlin", Soft: []int{}, Hard: new(bool)}, {Tokens: 9, Count: storage.CountOutput, Per: "30d", Unbounded: storage.GapCap}},
		},
		Payloads: storage.PayloadSettings{Keep: 720 * time.Hour, Request: true, Response: true, MaxBytes: 1 << 20, Redact: []string{"email"}},
	}
}

func TestKey_Settings(t *testing.T) {
	want := settled()
	text, err := want.Settings()
	if err != nil {
		t.Fatal(err)
	}
	var got storage.Key
	if err := got.SetSettings(text); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %v\ngot  %+v\nwant %+v", text, err, got, want)
	}
	if want := `"first_byte":"1.5s"`; !strings.Contains(string(text), want) {
		t.Errorf("%s has no %s", text, want)
	}
	if text, err := new(storage.Key).Settings(); err != nil || string(text) != "{}" {
		t.Errorf("of nothing: %s, %v", text, err)
	}
	for _, text := range []string{`{"newer":1}`, `{"deny":1}`, `{`, ``, `{"timeouts":{"total":"soon"}}`, `{"allow_addresses":["10.1.2.3/16"]}`} {
		if err := got.SetSettings([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// A setting that a key gets one day is not to be forgotten in the settings that stores keep.
func TestKey_SettingsAreAll(t *testing.T) {
	columns := map[string]bool{
		"ID": true, "Name": true, "Hash": true, "Workspace": true, "Project": true, "Owner": true, "Models": true,
		"Allow": true, "Tags": true, "CreatedAt": true, "ExpiresAt": true, "RevokedAt": true,
		"OldHash": true, "OldUntil": true, "Revision": true,
	}
	key := reflect.ValueOf(settled())
	for i := range key.NumField() {
		if name := key.Type().Field(i).Name; columns[name] != key.Field(i).IsZero() {
			t.Errorf("%s is kept in a column %t, and set in this test %t", name, columns[name], !key.Field(i).IsZero())
		}
	}
}
