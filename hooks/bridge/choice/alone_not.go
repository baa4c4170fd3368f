//go:build !otelobj_program

package choice

const alone = false
