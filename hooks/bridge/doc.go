// Package bridge joins the program's copy of OpenTelemetry's API and the private copy, whose import paths begin with otelobj.private/.
//
// Where the program's link has no API, nothing of this is linked. Otherwise each package here is linked whose packages of the API the program has:
//
//	attrs              attributes, both ways           attribute
//	spans              contexts, spans, tracers        trace
//	bags               baggage of contexts             baggage
//	globals, choice    the program's global providers  the module's root, which brings propagation, trace and baggage
//	meters             meters and instruments          metric, from 1.16
//	logs               loggers and records             log, from 0.7, with the global provider: log/global, or the root from 1.47 on
//	own/...            hooks on the program's own SDK  sdk/trace, sdk/metric, sdk/log
//	users              package hooks/active of users   trace, and a hook package that imports hooks/active
//
// # Directions
//
// Forward: the program's API, and the private copy does the work. Reverse: the private API, and a provider that the program has set does the work. In each
// package "private" is the private copy, and a name without it the program's. A value of the program's API that stands for a private one is a view; a
// value of the private API that stands for one of the program's is a stand-in.
//
// # Levels
//
// One source serves all releases of the API from 1.0.1 on. What differs among them is in small files under build tags, one for each thing that the
// API can do: objinst/hookpkgs/apilevel.py has the list, and decides by what the archives of the link have. Where a type of the program's API does not
// have the layout that the bridge relies on, which is probed at start, the bridge does not connect.
//
// # Constraints
//
//   - The folder is no Go module: the link step compiles it against what it finds, and tests lay out a module (tests/lib/bridge_rig.py). Imports that begin
//     with otelobj.private/ are the private copy's; otelobj.hooks/.../hooks/active is the copy of that package which does the work.
//   - No package imports hooks/sdk: what it sets up reaches the bridge through the private API's global providers.
//   - Nothing here panics where the program's API alone would not. Spans are not compared with ==, which panics for some that are not recorded.
//   - Each package connects in its init function, in programs that otelobj has linked. Tests call Connect.
package bridge
