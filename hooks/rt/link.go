package rt

import (
	"sync/atomic"
	"unsafe"
)

// linkVersion is the version of the contract between the link step and this package.
const linkVersion = 1

// linkInfo is what the link step knows and this package needs. Offsets are in bytes.
//
// The link step finds the fields by name in the type's descriptor. A field of type uintptr that ends in Off is an offset in
// runtime.g (SlotOff, GoidOff, MOff, ParamOff, PanicOff, ThrowsplitOff), in a channel, a select's case, runtime.sig, runtime._panic or a stub (where that is
// said), or in runtime.m.
type linkInfo struct {
	Version uint64

	SlotOff       uintptr
	GoidOff       uintptr
	MOff          uintptr
	CurgOff       uintptr
	LocksOff      uintptr
	MallocingOff  uintptr
	PreemptoffOff uintptr
	ThrowsplitOff uintptr // g.throwsplit: set in a system call, where nothing may grow the stack; 0: not known
	ParamOff      uintptr // g.param: what recovery hands over to deferreturn
	PanicOff      uintptr // g._panic: the newest panic or Goexit that is under way
	FpOff         uintptr // _panic.fp: the upper end of the frame whose deferred calls it runs

	MarkOff     uintptr // bytes of runtime.hchan that belong to no field
	MarkSize    uintptr // 1 or 2
	ElemsizeOff uintptr // hchan.elemsize
	TimerOff    uintptr // hchan.timer, 0 if there is none
	QcountOff   uintptr // hchan.qcount
	DataqsizOff uintptr // hchan.dataqsiz
	RecvqOff    uintptr // hchan.recvq: its first word is the first who waits
	CaseSize    uintptr // size of runtime.scase
	CaseChanOff uintptr // scase.c
	CaseElemOff uintptr // scase.elem
	WantedOff   uintptr // of a bit for each signal, in runtime.sig
	IgnoredOff  uintptr // the same
	ReturnOff   uintptr // from the return address of a function with an entry stub to its args area

	Loops []uint64 // hashes of the return addresses of calls that receive in a loop what a goroutine works on, ascending

	GType unsafe.Pointer // *abi.Type of runtime.g
	GSize uintptr        // size of runtime.g with the slot

	Descs   []*Desc        // Dropped where the linker dropped the target
	Dropped unsafe.Pointer // what a weak reference to something dropped holds; no address in a position-independent program (cmd/link/internal/ld/data.go, dynrelocsym)

	UnsafeNew    func(typ unsafe.Pointer) unsafe.Pointer        // runtime.newobject
	TypedMemmove func(typ, dst, src unsafe.Pointer)             // runtime.typedmemmove
	AssertE2I    func(inter, typ unsafe.Pointer) unsafe.Pointer // runtime.assertE2I: the itab; panics if there is none
	Callers      func(skip int, pc []uintptr) int               // runtime.Callers
	Nanotime     func() int64                                   // runtime.nanotime: the monotonic clock
	FuncForPC    func(pc uintptr) unsafe.Pointer                // runtime.FuncForPC
	FuncEntry    func(f unsafe.Pointer) uintptr                 // runtime.(*Func).Entry
	FuncName     func(f unsafe.Pointer) string                  // runtime.(*Func).Name
	IsSecureMode func() bool                                    // runtime.isSecureMode: the process has privileges that its user does not have

	NoteSleep     func(note *uintptr, ns int64) bool // runtime.notetsleepg
	DieFromSignal func(sig uint32)                   // runtime.dieFromSignal

	Signals unsafe.Pointer // &runtime.sig

	NilPanic unsafe.Pointer // *abi.Type of *runtime.PanicNilError
	Tests    uint64         // 1: the root package is what `go test` generates
}

// link is filled in by the link step; all zero in any other program.
var link linkInfo

// Flags of [Desc]. The upper half belongs to this package: what prepare found out.
const (
	DescSkippable = 1 << 0 // the stub can skip the call
	DescHasExit   = 1 << 1 // the function has exit stubs

	descReady      = 1 << 16 // the bits below are valid
	descKeeps      = 1 << 17 // an exit wants a record: there is an after hook
	descShieldArgs = 1 << 18 // a parameter is a string or a slice of pointer-free elements
	descShieldRes  = 1 << 19 // so is a result
	descSimple     = 1 << 20 // one hook, with both parts, that takes no boxes

	descFast = descReady | descKeeps | descSimple
)

// Desc describes one hooked function. It is static data.
type Desc struct {
	On    uint32 // number of hooks that are on, at most 255: its first byte is tested by the stub
	Flags uint32

	Func string // as runtime.FuncForPC prints it
	Pkg  string // import path
	File string
	Line int

	ArgsSize    uintptr // bytes of the args area
	ResultsSize uintptr // bytes of the results area

	Params  []Value // the receiver is parameter 0
	Results []Value
	Hooks   []Hook // before hooks run in this order, after hooks in the reverse one

	// Where the uintptrs are, those in structs and arrays too: offsets in the results area, or ^offset in the args area.
	ParamNumbers  []int32
	ResultNumbers []int32
}

