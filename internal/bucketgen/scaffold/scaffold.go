// Package scaffold makes the first files of a program that uses buckets.
package scaffold

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
)

// files are the files that a module gets. Each has a template of the same name with .tmpl behind
// it, so that it is no Go file of this module. The template is executed with the [host].
var files = []string{
	"buckets/buckets.go",
	"buckets/buckets_test.go",
	"buckets/generate.go",
	"cmd/bucketd/main.go",
}

// attributes is a file that a module gets unless it has one. It keeps Git from changing the line
// ends of generated code, and GitHub from showing it in diffs.
const (
	attributes     = ".gitattributes"
	attributesText = "gen/** text eol=lf linguist-generated\n"
)

//go:embed templates
var templates embed.FS

// host is the module that gets the files.
type host struct {
	Module  string // its path
	Package string // import path of the directory that gets the files: the module's, unless it is below
}

// Write makes the files in the directory, which must be in a module, and returns their names. If
// any of them exists it makes none, except for .gitattributes, which stays unchanged then.
func Write(ctx context.Context, dir string) ([]string, error) {
	h, err := findHost(ctx, dir)
	if err != nil {
		return nil, err
	}
	var taken []string
	rendered := make([][]byte, len(files))
	for i, name := range files {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			taken = append(taken, name)
		}
		if rendered[i], err = render(name, h); err != nil {
			return nil, err
		}
	}
	if len(taken) > 0 {
		return nil, fmt.Errorf("already there: %s; nothing is overwritten, so delete it or work with it", strings.Join(taken, ", "))
	}
	for i, name := range files {
		if err := create(filepath.Join(dir, name), rendered[i]); err != nil {
			return nil, err
		}
	}
	err = create(filepath.Join(dir, attributes), []byte(attributesText))
	if errors.Is(err, fs.ErrExist) {
		return files, nil
	}
	return append(slices.Clone(files), attributes), err
}

func render(name string, h host) ([]byte, error) {
	t, err := template.ParseFS(templates, "templates/"+name+".tmpl")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, h)
	return out.Bytes(), err
}

func create(file string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// findHost returns the module that contains the directory.
func findHost(ctx context.Context, dir string) (host, error) {
	run := func(args ...string) ([]byte, error) {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir = dir
		out, err := cmd.Output()
		if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
			return nil, errors.New(strings.TrimSpace(string(failed.Stderr)))
		}
		return out, err
	}
	goMod, err := run("env", "GOMOD")
	if err != nil {
		return host{}, err
	}
	file := strings.TrimSpace(string(goMod))
	if file == "" || file == os.DevNull {
		return host{}, errors.New("there is no go.mod here or above; run go mod init first")
	}
	description, err := run("mod", "edit", "-json", file)
	if err != nil {
		return host{}, err
	}
	var mod struct{ Module struct{ Path string } }
	if err := json.Unmarshal(description, &mod); err != nil { //nolint:musttag // the go command writes the names of fields
		return host{}, fmt.Errorf("read %s: %w", file, err)
	}
	full, err := filepath.Abs(dir)
	if err != nil {
		return host{}, err
	}
	below, err := filepath.Rel(filepath.Dir(file), full)
	return host{mod.Module.Path, path.Join(mod.Module.Path, filepath.ToSlash(below))}, err
}
