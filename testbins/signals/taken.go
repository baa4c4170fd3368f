//go:build cgo

package main

/*
#include <signal.h>
#include <string.h>
#include <unistd.h>

static void has(int sig) {
	static const char term[] = "c TERM\n", usr1[] = "c USR1\n";
	(void)!write(1, sig == SIGTERM ? term : usr1, sizeof term - 1);
}

static void take_signal(int sig) {
	struct sigaction action;
	memset(&action, 0, sizeof action);
	action.sa_handler = has;
	action.sa_flags = SA_ONSTACK | SA_RESTART;
	sigaction(sig, &action, NULL);
}
*/
import "C"

import "syscall"

func init() {
	take = func(sig syscall.Signal) { C.take_signal(C.int(sig)) }
}
