package active

import (
	"runtime"
	"strconv"
	"strings"
)

const rtPackage = "github.com/otelobj/otelobj/hooks/rt."

// Stack writes down where a panic began, innermost frame first, as runtime/debug.Stack does: pcs are those of rt's PanicStack. What
// the runtime and this project have put on top is left out.
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
