package providers

// Sole is room for the first value of a list that mostly has no other.
type Sole[T any] struct {
	list  [1]*T
	value T
}

// New makes a value for the list, and gives both. It is put into the list that it gives, which
// has the room where the one that it was given is empty.
func (s *Sole[T]) New(list []*T) (*T, []*T) {
	if len(list) > 0 {
		return new(T), list
	}
	return &s.value, s.list[:0]
}
