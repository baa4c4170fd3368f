// Package pgx has the hooks that trace and measure github.com/jackc/pgx/v5, on connections of its own and of its pools.
//
// The hook of pgx's connect gives each connection a tracer, for the time in which pgx looks for one: the configuration that the program can ask the
// connection for has the program's own tracer again. If there is one, it is called as before, and ours beside it.
//
// The tracer is not github.com/exaring/otelpgx: that one records statements with their literals, the user's name and the text of errors, which quotes
// data; makes no span without a parent; and imports pgxpool, which not every program links.
//
// # Who reports
//
// Connections that pgx's stdlib makes for database/sql are left to the hooks of database/sql, if these are on. Connections of a pool are reported here, also
// where database/sql uses the pool (stdlib.OpenDBFromPool). Where the program has given pgx a tracer that makes spans, such as otelpgx, ours makes none.
package pgx
