// Package hooktest lets hook functions be tested without a hooked program.
package hooktest

import "github.com/otelobj/otelobj/hooks/rt/hook"

// Fake is a hook context that plain values stand behind. The zero value has no parameters and no results.
type Fake struct {
	Params      []any
	Results     []any
	FuncName    string
	PackageName string
	Skip        bool

	// What Unwound returns.
	PanicValue any
	Goexit     bool
	DidUnwind  bool
	Stack      []uintptr // what PanicStack returns

	data any
}

var _ hook.UnwoundContext = (*Fake)(nil)

// New returns a context of a call with the given parameters; the receiver, if any, comes first.
func New(params ...any) *Fake { return &Fake{Params: params} }

// SetSkipCall sets f.Skip.
func (f *Fake) SetSkipCall(skip bool) { f.Skip = skip }

// IsSkipCall returns f.Skip.
func (f *Fake) IsSkipCall() bool { return f.Skip }

// SetData stores data.
func (f *Fake) SetData(data any) { f.data = data }

// GetData returns what SetData or SetKeyData stored.
func (f *Fake) GetData() any { return f.data }

// GetKeyData returns what SetKeyData stored under key.
func (f *Fake) GetKeyData(key string) any {
	m, _ := f.data.(map[string]any)
	return m[key]
}

// SetKeyData stores val in a map that is the data.
func (f *Fake) SetKeyData(key string, val any) {
	m, ok := f.data.(map[string]any)
	if !ok || m == nil {
		m = make(map[string]any)
		f.data = m
	}
	m[key] = val
}

// HasKeyData reports whether there is something under key.
func (f *Fake) HasKeyData(key string) bool {
	m, _ := f.data.(map[string]any)
	_, ok := m[key]
	return ok
}

// GetParamCount returns the length of f.Params.
func (f *Fake) GetParamCount() int { return len(f.Params) }

// GetParam returns a parameter, nil out of range.
func (f *Fake) GetParam(idx int) any { return get(f.Params, idx) }

// SetParam replaces a parameter; out of range, it is ignored.
func (f *Fake) SetParam(idx int, val any) { set(f.Params, idx, val) }

// GetReturnValCount returns the length of f.Results.
func (f *Fake) GetReturnValCount() int { return len(f.Results) }

// GetReturnVal returns a result, nil out of range.
func (f *Fake) GetReturnVal(idx int) any { return get(f.Results, idx) }

// SetReturnVal replaces a result; out of range, it is ignored.
func (f *Fake) SetReturnVal(idx int, val any) { set(f.Results, idx, val) }

// GetFuncName returns f.FuncName.
func (f *Fake) GetFuncName() string { return f.FuncName }

// GetPackageName returns f.PackageName.
func (f *Fake) GetPackageName() string { return f.PackageName }

// Unwound returns what the fields of f say.
func (f *Fake) Unwound() (panicValue any, goexit, ok bool) {
	return f.PanicValue, f.Goexit, f.DidUnwind
}

// PanicStack returns f.Stack.
func (f *Fake) PanicStack() []uintptr { return f.Stack }

func get(vals []any, idx int) any {
	if idx < 0 || idx >= len(vals) {
		return nil
	}
	return vals[idx]
}

func set(vals []any, idx int, val any) {
	if idx >= 0 && idx < len(vals) {
		vals[idx] = val
	}
}
