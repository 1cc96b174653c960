package manage_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/bucketgen/bucketgen/internal/manage"
)

var update = flag.Bool("update", false, "rewrite the document")

const document = "../../docs/openapi.yaml"

// TestDocument compares the OpenAPI document with the one that is checked in.
func TestDocument(t *testing.T) {
	t.Parallel()
	got, err := manage.Document().YAML()
	if err != nil {
		t.Fatal(err)
	}
	again, err := manage.Document().YAML()
	if err != nil || !bytes.Equal(got, again) {
		t.Errorf("it is another one each time: %v", err)
	}
	if *update {
		if err := os.WriteFile(document, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("docs/openapi.yaml is not what the handlers say; run go test ./internal/manage -run TestDocument -update")
	}
}

// TestDocumentSaysAll checks that the document describes every operation, parameter and property.
func TestDocumentSaysAll(t *testing.T) {
	t.Parallel()
	text, err := manage.Document().MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Components struct {
			Schemas map[string]struct {
				Title, Description string
				Properties         map[string]struct{ Description string }
			}
		}
		Paths map[string]map[string]struct {
			OperationID, Summary, Description string
			Parameters                        []struct{ Name, Description string }
			Responses                         map[string]struct{ Description string }
		}
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	said := func(where, words string) {
		if words == "" {
			t.Errorf("%s is not described", where)
		}
	}
	for name, s := range d.Components.Schemas {
		said(name, s.Title)
		said(name, s.Description)
		for property, of := range s.Properties {
			said(name+"."+property, of.Description)
		}
	}
	operations := 0
	for path, item := range d.Paths {
		for method, op := range item {
			operations++
			where := method + " " + path
			said(where, op.OperationID)
			said(where, op.Summary)
			said(where, op.Description)
			for _, p := range op.Parameters {
				said(where+" "+p.Name, p.Description)
			}
			for status, of := range op.Responses {
				said(where+" "+status, of.Description)
			}
			for _, status := range []string{"200", "400", "401", "403", "429", "500", "503"} {
				if _, ok := op.Responses[status]; !ok {
					t.Errorf("%s does not say what %s means", where, status)
				}
			}
		}
	}
	if operations != 81 {
		t.Errorf("there are %d operations", operations)
	}
}

// TestDocumentIsValid validates the document with kin-openapi, which did not write it.
func TestDocumentIsValid(t *testing.T) {
	t.Parallel()
	d, err := openapi3.NewLoader().LoadFromFile(document)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	if !d.IsOpenAPI31OrLater() {
		t.Errorf("its version is %s, want 3.1", d.OpenAPI)
	}
}
