// Command libcost does an operation of a library again and again and says what that costs: `libcost OPERATION COUNT` prints the nanoseconds of processor time and the
// allocations of an operation, both of the whole process, and how many operations were done in all. `libcost sink` is a collector that only counts; `libcost list` prints the operations.
//
// Built with the tag `hand` it is instrumented by hand. Which functions then differ is in hand.go and plain.go.
package main

import (
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// operations are what is measured. Each function makes what it needs and returns one operation.
var operations = map[string]func() func(){
	"chi": chiRequest, "echov4": echoRequest, "gin": ginRequest, "gorillamux": muxRequest, "http-client": clientRequest, "http-server": serveMuxRequest, "http-both": requestOfTwo,
	"grpc":      call,
	"sql-exec":  sqlExec,
	"sql-query": sqlQuery,
	"pgx":       pgxQuery,
	"redis":     redisGet,
	"log":       logRecord, "logrus": logrusRecord, "slog": slogRecord, "zap": zapRecord, "zerolog": zerologRecord,
}

const (
	// burst operations are done in a row. Then the exporter has its turn: a program that never pauses measures what is dropped.
	burst = 256
	pause = 5 * time.Millisecond
	// quiet is longer than an exporter waits for a batch to be full (OTEL_BSP_SCHEDULE_DELAY).
	quiet = 250 * time.Millisecond
)

func main() {
	switch os.Args[1] {
	case "list":
		for _, name := range slices.Sorted(maps.Keys(operations)) {
			fmt.Println(name)
		}
		return
	case "sink":
		sink()
		return
	}
	count, err := strconv.Atoi(os.Args[2])
	check(err)
	stop := start()
	do := operations[os.Args[1]]()
	warm := count/4 + 1
	run(do, warm)
	settle()
	runtime.GC()
	time, objects := spent()
	run(do, count)
	settle()
	timeAfter, objectsAfter := spent()
	fmt.Println(float64(timeAfter-time)/float64(count), float64(objectsAfter-objects)/float64(count), warm+count)
	stop()
}

func run(do func(), count int) {
	for i := range count {
		do()
		if i%burst == burst-1 {
			time.Sleep(pause)
		}
	}
}

// settle waits until what the operations left is exported: its cost is theirs. On a machine that is busy a single quiet moment shows nothing.
func settle() {
	for moments := 0; moments < 3; moments++ {
		before, _ := spent()
		time.Sleep(quiet)
		if after, _ := spent(); after-before >= time.Millisecond {
			moments = -1
		}
	}
}

// spent returns the processor time of the process and the objects that it has allocated.
func spent() (time.Duration, uint64) {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), memory.Mallocs
}

// discard is io.Discard, but for loggers that do nothing if they know it.
var discard = struct{ io.Writer }{io.Discard}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
