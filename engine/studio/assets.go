package studio

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

//go:embed all:assets
var embedded embed.FS

// assets are the embedded files, under names that change with their content, so that browsers keep
// them.
type assets struct {
	names map[string]string // by the name of the file: the name in the URL
	files map[string]asset  // by the name in the URL
}

type asset struct {
	kind          string // kind is the content type.
	plain, zipped []byte
}

var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8",
}

func newAssets() (*assets, error) {
	all := &assets{map[string]string{}, map[string]asset{}}
	entries, err := fs.ReadDir(embedded, "assets")
	if err != nil {
		return nil, fmt.Errorf("read the assets: %w", err)
	}
	for _, e := range entries {
		plain, err := fs.ReadFile(embedded, "assets/"+e.Name())
		if err != nil {
			return nil, fmt.Errorf("read the assets: %w", err)
		}
		sum := sha256.Sum256(plain)
		name := hex.EncodeToString(sum[:6]) + "-" + e.Name()
		all.names[e.Name()] = name
		all.files[name] = asset{contentTypes[path.Ext(e.Name())], plain, zipped(plain)}
	}
	return all, nil
}

// zipped compresses text.
func zipped(plain []byte) []byte {
	var b bytes.Buffer
	z := zippers.Get().(*gzip.Writer) //nolint:forcetypeassert // nothing else is in the pool
	defer zippers.Put(z)
	z.Reset(&b)
	_, _ = z.Write(plain) // a buffer takes everything
	_ = z.Close()
	return b.Bytes()
}

// zippers are used again: each holds most of a megabyte.
var zippers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// serve answers a request for an asset, which needs no sign-in.
func (a *assets) serve(w http.ResponseWriter, r *http.Request) {
	file, known := a.files[r.PathValue("file")]
	if !known {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", file.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Add("Vary", "Accept-Encoding")
	content := file.plain
	if acceptsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		content = file.zipped
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		if strings.TrimSpace(part) == "gzip" {
			return true
		}
	}
	return false
}
