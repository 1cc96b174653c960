//go:build !linux

package postgres

import "os/exec"

// endWithParent does nothing: only Linux ends a process when its parent dies.
func endWithParent(*exec.Cmd) {}
