package payload

import "slices"

// Properties are the properties of a user: an object that is looked into and changed by key. What was stored is read
// only when somebody looks at all of it; what is asked by its key is found, and changed, in the text. The zero value is an
// empty object.
//
// A copy shares what it was copied from, until either is changed.
type Properties struct {
	raw    []byte // as stored; nil once it was changed
	fields []Field
	read   bool // the fields are there
	owned  bool // and nobody else's
}

// Remember returns the properties of an object that [Stored] has read before.
func Remember(raw []byte) Properties { return Properties{raw: raw} }

// StoredProperties returns the properties of an object as PostgreSQL writes it.
func StoredProperties(raw []byte) (Properties, error) {
	o, err := Stored(raw)
	return Properties{raw: raw, fields: o.Fields, read: true}, err
}

// Fields returns all properties. They must not be changed.
func (p *Properties) Fields() []Field {
	if !p.read && len(p.raw) > 0 {
		o, err := Stored(p.raw)
		if err != nil {
			o = Object{} // it was read before without an error
		}
		p.fields = o.Fields
	}
	p.read = true
	return p.fields
}

// Get returns a property. Without one it returns a field that is null.
func (p *Properties) Get(key string) Field {
	if !p.read {
		if m := find(p.raw, key); m.found {
			f := Field{Key: key, Raw: p.raw[m.value:m.end:m.end]}
			var err error
			if f.Value, err = StoredValue(f.Raw); err == nil {
				return f
			}
		} else if m.sure {
			return null(key)
		}
	}
	if i := p.find(key); i >= 0 {
		return p.fields[i]
	}
	return null(key)
}

func null(key string) Field { return Field{Key: key, Raw: []byte("null")} }

// Put gives a property a value, or removes it if the value is null.
func (p *Properties) Put(f Field) {
	if !p.read {
		if m := find(p.raw, f.Key); m.sure {
			p.raw = m.splice(p.raw, f)
			return
		}
	}
	i := p.find(f.Key)
	if !p.owned {
		p.fields, p.owned = slices.Clone(p.fields), true
	}
	p.raw = nil
	switch {
	case f.Value.Exists() && i >= 0:
		p.fields[i] = f
	case f.Value.Exists():
		p.fields = append(p.fields, f)
	case i >= 0:
		p.fields = slices.Delete(p.fields, i, i+1)
	}
}

// Raw returns the object.
func (p *Properties) Raw() []byte {
	if p.raw == nil {
		p.raw = AppendObject(nil, p.fields)
	}
	return p.raw
}

func (p *Properties) find(key string) int {
	return slices.IndexFunc(p.Fields(), func(f Field) bool { return f.Key == key })
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
