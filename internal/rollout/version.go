package rollout

import (
	"runtime/debug"
	"sync"
)

// module is the path of the module that the engine comes from.
const module = "github.com/bucketgen/bucketgen"

// version returns the version of the engine in this program, as its build says.
var version = sync.OnceValue(func() string {
	info, known := debug.ReadBuildInfo()
	if !known {
		return "unknown"
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path != module {
			continue
		}
		if m.Replace != nil {
			m = m.Replace
		}
		if m.Version != "" {
			return m.Version
		}
	}
	return "(devel)"
})
