package mock

import "strconv"

// A film is a stream rendered beforehand: its events, each framed as one HTTP chunk, with what
// was said up to each.
type film struct {
	frames []byte
	marks  []mark
	event  []byte // the one being written
	pieces int64  // spent so far
	shown  int64  // content events so far
}

// A mark stands at the end of an event.
type mark struct {
	start, data, end int   // of the frame: chunk header, data, behind the chunk
	content          int64 // content events up to here
	pieces           int64 // pieces up to here
}

// end closes an event that carries no content.
func (f *film) end() {
	start := len(f.frames)
	f.frames = strconv.AppendUint(f.frames, uint64(len(f.event)), 16)
	f.frames = append(f.frames, '\r', '\n')
	data := len(f.frames)
	f.frames = append(f.frames, f.event...)
	f.frames = append(f.frames, '\r', '\n')
	f.marks = append(f.marks, mark{start, data, len(f.frames), f.shown, f.pieces})
	f.event = f.event[:0]
}

// endContent closes an event that carries so many pieces.
func (f *film) endContent(pieces int) {
	f.pieces += int64(pieces)
	f.shown++
	f.end()
}

// cut leaves the events up to the nth with content; for 0 those before the first. What follows
// it (its block's end, the finish) is cut off too. It reports whether there was anything to cut.
func (f *film) cut(n int64) bool {
	for i, m := range f.marks {
		if n > 0 && m.content < n || n == 0 && m.content == 0 {
			continue
		}
		if n > 0 {
			i++
		}
		f.marks = f.marks[:i]
		f.frames = f.frames[:f.at(i)]
		f.shown, f.pieces = 0, 0
		if i > 0 {
			f.shown, f.pieces = f.marks[i-1].content, f.marks[i-1].pieces
		}
		return true
	}
	return false
}

func (f *film) reset() {
	*f = film{frames: f.frames[:0], marks: f.marks[:0], event: f.event[:0]}
}

// at gives the offset of the first byte behind n events.
func (f *film) at(n int) int {
	if n == 0 {
		return 0
	}
	return f.marks[n-1].end
}

// data gives the bytes of an event without its chunk's frame.
func (f *film) data(i int) []byte { return f.frames[f.marks[i].data : f.marks[i].end-2] }
