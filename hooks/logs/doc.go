// Package logs is what the instrumentations of loggers share: OpenTelemetry's log SDK, set up by the standard variables, the IDs that a program's own
// output gets, and the knowledge of which records are already on their way.
//
// # What it sets up
//
// OTEL_LOGS_EXPORTER (otlp, console or none), OTEL_EXPORTER_OTLP_*, OTEL_BLRP_* and OTEL_LOGRECORD_* are read as autoexport and the SDK read them. The
// provider is OpenTelemetry's global one, so records of the program's own follow it, too. A program without a logger that is instrumented
// does not link this package.
//
// # Rules for instrumentations
//
//   - A record that the program filters is not exported, and nothing of it is evaluated.
//   - Nothing that the program handed to its logger is called or resolved more often than its own output and one exporter need. Where that output
//     follows no pointers, neither does the exported record: see [Form].
//   - What a logger writes is one record, however many loggers it passes through: see [Writing].
//   - A record belongs to the span of its context, else to that of its goroutine.
//
// # Constraints
//
//   - Records are exported from a goroutine on which no hook runs, and made under rt.Suppress: a logger that an exporter, an error handler or a value's own
//     method uses makes no further record.
//   - Whatever goes wrong is reported to otel.Handle, and never stops the program.
package logs
