package rt

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// TestNorace checks that the race detector instruments nothing here: what this package reads and writes it orders by
// itself, and an instrumented helper would report races in a program that has none.
func TestNorace(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	fset := token.NewFileSet()
	for _, e := range entries {
		name := e.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.FuncLit); ok {
				for _, pos := range accesses(lit.Body) {
					t.Errorf("%s: a function literal is instrumented: move this to a function", fset.Position(pos))
				}
			}
			return true
		})
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok {
				found++
				if !hasNorace(f) {
					t.Errorf("%s: %s lacks //go:norace", fset.Position(f.Pos()), f.Name.Name)
				}
			}
		}
	}
	if found == 0 {
		t.Error("no functions found")
	}
}

func hasNorace(f *ast.FuncDecl) bool {
	if f.Doc == nil {
		return false
	}
	for _, c := range f.Doc.List {
		if c.Text == "//go:norace" {
			return true
		}
	}
	return false
}

// accesses returns the places where code reads or writes memory itself rather than by a call. Function literals take no pragma.
func accesses(body *ast.BlockStmt) (found []token.Pos) {
	methods := map[ast.Node]bool{}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			methods[n.Fun] = true
		case *ast.SelectorExpr:
			if !methods[n] {
				found = append(found, n.Pos())
			}
		case *ast.StarExpr, *ast.IndexExpr:
			found = append(found, n.Pos())
		}
		return true
	})
	return found
}
