//go:build !auto && !sdk

package main

import "context"

func setUp(context.Context) func() { return func() {} }
