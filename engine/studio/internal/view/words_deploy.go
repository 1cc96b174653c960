package view

import (
	"fmt"

	"github.com/bucketgen/bucketgen/engine/server/client"
)

// DeploymentWords say in short what a deployment was.
func DeploymentWords(d client.Deployment) string {
	switch d.Kind {
	case client.ChangePause:
		return "a bucket was paused"
	case client.ChangeResume:
		return "a bucket was resumed"
	default:
		return fmt.Sprintf("deployment %d", d.No)
	}
}
