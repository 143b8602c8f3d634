package main_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// judgeEnv names the folder of the fidelity judge: a program that replays recorded provider
// traffic to the built gateway from both sides, and knows nothing of its inside.
const judgeEnv = "AISTRALE_JUDGE"

// judgeFaults are recordings in which the judge's wish is not ours, by id.
var judgeFaults = map[string]string{
	// A refusal's explanation stands in message.refusal, as OpenAI's clients expect it; the judge
	// takes it for text that the provider did not say.
	"anthropic-messages-1c8935d4adec": "refusal counted as text",
	"anthropic-messages-311d5688de3d": "refusal counted as text",
	"anthropic-messages-ce5bb80ef7a9": "refusal counted as text",
	// The recorded stream ends without a finishReason. One cut off must not look complete.
	"gemini-streamGenerateContent-dee4307073cf": "a cut stream is an error",
	// Groq answers 400 to store (fanenr/chatbot#21), so it is left out and named as dropped.
	"inbound-given-029@groq":  "store is left out",
	"pair-metadataParam@groq": "store is left out",
}

// judged is the judge's report.
type judged struct {
	Rows []struct {
		Direction, Provider string
		Pair, Face          string // of the judge of the other faces
		Cases, Passed       int
	}
	Checks []struct {
		Direction, Provider, Check string
		Failed, Of                 int
	}
	// Failures are the checks that failed, by case and by name.
	Failures map[string]map[string]string
}

func TestJudge(t *testing.T) {
	t.Parallel()
	folder := judgeFolder(t)
	f := func(name string, options ...string) {
		t.Helper()
		t.Run(name, func(t *testing.T) { judge(t, folder, "", options).hold(t) })
	}
	f("whole")
	f("split", "--split") // streams cut at random bytes
}

// The other faces: where both sides speak one language nothing may differ, elsewhere one case in a
// hundred at most.
func TestJudge_faces(t *testing.T) {
	t.Parallel()
	folder := judgeFolder(t)
	for _, face := range []string{"messages", "gemini", "responses"} {
		t.Run(face, func(t *testing.T) {
			cases, passed := map[string]int{}, map[string]int{}
			for _, r := range judge(t, folder, "FACES=1", []string{"--faces", face}).Rows {
				cases[r.Pair] += r.Cases
				passed[r.Pair] += r.Passed
			}
			for pair, least := range map[string]int{"exact": 100, "cross": 99, "error": 99} {
				if cases[pair] == 0 || 100*passed[pair] < least*cases[pair] {
					t.Errorf("%s: %d of %d cases pass", pair, passed[pair], cases[pair])
				}
			}
		})
	}
}

func judgeFolder(t *testing.T) string {
	t.Helper()
	folder := os.Getenv(judgeEnv)
	if folder == "" {
		t.Skip(judgeEnv + " is not set: fidelity is not judged over recorded traffic")
	}
	if _, err := exec.LookPath("python3"); err != nil {
		missing(t, "python3 is missing: the fidelity judge cannot run")
	}
	if _, err := os.Stat(filepath.Join(folder, "run")); err != nil {
		missing(t, judgeEnv+" names no judge: "+err.Error())
	}
	return folder
}

func judge(t *testing.T, folder, setting string, options []string) *judged {
	t.Helper()
	report := filepath.Join(t.TempDir(), "report.json")
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	args := append([]string{binary(t), "--json", report}, options...)
	cmd := exec.CommandContext(ctx, filepath.Join(folder, "run"), args...)
	cmd.Env = append(os.Environ(), setting)
	// The script starts the gateway: both must end with the test.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = patience
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the judge: %v\n%s", err, last(string(said), 40))
	}
	raw, err := os.ReadFile(report)
	if err != nil {
		t.Fatalf("the judge left no report: %v\n%s", err, last(string(said), 40))
	}
	var j judged
	if err := json.Unmarshal(raw, &j); err != nil {
		t.Fatal(err)
	}
	return &j
}

// last gives the last lines of a text.
func last(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// hold holds every provider and direction to the bar: beside known faults of the judge at most
// two cases, or one in two hundred, may fail.
func (j *judged) hold(t *testing.T) {
	t.Helper()
	type group struct{ direction, provider string }
	cases, failed := map[group]int{}, map[group]int{}
	for _, r := range j.Rows {
		g := group{r.Direction, r.Provider}
		cases[g] += r.Cases
		failed[g] += r.Cases - r.Passed
	}
	for _, want := range []group{
		{"reply", "anthropic"}, {"reply", "gemini"}, {"reply", "groq"}, {"reply", "huggingface"}, {"reply", "openai"},
		{"request", "anthropic"}, {"request", "gemini"}, {"request", "groq"}, {"request", "openai"},
	} {
		if cases[want] == 0 {
			t.Errorf("no %s of %s was judged", want.direction, want.provider)
		}
	}
	known := map[group]int{}
	for id := range j.Failures {
		if _, ok := judgeFaults[id]; ok {
			known[group(sideOf(id))]++
		} else {
			t.Logf("%s fails %v", id, j.Failures[id])
		}
	}
	for g, n := range failed {
		if unknown := n - known[g]; unknown > max(2, cases[g]/200) {
			t.Errorf("%s of %s: %d of %d cases fail", g.direction, g.provider, unknown, cases[g])
		}
	}
	j.holdExtras(t)
}

// sideOf tells the direction and the provider of a known fault by its id.
func sideOf(id string) struct{ direction, provider string } {
	if _, provider, ok := strings.Cut(id, "@"); ok {
		return struct{ direction, provider string }{"request", provider}
	}
	provider, _, _ := strings.Cut(id, "-")
	return struct{ direction, provider string }{"reply", provider}
}

// holdExtras wants reasoning, its signatures and citations kept in 95 of 100 cases.
func (j *judged) holdExtras(t *testing.T) {
	t.Helper()
	seen := map[string]bool{}
	for _, c := range j.Checks {
		switch c.Check {
		case "extra.reasoning_text", "extra.signatures", "extra.citations":
			seen[c.Provider+" "+c.Check] = c.Of > 0
			if 100*(c.Of-c.Failed) < 95*c.Of {
				t.Errorf("%s of %s is kept in %d of %d cases only", c.Check, c.Provider, c.Of-c.Failed, c.Of)
			}
		}
	}
	for _, provider := range []string{"anthropic", "gemini"} {
		for _, check := range []string{"extra.reasoning_text", "extra.signatures", "extra.citations"} {
			if !seen[provider+" "+check] {
				t.Errorf("%s of %s was not judged", check, provider)
			}
		}
	}
}
