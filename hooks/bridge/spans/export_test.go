package spans

// Reconnect connects again, after a test has disconnected.
func Reconnect() bool {
	connected = false
	return Connect()
}
