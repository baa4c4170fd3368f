//go:build !runtime

package main

func measure() {}
