package admin

import (
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

const openAPIFile = "openapi.json"

// The description of the API is checked in: a change of it is seen in review.
func TestOpenAPIGolden(t *testing.T) {
	got, err := OpenAPI("v1")
	do(t, err)
	got = append(got, '\n')
	if *update {
		do(t, os.WriteFile(openAPIFile, got, 0o600))
	}
	want, err := os.ReadFile(openAPIFile)
	do(t, err)
	if string(got) != string(want) {
		t.Fatalf("%s is not what the routes say; run make golden and look at the difference", openAPIFile)
	}
}
