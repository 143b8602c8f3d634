package auditlog

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/aistrale/aistrale/storage"
)

// maxLine bounds a line of an export, in bytes.
const maxLine = 8 << 20

// Report is what a verification found to be good.
type Report struct {
	Records     int
	First       int64 // sequence number of the first record, 0 where there is none
	Head        storage.AuditHead
	Checkpoints int   // that fit
	Witnessed   int64 // the highest sequence number that a checkpoint speaks for; what is behind it is only as good as the file
}

// Broken says where a file is not what the gateway wrote.
type Broken struct {
	Line int // 0: the file as a whole
	Why  string
}

func (b *Broken) Error() string {
	if b.Line == 0 {
		return b.Why
	}
	return fmt.Sprintf("line %d: %s", b.Line, b.Why)
}

// Verify reads an export and checks each record, that each follows the one before, and every
// checkpoint: those in the file, where key is one, and the ones given. What it finds to be wrong is a *Broken:
// a record that was changed, taken out, put in or moved; a file that ends below a checkpoint; and
// one that was made anew as a whole, where a checkpoint speaks for what it was.
func Verify(file io.Reader, key *Key, given []Checkpoint) (Report, error) {
	v := verifier{key: key, checkpoints: given, hashes: map[int64][32]byte{}}
	for i := range given {
		v.hashes[given[i].Head.Seq] = [32]byte{}
	}
	lines := bufio.NewReaderSize(file, 64<<10)
	for {
		text, err := readLine(lines)
		if errors.Is(err, io.EOF) {
			return v.end()
		}
		v.line++
		if err == nil {
			err = v.next(text)
		}
		if err != nil {
			return v.Report, &Broken{v.line, err.Error()}
		}
	}
}

func readLine(from *bufio.Reader) ([]byte, error) {
	var whole []byte
	for {
		part, more, err := from.ReadLine()
		if err != nil {
			return nil, err
		}
		whole = append(whole, part...)
		if len(whole) > maxLine {
			return nil, errors.New("the line is too long")
		}
		if !more {
			return whole, nil
		}
	}
}

type verifier struct {
	Report
	key         *Key
	checkpoints []Checkpoint
	hashes      map[int64][32]byte // of the records that checkpoints speak of
	line        int
}

func (v *verifier) next(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	l, err := read(text)
	if err != nil {
		return err
	}
	if l.Checkpoint == "" {
		return v.record(&l)
	}
	if v.key == nil {
		return nil
	}
	c, err := v.key.Open([]byte(l.Checkpoint))
	if err != nil {
		return err
	}
	v.checkpoints = append(v.checkpoints, c)
	return nil
}

func (v *verifier) record(l *line) error {
	r, err := l.record()
	switch {
	case err != nil:
		return err
	case v.Records == 0:
		v.First = r.Seq
		if r.Seq > 1 {
			v.hashes[r.Seq-1], v.Head.Seq = r.Prev, r.Seq-1
		}
	case r.Seq != v.Head.Seq+1:
		return fmt.Errorf("record %d stands behind record %d", r.Seq, v.Head.Seq)
	case r.Prev != v.Head.Hash:
		return fmt.Errorf("record %d does not follow the one before it", r.Seq)
	}
	if r.Seq == 1 && r.Prev != [32]byte{} {
		return errors.New("record 1 follows another one")
	}
	if r.Sum() != r.Hash {
		return fmt.Errorf("record %d was changed: its hash is another", r.Seq)
	}
	v.hashes[r.Seq] = r.Hash
	v.Records++
	v.Head = r.Head()
	return nil
}

// end holds the checkpoints against what was read.
func (v *verifier) end() (Report, error) {
	anchored := v.First <= 1
	for i := range v.checkpoints {
		head := v.checkpoints[i].Head
		if head.Seq == 0 {
			continue
		}
		if head.Seq > v.Head.Seq {
			return v.Report, &Broken{Why: fmt.Sprintf("the file ends at record %d, and a checkpoint speaks of record %d: the rest was cut off", v.Head.Seq, head.Seq)}
		}
		hash, read := v.hashes[head.Seq]
		if !read || head.Seq < v.First-1 {
			continue // of what stands before the file
		}
		if hash != head.Hash {
			return v.Report, &Broken{Why: fmt.Sprintf("record %d is not the one that a checkpoint speaks of: the log was made anew", head.Seq)}
		}
		anchored = anchored || head.Seq >= v.First-1
		v.Checkpoints++
		v.Witnessed = max(v.Witnessed, head.Seq)
	}
	if !anchored {
		return v.Report, &Broken{Why: fmt.Sprintf("the file begins at record %d: what stands before is missing, and no checkpoint speaks for it", v.First)}
	}
	return v.Report, nil
}
