package rt

// Call is one call of a hooked function: the record of it while it is open, and what its hooks get as their context. It has the
// methods of hook.HookContext, and Unwound.
//
// Calls are used again. A Call is valid on its goroutine and until the hook that got it returns; used elsewhere or later, its
// methods do nothing and return zero values.
type Call struct {
	owner *goroutine
	goid  uint64 // the owner's; like owner, it never changes
	outer *Call  // the record above; chain and order never change
	inner *Call

	d       *Desc
	dist    uintptr // from g.stack.hi to the args area
	resDist uintptr // to the results area, while after hooks of a returned call run
	callState
	skipper int16 // index of the hook that asked last
	used    bool  // a field below is not zero, or there is no record below: not for the short way of enter

	start int64 // of the clock, while a probe measures the call

	data any      // of hook 0
	more []any    // of the others, from 1 on
	rets []retVal // results set by before hooks
	why  *unwound // nil unless the call was unwound
}

// callState is what changes at every call: a word, stored at once.
type callState struct {
	ran   uint32 // bit i: hook i was on at entry
	hook  int16  // index of the hook that runs, or ran last
	phase uint8
	skip  bool // asked for by a hook, and possible
}

// Phases of a record.
const (
	phaseBefore = iota
	phaseReturned
	phaseUnwound
)

// retVal is a result that a before hook has set.
type retVal struct {
	set bool
	val any
}

// unwound says why a call ended without returning.
type unwound struct {
	value  any
	goexit bool
	stack  []uintptr // of the panic
}

// clear forgets what hooks have stored. It is not inlined into functions without a stack check: what clears pointers in memory needs as much of
// the stack as the linker allows those altogether.
//
//go:noinline
//go:norace
func (c *Call) clear() {
	c.used = c.inner == nil
	c.data = nil
	clear(c.more)
	c.more = c.more[:0]
	clear(c.rets)
	c.rets = c.rets[:0]
	c.why = nil
}

// live reports whether c may be used: by the hook that is running, on the goroutine it runs on.
//
//go:norace
func (c *Call) live() bool {
	if c == nil || c.owner == nil {
		return false
	}
	g := current()
	return g != nil && goid(g) == c.goid && c.owner.running() == c
}

// SetSkipCall asks for the call to be skipped: the function's body does not run, and the call returns the results set by
// SetReturnVal, zero values otherwise. It does nothing where the link step made no provision for it, nor in an after hook, nor if the hook
// panics afterwards.
//
//go:norace
func (c *Call) SetSkipCall(skip bool) {
	if !c.live() || c.phase != phaseBefore {
		return
	}
	if skip && c.d.Flags&DescSkippable == 0 {
		mismatch(c, "SetSkipCall", -1)
		return
	}
	c.skip, c.skipper = skip, c.hook
}

// IsSkipCall reports whether the call is going to be skipped or, in an after hook, was.
//
//go:norace
func (c *Call) IsSkipCall() bool { return c.live() && c.skip }

// SetData stores a value that the hooks of the same rule see until this call ends. What points into the goroutine's stack is
// copied if that is possible, else nil is stored.
//
//go:norace
func (c *Call) SetData(val any) {
	if !c.live() {
		return
	}
	*c.datum() = keepable(val, current())
	c.used = true
}

// GetData returns what SetData stored.
//
//go:norace
func (c *Call) GetData() any {
	if !c.live() || !c.used {
		return nil
	}
	return *c.datum()
}

// datum returns the place of the running hook's data.
//
//go:norace
func (c *Call) datum() *any {
	if c.hook == 0 {
		return &c.data
	}
	if n := len(c.d.Hooks) - 1; len(c.more) < n {
		if cap(c.more) < n {
			c.more = make([]any, n)
		}
		c.more = c.more[:n]
	}
	return &c.more[c.hook-1]
}

// SetKeyData stores a value by key, in a map[string]any that is the data of SetData and GetData.
//
//go:norace
func (c *Call) SetKeyData(key string, val any) {
	if !c.live() {
		return
	}
	p := c.datum()
	m, ok := (*p).(map[string]any)
	if !ok || m == nil {
		m = make(map[string]any)
		*p = m
		c.used = true
	}
	g := current()
	m[keepableString(key, g)] = keepable(val, g)
}

