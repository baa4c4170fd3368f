// Package rt is what the machine code that otelobj adds to a program calls: it keeps the records of hooked calls that are
// open on each goroutine, runs hooks, and gives them a hook context ([Call]) to work with.
//
// # Constraints
//
// The package imports unsafe and sync/atomic and nothing else, because whatever it stands on cannot be hooked. It never
// locks, and once a goroutine has met its first hook a call with hooks allocates nothing unless a hook asks for values
// as interfaces. A hook never breaks the program: it runs under recover, never inside another hook, and never where the
// runtime forbids ordinary Go code (see guard).
//
// # Stacks move
//
// A record holds no address inside a stack, only the distance from g.stack.hi, which copying a stack preserves. Distances
// grow with depth. Addresses live in frames, typed unsafe.Pointer, where the runtime adjusts them; wherever hooks have run
// in between, they are computed again from the distance.
//
// # Escape analysis
//
// The caller of a hooked function may keep an argument on its own stack when the function does not let it escape. What a
// hook could keep is therefore tested against the bounds of the stack: strings and slices of pointer-free elements are
// replaced by copies, everything else that points into the stack is refused. A shallow look is enough, since no object of
// the heap ever points into a stack.
//
// # Goroutines
//
// runtime.g has one extra pointer, the slot. It points to a [node]: owned by the goroutine whose ID it holds, inherited by
// the goroutines that this one starts, which read its immutable fields only and replace it at their own first hook.
//
// In a program that was not linked by otelobj, everything here is inert.
package rt
