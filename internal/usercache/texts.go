package usercache

import "github.com/bucketgen/bucketgen/registry/table"

// texts are the texts that criteria compare properties with. Many users have the same ones. Cached
// properties share them, which takes less memory and less time to collect garbage.
type texts map[string]string

func textsOf(r *table.Registry) texts {
	t := texts{}
	for i := range r.Buckets {
		for k := range r.Buckets[i].Criteria {
			t.add(r.Buckets[i].Criteria[k].Value)
		}
	}
	for _, all := range [][]table.Postings{r.ByEvent, r.ByProperty} {
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

func (t texts) add(v table.Value) {
	if v.Kind == table.Text {
		t[v.Text] = v.Text
	}
}

// Intern replaces texts in values by the same texts of the registry's criteria.
func (c *Cache) Intern(values []table.Own) {
	for i := range values {
		if v := &values[i].Value; v.Kind == table.Text {
			if same, known := c.texts[v.Text]; known {
				v.Text = same
			}
		}
	}
}
