// Package span makes a span of every call of a function for which a rule says `span`.
//
// The link step resolves what a rule asks for (a name, attributes by path) to offsets in the function's arguments and results, and
// writes it down as a [config]: static data, one for each rule and function. The two hooks of this package are called with the
// config and with the addresses of the areas that hold arguments and results, whatever the function's signature is.
//
// # Constraints
//
//   - Areas lie on the goroutine's stack, and so may what they point at. Everything is copied before it is kept, texts and lists too;
//     pointers are followed only while the call's frame is there.
//   - No code of the program runs but the Error methods of errors, and those only if the error is not on the stack: what a caller
//     keeps there was not meant to be shared with anybody.
//   - Memory is read as it is, without locks, as the function itself reads it.
//   - For a span that is not recorded nothing is read but what its name needs.
package span
