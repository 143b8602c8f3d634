package policy

import "time"

// The wheel turns by a slot in each tick; what is due later than a turn stays for the next one.
const (
	wheelSlots = 1024
	wheelTick  = int64(time.Second)
)

// wheel finds what has come due at a small constant cost, up to a tick late. Times are
// nanoseconds of the meter's clock.
type wheel struct {
	slots [wheelSlots]timed
	tick  int64 // slots before it have been looked at
}

// timed is something that a wheel may hold, once.
type timed struct {
	next, prev *timed
	due        int64
	owner      expirer
}

// expirer is told when it is due, and that it has been taken out of the wheel.
type expirer interface{ expire(m *Meter, now int64) }

func (w *wheel) put(t *timed, due int64) {
	t.due = due
	slot := &w.slots[max(due/wheelTick, w.tick)%wheelSlots]
	if slot.next == nil {
		slot.next, slot.prev = slot, slot
	}
	t.next, t.prev = slot, slot.prev
	slot.prev.next, slot.prev = t, t
}

// drop takes t out, where it is in.
func (*wheel) drop(t *timed) {
	if t.next != nil {
		t.prev.next, t.next.prev = t.next, t.prev
		t.next, t.prev = nil, nil
	}
}

// advance tells everything that has come due in ticks that are over.
func (w *wheel) advance(m *Meter, now int64) {
	end := now / wheelTick
	if w.tick < end-wheelSlots {
		w.tick = end - wheelSlots // a whole turn looks at every slot
	}
	for ; w.tick < end; w.tick++ {
		slot := &w.slots[w.tick%wheelSlots]
		if slot.next == nil || slot.next == slot {
			continue
		}
		first := slot.next
		slot.prev.next = nil // the list ends here while it is looked at
		slot.next, slot.prev = slot, slot
		for t := first; t != nil; {
			next := t.next
			t.next, t.prev = nil, nil
			if t.due/wheelTick > w.tick {
				w.put(t, t.due)
			} else {
				t.owner.expire(m, now)
			}
			t = next
		}
	}
}
