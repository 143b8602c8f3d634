package storage

import "testing"

func TestRecord_Cost(t *testing.T) {
	f := func(nano *int64, text, json string) {
		t.Helper()
		r := Record{CostNano: nano}
		if got := r.CostText(); got != text {
			t.Errorf("CostText() = %s, want %s", got, text)
		}
		if got := string(r.AppendCost([]byte("x"))); got != "x"+json {
			t.Errorf("AppendCost(x) = %s, want x%s", got, json)
		}
	}
	nano := func(n int64) *int64 { return &n }
	f(nil, "unknown", `"unknown"`)
	f(nano(0), "0.00", "0.00")
	f(nano(1500), "0.0000015", "0.0000015")
	f(nano(1), "0.000000001", "0.000000001")
	f(nano(54_390_000), "0.05439", "0.05439")
	f(nano(12_000_000_000), "12.00", "12.00")
	f(nano(-2_500_000_000), "-2.50", "-2.50")
}
