package hooktest_test

import (
	"testing"

	"github.com/otelobj/otelobj/hooks/rt/hook"
	"github.com/otelobj/otelobj/hooks/rt/hook/hooktest"
)

func before(ctx hook.HookContext, name string) {
	if name == "" {
		ctx.SetSkipCall(true)
	}
	ctx.SetKeyData("name", name)
	ctx.SetParam(0, name+"!")
	ctx.SetParam(7, "out of range")
}

func after(ctx hook.UnwoundContext) {
	if v, _, ok := ctx.Unwound(); ok {
		ctx.SetReturnVal(0, v)
	}
}

func TestFake(t *testing.T) {
	f := hooktest.New("x")
	f.Results = []any{nil}
	before(f, "x")
	if f.IsSkipCall() || f.GetParam(0) != "x!" || f.GetParam(7) != nil || f.GetKeyData("name") != "x" || !f.HasKeyData("name") {
		t.Errorf("%+v", f)
	}
	before(f, "")
	if !f.Skip {
		t.Error("not skipped")
	}
	f.PanicValue, f.DidUnwind = "boom", true
	after(f)
	if f.GetReturnVal(0) != "boom" || f.GetReturnValCount() != 1 || f.GetParamCount() != 1 {
		t.Errorf("%+v", f)
	}
	f.SetData(3)
	if f.GetData() != 3 || f.HasKeyData("name") {
		t.Error("SetData")
	}
}
