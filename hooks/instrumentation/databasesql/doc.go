// Package databasesql has the hooks that trace and measure database/sql, whatever the driver.
//
// One span stands for one call of the program's: (*DB).QueryContext and what leads there, Exec, Prepare, Begin, Ping, Commit, Rollback, and the same
// of Conn, Tx and Stmt. It includes the wait for a connection, the making of one, and what database/sql tries again after driver.ErrBadConn. The span of
// a query lasts until its rows have been read or closed.
//
// # Constraints
//
// Nothing that the program can look at is wrapped: not the driver, its connections or its rows. db.Driver() and (*Conn).Raw give what they always gave,
// and drivers get the context that the program has passed. The span is active on the goroutine meanwhile, so that spans of what the driver does are
// below it; goroutines that start meanwhile inherit nothing, because connections serve others, too.
//
// Text, database and context of statements and transactions are unexported fields, and a *sql.Rows says in one that it is being closed (fields.go).
//
// Databases are described from data source names and connectors (target.go): system, name, address. User names and passwords are never kept.
package databasesql
