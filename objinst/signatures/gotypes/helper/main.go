// Command gotypes tells the signatures of a package's functions, by symbol and in the linker's names of types, for functions
// that DWARF does not describe. It reads the export data in the package's archive, or its source, and of other packages the export
// data in theirs. It uses the standard library only, and is built with the toolchain of the archives, whose format it thus knows.
//
// It reads a request and writes an answer, both JSON.
package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// request names a package. Without Files its export data is read. Files are sources of it in Folder, perhaps not all.
type request struct {
	Package  string
	Archives map[string]string // import path to archive
	Files    []string
	Folder   string
	GOOS     string
	GOARCH   string
	Tags     []string
}

// answer has the functions by symbol, or says why it has none.
type answer struct {
	Functions map[string]function
	Error     string
}

type function struct {
	Params  [][2]string // name and type, the receiver first
	Results [][2]string
}

func main() {
	var req request
	if err := json.NewDecoder(os.Stdin).Decode(&req); err != nil {
		fmt.Fprintln(os.Stderr, "gotypes: request:", err)
		os.Exit(2)
	}
	if err := json.NewEncoder(os.Stdout).Encode(reply(&req)); err != nil {
		fmt.Fprintln(os.Stderr, "gotypes: answer:", err)
		os.Exit(1)
	}
}

func reply(req *request) answer {
	fset := token.NewFileSet()
	imports := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		for _, name := range []string{path, "vendor/" + path} {
			if file, ok := req.Archives[name]; ok {
				return os.Open(file)
			}
		}
		return nil, fmt.Errorf("package %s is not in the link", path)
	})
	var pkg *types.Package
	var err error
	if len(req.Files) == 0 {
		pkg, err = imports.Import(req.Package)
	} else {
		pkg, err = check(req, fset, imports)
	}
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Functions: functions(pkg)}
}

// check type-checks the package without the bodies of its functions: its known files, and if these are not all, those beside them
// that belong to the build.
func check(req *request, fset *token.FileSet, imports types.Importer) (*types.Package, error) {
	pkg, err := checkFiles(req, fset, imports, req.Files)
	if err == nil {
		return pkg, nil
	}
	all, listErr := siblings(req)
	if listErr != nil || len(all) == len(req.Files) {
		return nil, err
	}
	return checkFiles(req, fset, imports, all)
}

func checkFiles(req *request, fset *token.FileSet, imports types.Importer, names []string) (*types.Package, error) {
	var files []*ast.File
	for _, name := range names {
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	config := types.Config{
		Importer:         imports,
		IgnoreFuncBodies: true,
		FakeImportC:      true,
		Sizes:            types.SizesFor("gc", req.GOARCH),
	}
	return config.Check(req.Package, fset, files, nil)
}

// siblings lists the files in the folder that the go command would compile, and the known ones.
func siblings(req *request) ([]string, error) {
	context := build.Default
	context.GOOS, context.GOARCH, context.BuildTags = req.GOOS, req.GOARCH, req.Tags
	known := make(map[string]bool)
	for _, file := range req.Files {
		known[file] = true
	}
	entries, err := os.ReadDir(req.Folder)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, entry := range entries {
		name := entry.Name()
		path := filepath.Join(req.Folder, name)
		if known[path] {
			found = append(found, path)
			continue
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		if matches, err := context.MatchFile(req.Folder, name); err == nil && matches {
			found = append(found, path)
		}
	}
	return found, nil
}

// functions lists the functions of a package and the methods of its types. What has a type that could not be found is left out.
func functions(pkg *types.Package) map[string]function {
	found := make(map[string]function)
	prefix := escape(pkg.Path())
	scope := pkg.Scope()
	for _, name := range scope.Names() {
		switch object := scope.Lookup(name).(type) {
		case *types.Func:
			add(found, prefix+"."+name, object.Type().(*types.Signature))
		case *types.TypeName:
			named, ok := object.Type().(*types.Named)
			if !ok || object.IsAlias() {
				continue
			}
			for i := 0; i < named.NumMethods(); i++ {
				method := named.Method(i)
				sig := method.Type().(*types.Signature)
				receiver := name
				if _, ok := types.Unalias(sig.Recv().Type()).(*types.Pointer); ok {
					receiver = "(*" + name + ")"
				}
				add(found, prefix+"."+receiver+"."+method.Name(), sig)
			}
		}
	}
	return found
}

func add(found map[string]function, symbol string, sig *types.Signature) {
	made := function{Params: [][2]string{}, Results: [][2]string{}}
	w := writer{}
	if recv := sig.Recv(); recv != nil {
		made.Params = append(made.Params, [2]string{recv.Name(), w.text(recv.Type())})
	}
	for i := 0; i < sig.Params().Len(); i++ {
		param := sig.Params().At(i)
		made.Params = append(made.Params, [2]string{param.Name(), w.text(param.Type())})
	}
	for i := 0; i < sig.Results().Len(); i++ {
		result := sig.Results().At(i)
		made.Results = append(made.Results, [2]string{result.Name(), w.text(result.Type())})
	}
	if !w.unknown {
		found[symbol] = made
	}
}
