package payload

import (
	"maps"
	"slices"
)

// Properties are the properties of a user: an object with reads and changes by key. A stored object
// is parsed only when a caller needs all members, or many of them. Until then a member is found and
// changed in the text. So the cost of an event is proportional to the bytes of the object and of
// the event. The zero value is an empty object.
//
// A copy shares memory with its original, until either is changed.
type Properties struct {
	raw     []byte         // as stored; nil after a change
	fields  []Field        // removed ones are null
	index   map[string]int // position of each by key; nil while they are few
	gone    int            // number of removed fields
	bytes   int            // of the others, see [Properties.Size]
	scanned int            // bytes of the text that were scanned through, or written anew
	read    bool           // fields is filled
	owned   bool           // fields is not shared
}

const (
	// The text is parsed once this many times its length was scanned.
	mostPasses = 8
	// Up to this many fields are compared one by one.
	mostCompared = 16
	// A member takes at least the bytes of "":0 and a comma.
	leastMember = 5
	// The bytes of a member beside its key and its value: quotes, a colon, a comma.
	framing = 4
)

// Remember returns the properties of an object that [Stored] has read before.
func Remember(raw []byte) Properties { return Properties{raw: raw} }

// StoredProperties returns the properties of an object as PostgreSQL writes it.
func StoredProperties(raw []byte) (Properties, error) {
	o, err := Stored(raw)
	p := Properties{raw: raw}
	p.take(o.Fields)
	return p, err
}

// take sets the fields of the object.
func (p *Properties) take(fields []Field) {
	p.fields, p.read = fields, true
	for i := range fields {
		if fields[i].Value.Exists() {
			p.bytes += fields[i].Size()
		} else {
			p.gone++
		}
	}
}

// Size is roughly how many bytes the member takes in an object. White space in lists and objects
// does not count, because PostgreSQL adds some: a user has the same size whether they are cached or
// read.
func (f Field) Size() int { return len(f.Key) + compactSize(f.Raw) + framing }

// compactSize returns how many bytes a JSON value takes without white space.
func compactSize(raw []byte) int {
	if len(raw) == 0 || raw[0] != '[' && raw[0] != '{' {
		return len(raw)
	}
	n, text := 0, false
	for i := 0; i < len(raw); i++ {
		switch b := raw[i]; {
		case text && b == '\\':
			n++ // and the byte after it, below
			i++
		case b == '"':
			text = !text
		case !text && (b == ' ' || b == '\t' || b == '\n' || b == '\r'):
			continue
		}
		n++
	}
	return n
}

// Fields returns all properties. They must not be changed.
func (p *Properties) Fields() []Field {
	p.parse()
	if p.gone > 0 {
		left := make([]Field, 0, len(p.fields)-p.gone)
		for _, f := range p.fields {
			if f.Value.Exists() {
				left = append(left, f)
			}
		}
		p.fields, p.index, p.gone, p.owned = left, nil, 0, true
	}
	return p.fields
}

// parse reads the fields unless they are filled.
func (p *Properties) parse() {
	if !p.read && len(p.raw) > 0 {
		o, err := Stored(p.raw)
		if err != nil {
			o = Object{} // it was parsed before without an error
		}
		p.take(o.Fields)
	}
	p.read = true
}

// Size returns how many properties there are, and roughly how many bytes they take.
func (p *Properties) Size() (count, bytes int) {
	p.parse()
	return len(p.fields) - p.gone, p.bytes
}

// Bound returns upper bounds of [Properties.Size] without parsing.
func (p *Properties) Bound() (count, bytes int) {
	if p.read {
		return p.Size()
	}
	return len(p.raw) / leastMember, len(p.raw) + framing
}

// inText finds a member in the text, unless parsing has become cheaper.
func (p *Properties) inText(key string) member {
	if p.read || p.scanned > mostPasses*len(p.raw) {
		return member{}
	}
	m := find(p.raw, key)
	p.scanned += m.end
	return m
}

// Get returns a property. Without one it returns a field that is null.
func (p *Properties) Get(key string) Field {
	switch m := p.inText(key); {
	case m.found:
		f := Field{Key: key, Raw: p.raw[m.value:m.end:m.end]}
		var err error
		if f.Value, err = StoredValue(f.Raw); err == nil {
			return f
		}
	case m.sure:
		return null(key)
	}
	if i := p.find(key); i >= 0 {
		return p.fields[i]
	}
	return null(key)
}

func null(key string) Field { return Field{Key: key, Raw: []byte("null")} }

// Put sets a property, or removes it if the value is null.
func (p *Properties) Put(f Field) {
	if m := p.inText(f.Key); m.sure {
		p.raw = m.splice(p.raw, f)
		p.scanned += len(p.raw)
		return
	}
	i, exists := p.find(f.Key), f.Value.Exists()
	if !p.owned {
		p.fields, p.index, p.owned = slices.Clone(p.fields), maps.Clone(p.index), true
	}
	p.raw = nil
	switch {
	case i >= 0:
		p.replace(&p.fields[i], f)
	case exists:
		p.fields = append(p.fields, f)
		if p.index != nil {
			p.index[f.Key] = len(p.fields) - 1
		}
	}
	if exists {
		p.bytes += f.Size()
	}
}

// replace puts a value in the place of another, or of a removed one.
func (p *Properties) replace(was *Field, f Field) {
	if was.Value.Exists() {
		p.bytes -= was.Size()
		p.gone++
	}
	if *was = f; f.Value.Exists() {
		p.gone--
	} else {
		*was = null(f.Key)
	}
}

// Raw returns the object.
func (p *Properties) Raw() []byte {
	if p.raw == nil {
		p.raw = AppendObject(nil, p.Fields())
	}
	return p.raw
}

// find returns the position of a property, also of a removed one; -1 if there never was one.
func (p *Properties) find(key string) int {
	p.parse()
	if len(p.fields) <= mostCompared {
		return slices.IndexFunc(p.fields, func(f Field) bool { return f.Key == key })
	}
	if p.index == nil {
		p.index = make(map[string]int, len(p.fields))
		for i := range p.fields {
			p.index[p.fields[i].Key] = i
		}
	}
	if i, known := p.index[key]; known {
		return i
	}
	return -1
}

// AppendObject appends an object of fields.
func AppendObject(dst []byte, fields []Field) []byte {
	dst = append(dst, '{')
	for i, f := range fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(AppendText(dst, f.Key), ':')
		dst = append(dst, f.Raw...)
	}
	return append(dst, '}')
}
