//go:build !linux

package sdk

var watchSignals = func() {}
