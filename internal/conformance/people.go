package conformance

import "strings"

// strangers returns the names of those whom the peer knows by more than one user id: by an email
// address or an anonymous id, without a contact, or by ids that it thinks are of one person. Ours
// may think otherwise.
func (v *Vector) strangers() map[string]bool {
	groups := map[string]string{} // each name to one that leads to the name of its group
	var find func(string) string
	find = func(name string) string {
		if next, known := groups[name]; known && next != name {
			return find(next)
		}
		groups[name] = name
		return name
	}
	odd := map[string]bool{}
	for i := range v.Steps {
		s := &v.Steps[i]
		if !s.ingests() {
			continue
		}
		names := s.names()
		for _, name := range names {
			groups[find(name)] = find(names[0])
		}
		if s.blank() || s.AnonymousID != "" || s.AllowCreate != nil && !*s.AllowCreate {
			odd[names[0]] = true
		}
	}
	users := map[string]string{}
	for name := range groups {
		if strings.HasPrefix(name, "user:") {
			if other, taken := users[find(name)]; taken && other != name {
				odd[name] = true
			}
			users[find(name)] = name
		}
	}
	odds := map[string]bool{}
	for name := range odd {
		odds[find(name)] = true
	}
	strangers := map[string]bool{}
	for name := range groups {
		if _, bare, _ := strings.Cut(name, ":"); odds[find(name)] {
			strangers[bare] = true
		}
	}
	return strangers
}

// names returns all names of users in a step, with the kind of each name. There is at least one.
func (s *Action) names() []string {
	var names []string
	if !s.blank() {
		names = append(names, "user:"+s.User)
	}
	if s.AnonymousID != "" {
		names = append(names, "anonymous:"+s.AnonymousID)
	}
	if email := strings.ToLower(strings.TrimSpace(s.Email)); email != "" {
		names = append(names, "email:"+email)
	}
	if key := s.Observed.UserKey; key != "" && key != s.User {
		names = append(names, "user:"+key)
	}
	if len(names) == 0 {
		names = append(names, "user:"+s.User)
	}
	return names
}
