package server_test

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// TestREADMEShowsAPlan checks that the plan in the README is one that is printed.
func TestREADMEShowsAPlan(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	script, err := txtar.ParseFile("testdata/script/deploy.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range script.Files {
		if f.Name == "plan.txt" {
			if !strings.Contains(string(readme), "$ bucketd plan\n"+strings.TrimRight(string(f.Data), "\n")+"\n```") {
				t.Errorf("the README does not show this plan:\n%s", f.Data)
			}
			return
		}
	}
	t.Error("the script prints no plan")
}
