package active

import (
	"runtime"
	"strconv"
	"strings"
)

const rtPackage = "github.com/otelobj/otelobj/hooks/rt."

// Stack describes where a panic began, innermost frame first, in the format of runtime/debug.Stack. pcs are those of rt's PanicStack. Frames
// that the runtime and otelobj have put on top are left out.
func Stack(pcs []uintptr) string {
	if len(pcs) == 0 {
		return ""
	}
	var b strings.Builder
	frames := runtime.CallersFrames(pcs)
	for begun := false; ; {
		f, more := frames.Next()
		begun = begun || f.Function != "" && !strings.HasPrefix(f.Function, "runtime.") && !strings.HasPrefix(f.Function, rtPackage)
		if begun {
			b.WriteString(f.Function)
			b.WriteString("(...)\n\t")
			b.WriteString(f.File)
			b.WriteByte(':')
			b.WriteString(strconv.Itoa(f.Line))
			b.WriteByte('\n')
		}
		if !more {
			return b.String()
		}
	}
}
