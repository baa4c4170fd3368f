//go:build !unix

package sdk

func watchSignals() {}
