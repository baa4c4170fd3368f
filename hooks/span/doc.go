// Package span creates a span for every call of a function for which a rule says `span`.
//
// The link step resolves what a rule names (a name, attributes by path) to offsets in the function's arguments and results, and
// writes them as a [config]: static data, one for each rule and function. The two hooks of this package are called with the config
// and with the addresses of the args area and the results area, whatever the function's signature is.
//
// # Constraints
//
//   - The areas are on the goroutine's stack, and what they point to may be, too. Everything is copied before it is kept, including strings
//     and slices. Pointers are followed only as long as the call's frame exists.
//   - The only code of the program that runs is the Error methods of errors, and only if the error is not on the stack: a value that its
//     caller keeps on the stack must not become visible to others.
//   - Memory is read without locks, as the function itself reads it.
//   - For a span that is not recorded, only what its name needs is read.
package span
