//go:build !api

package main

import "context"

func morning(context.Context) {}

func evening(context.Context, *shop) {}

func look(context.Context, string) {}

func place(ctx context.Context, _ int, then func(context.Context)) { then(ctx) }

func count(context.Context, string) {}

func refuse(context.Context) {}
