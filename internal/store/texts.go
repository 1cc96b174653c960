package store

import "github.com/bucketgen/bucketgen/registry"

// texts are the texts that criteria compare properties with. Users have the same ones again and again: what is remembered of
// them shares those, which is less to hold and less to look through for garbage.
type texts map[string]string

func textsOf(r *registry.Registry) texts {
	t := texts{}
	for i := range r.Buckets {
		for k := range r.Buckets[i].Criteria {
			t.add(r.Buckets[i].Criteria[k].Value)
		}
	}
	for _, all := range [][]registry.Postings{r.ByEvent, r.ByProperty} {
		for i := range all {
			for _, g := range all[i].Guarded {
				for k := range g.Values {
					t.add(g.Values[k].Value)
				}
			}
		}
	}
	return t
}

func (t texts) add(v registry.Value) {
	if v.Kind == registry.Text {
		t[v.Text] = v.Text
	}
}

// share lets values be those texts where they are the same.
func (t texts) share(values []registry.Own) {
	for i := range values {
		if v := &values[i].Value; v.Kind == registry.Text {
			if same, known := t[v.Text]; known {
				v.Text = same
			}
		}
	}
}
