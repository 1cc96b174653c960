// Package studio serves Studio, the web page of an engine: every bucket, every user and every
// change, in a browser. It is a client of the management API and uses nothing else of the engine.
//
//	api := server.NewHandler(eng, pool, "bucketgen", server.HTTP{}, nil)
//	page, err := studio.New(api, studio.Config{Authenticate: signedIn})
//	// ...
//	mux.Handle("/studio/", page)
//	mux.Handle("/", api)
//
// The page needs no build step and no files beside the program: its assets are embedded.
package studio

//go:generate go tool -modfile=../../tools/studio/go.mod templ generate -path internal/view
//go:generate go tool -modfile=../../tools/studio/go.mod esbuild islands/studio.ts islands/stream.ts islands/bounce.ts --bundle --minify --target=es2022 --outdir=assets --log-level=warning
