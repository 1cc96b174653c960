// Bucketgen writes the Go code that runs bucket definitions which are written in Go.
//
// Usage:
//
//	bucketgen [generate] [-out DIR] [-timeout DURATION] [DIR]
//	bucketgen check      [-out DIR] [-timeout DURATION] [DIR]
//	bucketgen init
//
// DIR is the directory of the definitions, by default the working directory. What is generated becomes package gen in
// the directory gen beside DIR, or the package that -out names. A host has one line in its definitions:
//
//	//go:generate go tool bucketgen -out ../gen .
//
// # Definitions
//
// Bucketgen reads the exported variables of type bucket.Definition or []bucket.Definition of one package. For each
// bucket the generated package has a variable that names it, PowerUsers for the id "power-users"; for all properties it
// has the variable Properties; and the variable Registry has all that the engine needs. An unexported definition is an error, so that none is lost by accident.
//
// The definitions are run in order to read them: a program that imports them is built beneath their directory without
// writing anything there. They may compute, loop and use internal packages, vendored ones and workspaces. They may not
// import the generated package, neither directly nor by way of another one. They have -timeout to finish, 30s by
// default.
//
// The program always runs here, whatever GOOS and GOARCH say. The go command is less generous: asked for "go tool
// bucketgen" it builds bucketgen itself for another machine and cannot run it, so leave them unset for go generate.
//
// Go initialises the variables of a package in a single function, and compilers are slow with functions of thousands of
// calls. Where there are that many buckets, let functions return them as []bucket.Definition, some dozens each.
//
// # Mistakes
//
// All that is wrong with the definitions is reported at once, in lines of the form
//
//	file:line: bucket "id": what is wrong; what to write instead
//
// and then nothing is written. Warnings are reported the same way and hinder nothing.
//
// # Files
//
// The generated package consists of the files refs_gen.go, registry_gen.go, index_gen.go and criteria_gen.go. The same
// definitions give the same bytes on every machine; commit them. Files that did not change are not touched. Other files
// in the directory stay, unless they end in _gen.go and say that bucketgen wrote them.
//
// Criteria are generated as tables and, for up to 500 buckets, as functions that say the same in a form that people can
// read.
//
// # Checking
//
// The command check writes nothing. It prints as a unified diff what generate would change and exits with status 1, or
// with status 0 if the package is fresh. In any trouble the status is 2; that goes for the other commands too.
//
// # Starting
//
// The command init makes the directory buckets in a module, with a small file of definitions to begin with. It
// overwrites nothing.
package main

import (
	"context"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}
