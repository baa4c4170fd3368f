package logs

import (
	"io"
	"runtime"
	"testing"
	"time"
)

// A writer that the program has dropped is finalized, and makes room for another one.
func TestLoggerWritersAreForgotten(t *testing.T) {
	finalized := make(chan struct{}, 2*maxLoggerWriters)
	for round := range 2 {
		for range maxLoggerWriters {
			_, w := io.Pipe()
			runtime.SetFinalizer(w, func(*io.PipeWriter) { finalized <- struct{}{} }) // logrus closes it there
			AddLoggerWriter(w)
			if !IsLoggerWriter(w) {
				t.Fatal("not known, round", round)
			}
		}
		for deadline := time.Now().Add(10 * time.Second); len(finalized) < (round+1)*maxLoggerWriters || nLoggerWriters.Load() > 0; runtime.GC() {
			if time.Now().After(deadline) {
				t.Fatal(len(finalized), "are finalized,", nLoggerWriters.Load(), "are known")
			}
			time.Sleep(time.Millisecond)
		}
	}
	_, other := io.Pipe()
	if IsLoggerWriter(other) || IsLoggerWriter(io.Discard) || IsLoggerWriter(nil) || IsLoggerWriter((*io.PipeWriter)(nil)) {
		t.Error("known")
	}
}
