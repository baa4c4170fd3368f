package spans

import "sync"

// Reconnect connects again, after a test has disconnected.
func Reconnect() bool {
	connect = sync.Once{}
	return Connect()
}
