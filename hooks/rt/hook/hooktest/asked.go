package hooktest

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
)

// Asked returns the interfaces that packages ask for by type assertion or type switch, in their sources, and a place where each is asked for. What stands around a
// value of the program's must offer those that the value offers, and no other. Interfaces are named as the sources name them, but those of other packages by the
// last element of their path. folders: of the packages; FOLDER/... has all below it. other: names of interfaces of further packages, such as fmt.Stringer; all
// that stand in packages io and http are taken anyway.
func Asked(folders []string, other map[string]string) (map[string]string, error) {
	files := token.NewFileSet()
	declared := map[string]bool{}
	var parsed []*ast.File
	read := func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "testdata" || entry.Name() == "pprof" || entry.Name() == "examples") {
			return fs.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, ".pb.go") {
			return nil
		}
		file, err := parser.ParseFile(files, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		parsed = append(parsed, file)
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if _, ok := spec.Type.(*ast.InterfaceType); ok {
					declared[spec.Name.Name], declared[file.Name.Name+"."+spec.Name.Name] = true, true
				}
			}
			return true
		})
		return nil
	}
	for _, folder := range folders {
		base, all := strings.CutSuffix(folder, "/...")
		err := filepath.WalkDir(base, func(name string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() && name != base && !all {
				return fs.SkipDir
			}
			return read(name, entry, err)
		})
		if err != nil {
			return nil, err
		}
	}
	asked := map[string]string{}
	note := func(renamed map[string]string, expr ast.Expr) {
		if e, ok := expr.(*ast.SelectorExpr); ok {
			if x, ok := e.X.(*ast.Ident); ok && renamed[x.Name] != "" {
				expr = &ast.SelectorExpr{X: &ast.Ident{Name: renamed[x.Name], NamePos: x.NamePos}, Sel: e.Sel}
			}
		}
		var b bytes.Buffer
		_ = printer.Fprint(&b, files, expr)
		name := strings.Join(strings.Fields(b.String()), " ")
		switch e := expr.(type) {
		case *ast.InterfaceType:
			if len(e.Methods.List) == 0 {
				return
			}
		case *ast.Ident:
			if !declared[e.Name] && e.Name != "error" {
				return
			}
		case *ast.SelectorExpr:
			if _, known := other[name]; !known && !declared[name] && !strings.HasPrefix(name, "io.") && !strings.HasPrefix(name, "http.") {
				return
			}
		default:
			return
		}
		asked[name] = files.Position(expr.Pos()).String()
	}
	for _, file := range parsed {
		renamed := map[string]string{}
		for _, spec := range file.Imports {
			if spec.Name != nil {
				renamed[spec.Name.Name] = path.Base(strings.Trim(spec.Path.Value, `"`))
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeAssertExpr:
				if n.Type != nil {
					note(renamed, n.Type)
				}
			case *ast.TypeSwitchStmt:
				for _, clause := range n.Body.List {
					for _, expr := range clause.(*ast.CaseClause).List {
						note(renamed, expr)
					}
				}
			}
			return true
		})
	}
	return asked, nil
}

// Consider fails a test for each interface that Asked finds and that nobody has thought of, and if it does not find one that is known to be there. It skips
// the test where there are no sources. considered: what the wrappers do about each.
func Consider(t interface {
	Helper()
	Errorf(format string, args ...any)
	Skipf(format string, args ...any)
}, folders []string, considered map[string]string, known string) {
	t.Helper()
	asked, err := Asked(folders, considered)
	if err != nil {
		t.Skipf("no sources: %v", err)
	}
	if asked[known] == "" {
		t.Errorf("%s is not found: %v", known, asked)
	}
	for name, place := range asked {
		if considered[name] == "" {
			t.Errorf("%s asks for %s: what do our wrappers do?", place, name)
		}
	}
}

// SourceOf returns the folder of the sources of a function's package.
func SourceOf(function any) string {
	f := runtime.FuncForPC(reflect.ValueOf(function).Pointer())
	file, _ := f.FileLine(f.Entry())
	return filepath.Dir(file)
}
