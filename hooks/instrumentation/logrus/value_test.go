package logrus

import (
	"bytes"
	"strings"
	"testing"

	"github.com/sirupsen/logrus"
)

type hidden struct {
	Name   string
	Secret string `json:"-"`
}

// bad panics whatever it is asked.
type bad struct{}

func (bad) Error() string { panic("Error") }

// What a struct keeps out of JSON is not exported, and a record is sent whatever its values do.
func TestValues(t *testing.T) {
	ours := sent()
	l := logrus.New()
	var out bytes.Buffer
	l.SetOutput(&out)
	l.SetFormatter(&formats{})
	h := hidden{"n", "secret"}
	l.WithFields(logrus.Fields{"v": h, "list": []*hidden{&h}}).Info("shown")
	if len(ours.records) != 1 || strings.Contains(ours.records[0], "secret") || !strings.Contains(ours.records[0], `v=STRING:{"Name":"n"}`) ||
		!strings.Contains(ours.records[0], `list=SLICE:["*logrus.hidden"]`) {
		t.Errorf("%q", ours.records)
	}
	e := l.WithField("error", bad{})
	BeforeWrite(noCall{}, e)
	if len(ours.records) != 2 {
		t.Errorf("%q", ours.records)
	}
}

type noCall struct{}

func (noCall) SetData(any)  {}
func (noCall) GetData() any { return nil }
