package auditlog

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// chainOf makes a chain of n records.
func chainOf(t *testing.T, n int) []storage.AuditRecord {
	t.Helper()
	var head storage.AuditHead
	all := make([]storage.AuditRecord, 0, n)
	for i := range n {
		e := storage.AuditEvent{
			ID: fmt.Sprint(i), At: time.Unix(int64(i), 0), Actor: "user/ada", Action: "keys.create",
			Target: "key/<&>\u2028" + fmt.Sprint(i), Outcome: storage.AuditDone,
		}
		body, err := e.Encode()
		do(t, err)
		all = append(all, head.Next(body))
		head = all[i].Head()
	}
	return all
}

func export(records []storage.AuditRecord) []byte {
	var text []byte
	for i := range records {
		text = AppendRecord(text, &records[i])
	}
	return text
}

const origin = "aistrale/test/audit"

func keys(t *testing.T) (storage.Secret, *Key) {
	t.Helper()
	signing, verifying, err := NewKey(origin)
	do(t, err)
	key, err := ParseKey(verifying)
	do(t, err)
	return signing, &key
}

// Whatever is done to one record of a log, or to its tail below a checkpoint, is found.
func TestVerifyProperty(t *testing.T) {
	records, tries := 300, 40
	if os.Getenv("AISTRALE_PROVE") != "" {
		records, tries = 10_000, 0 // every record in every way
	}
	whole := chainOf(t, records)
	checkpoint := Checkpoint{origin, whole[records*9/10].Head()}
	texts := slices.Collect(bytes.Lines(export(whole)))
	if report, err := verifyLines(texts, checkpoint); err != nil || report.Records != records || report.Head != whole[records-1].Head() || report.Checkpoints != 1 {
		t.Fatalf("the log itself: %+v, error %v", report, err)
	}
	places := make([]int, records)
	for i := range places {
		places[i] = i
	}
	if tries > 0 {
		rand.Shuffle(records, func(i, j int) { places[i], places[j] = places[j], places[i] })
		places = append(places[:tries], 0, 1, records-2)
	}
	for _, i := range places {
		for name, damage := range damages(i, texts) {
			if len(damage) == 0 {
				continue
			}
			if _, err := verifyFrom(damage, i, whole); err == nil {
				t.Fatalf("record %d: %s was not found", i+1, name)
			}
		}
	}
	for cut := 0; cut < int(checkpoint.Head.Seq); cut += 1 + cut/10 {
		if _, err := verifyLines(texts[:cut], checkpoint); cut < int(checkpoint.Head.Seq) && err == nil {
			t.Fatalf("a log that was cut off behind record %d was not found", cut)
		}
	}
}

// damages are the ways to change one record of a log: the lines from a few before it on.
func damages(i int, texts [][]byte) map[string][][]byte {
	from := max(0, i-2)
	part := func() [][]byte { return slices.Clone(texts[from:min(len(texts), i+4)]) }
	at := i - from
	changed := part()
	changed[at] = bytes.Replace(changed[at], []byte("user/ada"), []byte("user/eve"), 1)
	removed, inserted, swapped := [][]byte(nil), part(), [][]byte(nil)
	if i < len(texts)-1 { // the last one is the tail, of which a checkpoint must tell
		removed = slices.Delete(part(), at, at+1)
		swapped = part()
		swapped[at], swapped[at+1] = swapped[at+1], swapped[at]
	}
	inserted = slices.Insert(inserted, at, inserted[at])
	return map[string][][]byte{"a change": changed, "a removal": removed, "an insertion": inserted, "a swap": swapped}
}

// verifyFrom verifies lines that begin a few records before i, with a checkpoint for what stands before.
func verifyFrom(texts [][]byte, i int, whole []storage.AuditRecord) (Report, error) {
	given := []Checkpoint{}
	if from := max(0, i-2); from > 0 {
		given = append(given, Checkpoint{origin, whole[from-1].Head()})
	}
	return verifyLines(texts, given...)
}

func verifyLines(texts [][]byte, given ...Checkpoint) (Report, error) {
	return Verify(bytes.NewReader(bytes.Join(texts, nil)), nil, given)
}

// Who makes the whole log anew has no checkpoint that fits.
func TestVerify_MadeAnew(t *testing.T) {
	signing, key := keys(t)
	whole := chainOf(t, 20)
	signed, err := Checkpoint{origin, whole[9].Head()}.Sign(signing)
	do(t, err)
	c, err := key.Open(signed)
	do(t, err)
	text, err := AppendCheckpoint(export(whole), signed)
	do(t, err)
	report, err := Verify(bytes.NewReader(text), key, nil)
	if err != nil || report.Checkpoints != 1 || report.Witnessed != 10 {
		t.Fatalf("%+v, error %v", report, err)
	}

	var head storage.AuditHead
	forged := slices.Clone(whole)
	for i := range forged {
		forged[i] = head.Next(bytes.Replace(forged[i].Body, []byte("ada"), []byte("eve"), 1))
		head = forged[i].Head()
	}
	for name, file := range map[string][]byte{"with": append(export(forged), bytes.TrimPrefix(text, export(whole))...), "without": export(forged)} {
		_, err := Verify(bytes.NewReader(file), key, []Checkpoint{c})
		var broken *Broken
		if !errors.As(err, &broken) || !strings.Contains(err.Error(), "made anew") {
			t.Errorf("%s the old checkpoint in it: error %v", name, err)
		}
	}
	other, _ := keys(t)
	foreign, err := Checkpoint{origin, whole[19].Head()}.Sign(other)
	do(t, err)
	text, err = AppendCheckpoint(export(whole), foreign)
	do(t, err)
	if _, err := Verify(bytes.NewReader(text), key, nil); err == nil {
		t.Error("a checkpoint by another key was taken")
	}
}

func TestVerify_Part(t *testing.T) {
	whole := chainOf(t, 20)
	if _, err := Verify(bytes.NewReader(export(whole[10:])), nil, nil); err == nil {
		t.Error("a file without its beginning was taken")
	}
	before := Checkpoint{origin, whole[9].Head()}
	if report, err := Verify(bytes.NewReader(export(whole[10:])), nil, []Checkpoint{before}); err != nil || report.First != 11 {
		t.Errorf("%+v, error %v", report, err)
	}
	if _, err := Verify(bytes.NewReader(export(whole[11:])), nil, []Checkpoint{before}); err == nil {
		t.Error("a file that lacks a record behind the checkpoint was taken")
	}
	for _, text := range []string{"x\n", "{}\n", `{"seq":1,"prev":"","hash":"","event":{}}` + "\n", `{"seq":1,"seq":2}` + "\n"} {
		if _, err := Verify(strings.NewReader(text), nil, nil); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestSplit(t *testing.T) {
	signing, key := keys(t)
	var file []byte
	for _, r := range chainOf(t, 3) {
		signed, err := Checkpoint{origin, r.Head()}.Sign(signing)
		do(t, err)
		file = append(append(file, signed...), '\n')
	}
	notes := Split(file)
	if len(notes) != 3 {
		t.Fatalf("%d notes, want 3", len(notes))
	}
	for i, n := range notes {
		if c, err := key.Open(n); err != nil || c.Head.Seq != int64(i+1) {
			t.Errorf("note %d: %+v, error %v", i, c, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add([]byte(`{"seq":1,"prev":"00","hash":"00","event":{}}`))
	f.Fuzz(func(_ *testing.T, file []byte) {
		_, _ = Verify(bytes.NewReader(file), nil, nil)
		Split(file)
	})
}
