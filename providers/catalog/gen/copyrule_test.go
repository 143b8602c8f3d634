package main

import (
	"strings"
	"testing"
)

func TestBuildPrices_copies(t *testing.T) {
	const rules = `{"copies":[
 {"why":"w","source":"https://x","provider":"bedrock","of":"openai","match":["a"],"prefix":"openai.","factor":1.1},
 {"why":"w","source":"https://x","provider":"vertex","of":"openai","match":["a*"],"except":["a-2024*"],"as":"b","tiers":["batch"],"regions":{"regional":1.1}}
],"rules":[{"why":"w","source":"https://y","provider":"openai","match":["a"],"tiers":[{"tier":"batch","factor":0.5},{"tier":"flex","factor":0.5}]}]}`
	got, err := buildPrices([][]byte{[]byte(devList)}, []byte(rules))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"provider":"bedrock","model":"openai.a","from":"2025-01-02","rates":[{"input":1.1,"cache_read":0.55,"output":4.4}],"source":"https://x: as openai's, of `,
		`{"provider":"vertex","model":"b","from":"2025-01-02","rates":[{"input":1,"cache_read":0.5,"output":4},{"tier":"batch","input":0.5,"cache_read":0.25,"output":2}],"regions":{"regional":1.1},`,
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("got %s\nwant in it %s", got, want)
		}
	}
	for _, wrong := range []string{
		`{"copies":[{"why":"w","provider":"vertex","of":"openai","match":["nobody"]}]}`,
		`{"copies":[{"why":"w","provider":"vertex","of":"openai","match":["a"],"factor":0}]}`,
		`{"copies":[{"why":"w","provider":"vertex","of":"openai","match":["a"],"regions":{"eu":-1}}]}`,
	} {
		if _, err := buildPrices([][]byte{[]byte(devList)}, []byte(wrong)); err == nil {
			t.Errorf("%s makes no error", wrong)
		}
	}
}
