// Package probe writes at the end of a program what its probes have measured, as JSON, to the file that OTELOBJ_PROBE_OUT names:
//
//	{"functions": {"net/http.(*Transport).roundTrip": 12},
//	 "latencies": {"net/http.(*Transport).roundTrip": {"calls": 12, "sum_ns": 5230112, "buckets_ns": [[327680, 393216, 12]]}}}
//
// functions has the number of calls of every function that was called at all and has `probe: count`, `probe: stress` or `probe: hot`, by the
// name that the linker gives it. Instances of a generic function are counted one by one. latencies has the durations of the calls
// that returned, of functions with `probe: latency`: a bucket is its least duration, the least of the next one, and the calls.
//
// # When it is written
//
// At every end of which the program learns in time: docs/context.md has the table. A second writing replaces the first one. `%p` in the
// file's name stands for the process ID, since programs that a program starts inherit the variable. The file is written beside its place and renamed into it.
//
// # Constraints
//
// The counters are memory that machine code adds to; this package only reads them. It imports little, since it becomes part of
// every program that is probed. Whatever goes wrong is reported on standard error and never stops the program.
package probe
