// Package hook declares what a hook function gets as its first parameter. The interface has the same methods as that of
// go.opentelemetry.io/otelc/pkg/hook, so that a hook package can be written for either.
package hook

// HookContext gives a hook access to the call it hooks. It is valid on the goroutine the hook runs on, and until the hook returns.
//
// A hook may declare any interface whose methods are among these, and those of [UnwoundContext].
type HookContext interface { //nolint:revive // the name is that of the interface this one stands in for
	// SetSkipCall asks, in a before hook, for the function's body not to run.
	SetSkipCall(skip bool)
	// IsSkipCall reports whether the call is, or was, skipped.
	IsSkipCall() bool
	// SetData stores a value for the after hook of the same rule.
	SetData(data any)
	// GetData returns what SetData stored.
	GetData() any
	// GetKeyData returns what SetKeyData stored under key.
	GetKeyData(key string) any
	// SetKeyData stores a value by key, in a map that is the data of SetData.
	SetKeyData(key string, val any)
	// HasKeyData reports whether SetKeyData stored something under key.
	HasKeyData(key string) bool
	// GetParamCount returns the number of parameters. The receiver is parameter 0.
	GetParamCount() int
	// GetParam returns a parameter, in a before hook.
	GetParam(idx int) any
	// SetParam replaces a parameter, in a before hook. A nil val stands for the zero value.
	SetParam(idx int, val any)
	// GetReturnValCount returns the number of results.
	GetReturnValCount() int
	// GetReturnVal returns a result, in an after hook.
	GetReturnVal(idx int) any
	// SetReturnVal replaces a result, in an after hook, or sets what a skipped call returns, in a before hook.
	SetReturnVal(idx int, val any)
	// GetFuncName returns the function's name without package and receiver.
	GetFuncName() string
	// GetPackageName returns the import path of the function's package.
	GetPackageName() string
}

// UnwoundContext is a HookContext whose after hook learns of calls that did not return.
type UnwoundContext interface {
	HookContext
	// Unwound reports whether the call ended without returning (ok): by a panic, with its value, or by runtime.Goexit.
	Unwound() (panicValue any, goexit, ok bool)
	// PanicStack returns the program counters of the stack that the panic began on, as runtime.Callers does. The innermost ones are
	// those of package rt and of the runtime.
	PanicStack() []uintptr
}
