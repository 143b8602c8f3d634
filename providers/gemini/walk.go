package gemini

// A flat walk over JSON, for what runs on every event: it validates nothing and allocates
// nothing, and on bytes that are no JSON it just ends early.

// members visits the members of an object until visit says false.
func members(raw []byte, visit func(name, value []byte) bool) {
	i := space(raw, 0)
	if i >= len(raw) || raw[i] != '{' {
		return
	}
	for i++; ; i++ {
		i = space(raw, i)
		if i >= len(raw) || raw[i] != '"' {
			return
		}
		nameEnd := skip(raw, i)
		name := inner(raw[i:nameEnd])
		i = space(raw, nameEnd)
		if i >= len(raw) || raw[i] != ':' {
			return
		}
		i = space(raw, i+1)
		end := skip(raw, i)
		if end == i || !visit(name, raw[i:end]) {
			return
		}
		i = space(raw, end)
		if i >= len(raw) || raw[i] != ',' {
			return
		}
	}
}

// items visits the items of an array until visit says false.
func items(raw []byte, visit func(item []byte) bool) {
	i := space(raw, 0)
	if i >= len(raw) || raw[i] != '[' {
		return
	}
	for i++; ; i++ {
		i = space(raw, i)
		end := skip(raw, i)
		if end == i || !visit(raw[i:end]) {
			return
		}
		i = space(raw, end)
		if i >= len(raw) || raw[i] != ',' {
			return
		}
	}
}

// skip gives the end of the value that begins at i, i where none does.
func skip(raw []byte, i int) int {
	if i >= len(raw) {
		return i
	}
	switch raw[i] {
	case '"':
		return skipString(raw, i)
	case '{', '[':
		return skipNested(raw, i)
	}
	for i < len(raw) {
		switch raw[i] {
		case ',', '}', ']', ':', ' ', '\t', '\r', '\n':
			return i
		}
		i++
	}
	return i
}

func skipString(raw []byte, i int) int {
	for i++; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(raw)
}

func skipNested(raw []byte, i int) int {
	for depth := 0; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			i = skipString(raw, i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(raw)
}

func space(raw []byte, i int) int {
	for i < len(raw) && (raw[i] == ' ' || raw[i] == '\t' || raw[i] == '\r' || raw[i] == '\n') {
		i++
	}
	return i
}

// inner takes the quotes off a string; other values stay as they are.
func inner(value []byte) []byte {
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		return value[1 : len(value)-1]
	}
	return value
}