// dropped reports whether an element of link.Descs describes nothing.
//
//go:norace
func (d *Desc) dropped() bool { return d == nil || unsafe.Pointer(d) == link.Dropped }

// Flags of [Value].
const (
	ValueInArgs  = 1 << 0 // a result that is passed on the stack: Off counts from the args area
	ValueString  = 1 << 1
	ValueSlice   = 1 << 2
	ValueFlat    = 1 << 3 // of a slice: its elements hold no pointers
	ValuePointer = 1 << 4
	ValueIface   = 1 << 5 // an interface with methods
	ValueEface   = 1 << 6 // an interface without methods
)

// Value describes a parameter or a result.
type Value struct {
	Name     string
	Off      uintptr // bytes from the args area or, for a result without ValueInArgs, from the results area
	Size     uintptr
	Flags    uint32
	ElemSize uint32         // of a slice
	Type     unsafe.Pointer // *abi.Type; nil where no hook asks for boxed values
}

// Flags of [Hook].
const (
	HookTelemetry = 1 << 0 // makes telemetry by itself: the rule says `span`, or the library comes with otelobj
	HookSupport   = 1 << 1 // makes none and supports those that do
)

// Hook is one rule's pair of hooks on one function.
type Hook struct {
	Rule   string
	Instr  string // the instrumentation: what a user switches on and off
	On     uint32
	Flags  uint32
	Before unsafe.Pointer // *funcval of a thunk, nil if there is none
	After  unsafe.Pointer

	BeforeTab unsafe.Pointer // itab of *Call for the interface type of the hook's first parameter; of a span, its config
	AfterTab  unsafe.Pointer

	BeforeBoxes []int32 // parameters that the hook takes as interface{}: box i holds parameter BeforeBoxes[i]
	AfterBoxes  []int32 // the same of results
}

// thunk loads the saved arguments, results and boxes into the places that a hook's own signature asks for, and calls it.
type thunk = func(itab, ctx, args, results, boxes unsafe.Pointer)

// The link step needs the descriptors of these types in the archive.
var keepTypes = [...]any{(*linkInfo)(nil), (*Desc)(nil), (*Value)(nil), (*Hook)(nil), (*Call)(nil), (*node)(nil)}

// States of the package. Hooks may run before this package's init: the first one to look decides.
const (
	stateUnknown = iota
	stateOn
	stateOff
)

var state uint32

//go:norace
func init() {
	decideState()
	_ = keepTypes
}

// decideState finds out whether the program was linked by otelobj and whether the running runtime is the one that was
// extended: a plugin in a host that was not would write behind the end of its g.
//
//go:nosplit
//go:noinline
//go:norace
func decideState() bool {
	s := uint32(stateOff)
	// The size is the first word of an abi.Type in every Go version.
	if link.Version == linkVersion && link.GType != nil && link.SlotOff != 0 &&
		*(*uintptr)(link.GType) == link.GSize && link.SlotOff+ptrSize <= link.GSize {
		s = stateOn
	}
	atomic.StoreUint32(&state, s)
	return s == stateOn
}

// isOn reports whether hooks can run in this program at all.
//
//go:nosplit
//go:norace
func isOn() bool {
	s := atomic.LoadUint32(&state)
	return s == stateOn || s == stateUnknown && decideState()
}

// Linked reports whether this program was linked by otelobj. If not, no hook ever runs.
//
//go:norace
func Linked() bool { return isOn() }

// IsTest reports whether this program is a test binary that was linked by otelobj, whatever it is called.
//
//go:norace
func IsTest() bool { return link.Tests != 0 }

// Privileged reports whether the process has privileges that the user who has started it does not have: setuid, setgid, file capabilities
// (AT_SECURE on Linux). Its environment is not to be trusted.
//
//go:norace
func Privileged() bool { return isOn() && link.IsSecureMode != nil && link.IsSecureMode() }

// prepare computes the flags in the upper half of d.Flags. It may run more than once, with the same result.
//
//go:noinline
//go:norace
func (d *Desc) prepare() uint32 {
	flags := d.Flags&0xffff | descReady
	for i := range d.Hooks {
		if d.Hooks[i].After != nil && flags&DescHasExit != 0 {
			flags |= descKeeps
		}
	}
	if len(d.Hooks) == 1 {
		h := &d.Hooks[0]
		if h.Before != nil && h.After != nil && len(h.BeforeBoxes)|len(h.AfterBoxes) == 0 {
			flags |= descSimple
		}
	}
	if shieldable(d.Params) {
		flags |= descShieldArgs
	}
	if shieldable(d.Results) {
		flags |= descShieldRes
	}
	atomic.StoreUint32(&d.Flags, flags)
	return flags
}

//go:norace
func shieldable(values []Value) bool {
	for i := range values {
		if f := values[i].Flags; f&ValueString != 0 || f&(ValueSlice|ValueFlat) == ValueSlice|ValueFlat {
			return true
		}
	}
	return false
}