// GetKeyData returns what SetKeyData stored.
//
//go:norace
func (c *Call) GetKeyData(key string) any {
	m, _ := c.GetData().(map[string]any)
	return m[key]
}

// HasKeyData reports whether SetKeyData stored something under key.
//
//go:norace
func (c *Call) HasKeyData(key string) bool {
	m, _ := c.GetData().(map[string]any)
	_, ok := m[key]
	return ok
}

// GetParamCount returns the number of parameters, the receiver included.
//
//go:norace
func (c *Call) GetParamCount() int {
	if !c.live() {
		return 0
	}
	return len(c.d.Params)
}

// GetParam returns a parameter in a before hook, nil in an after hook: then the function may have used its place for something
// else. It returns nil, too, for a value that points into the stack and cannot be copied.
//
//go:norace
func (c *Call) GetParam(idx int) any {
	if !c.live() {
		return nil
	}
	return c.param(idx, current())
}

// SetParam replaces a parameter in a before hook. The value must have the parameter's type, or implement it; nil stands for the
// zero value. Anything else is ignored.
//
//go:norace
func (c *Call) SetParam(idx int, val any) {
	if !c.live() || c.phase != phaseBefore {
		return
	}
	if uint(idx) >= uint(len(c.d.Params)) {
		mismatch(c, "SetParam", idx)
		return
	}
	v := &c.d.Params[idx]
	if !assign(v, at(current(), c.dist-v.Off), val) {
		mismatch(c, "SetParam", idx)
	}
}

// GetReturnValCount returns the number of results.
//
//go:norace
func (c *Call) GetReturnValCount() int {
	if !c.live() {
		return 0
	}
	return len(c.d.Results)
}

// GetReturnVal returns a result in an after hook (the zero value if the call did not return), and what SetReturnVal has set in
// a before hook.
//
//go:norace
func (c *Call) GetReturnVal(idx int) any {
	if !c.live() {
		return nil
	}
	return c.result(idx, current())
}

// SetReturnVal replaces a result in an after hook. In a before hook it sets what the call returns if it is skipped. Types are
// matched as in SetParam.
//
//go:norace
func (c *Call) SetReturnVal(idx int, val any) {
	if !c.live() || c.phase == phaseUnwound {
		return
	}
	if uint(idx) >= uint(len(c.d.Results)) {
		mismatch(c, "SetReturnVal", idx)
		return
	}
	g := current()
	if c.phase == phaseReturned {
		v := &c.d.Results[idx]
		if !assign(v, c.resultAt(v, g), val) {
			mismatch(c, "SetReturnVal", idx)
		}
		return
	}
	if n := len(c.d.Results); len(c.rets) < n {
		if cap(c.rets) < n {
			c.rets = make([]retVal, n)
		}
		c.rets = c.rets[:n]
	}
	c.rets[idx] = retVal{set: true, val: keepable(val, g)}
	c.used = true
}

// GetFuncName returns the function's name without package and receiver.
//
//go:norace
func (c *Call) GetFuncName() string {
	if !c.live() {
		return ""
	}
	return bareName(c.d.Func)
}

// GetPackageName returns the import path of the function's package.
//
//go:norace
func (c *Call) GetPackageName() string {
	if !c.live() {
		return ""
	}
	return c.d.Pkg
}

// Unwound reports in an after hook whether the call ended without returning (ok), and why: by a panic that a caller
// recovered or that ended the goroutine, with its value, or by runtime.Goexit.
//
//go:norace
func (c *Call) Unwound() (panicValue any, goexit, ok bool) {
	if !c.live() || c.phase != phaseUnwound {
		return nil, false, false
	}
	return c.why.value, c.why.goexit, true
}

// PanicStack returns, where Unwound tells of a panic, the program counters of the stack that it began on, as runtime.Callers does.
// The innermost ones are this package's and the runtime's.
//
//go:norace
func (c *Call) PanicStack() []uintptr {
	if !c.live() || c.phase != phaseUnwound {
		return nil
	}
	return c.why.stack
}

// bareName cuts "net/http.(*Transport).roundTrip" to "roundTrip" and "slices.Sort[...]" to "Sort".
//
//go:norace
func bareName(name string) string {
	if n := len(name); n > 0 && name[n-1] == ']' {
		for i := 0; i < n; i++ {
			if name[i] == '[' {
				name = name[:i]
				break
			}
		}
	}
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] == '.' {
			return name[i+1:]
		}
	}
	return name
}
