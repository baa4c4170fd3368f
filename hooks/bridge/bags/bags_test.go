package bags

import (
	"context"
	"os"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/baggage"

	private "otelobj.private/go.opentelemetry.io/otel/baggage"
)

func TestMain(m *testing.M) {
	Connect()
	os.Exit(m.Run())
}

func member(t *testing.T, key, value string, properties ...private.Property) private.Baggage {
	t.Helper()
	m, err := private.NewMemberRaw(key, value, properties...)
	if err != nil {
		t.Fatal(err)
	}
	b, err := private.New(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Each value arrives where it was sent to, through a context that both sides see.
func TestValuesSurvive(t *testing.T) {
	for _, value := range []string{"", "v", "a b", "a+b", "100%", "a%20b", "a,b;c=d", "/a/b?c=d&e:f@g", `"\`, "ü€", "~!#$&'()*/:<=>?@[]^_`{|}"} {
		p, err := private.NewKeyValuePropertyRaw("p", value)
		if err != nil {
			t.Fatal(err)
		}
		flag, err := private.NewKeyProperty("flag")
		if err != nil {
			t.Fatal(err)
		}
		ctx := private.ContextWithBaggage(context.Background(), member(t, "k", value, p, flag))
		if seen := baggage.FromContext(ctx); !strings.ContainsAny(value, `%+ ,;"\ü€`) && (seen.Len() != 1 || seen.Member("k").Value() != value) {
			t.Errorf("the program sees %v", seen)
		}
		back := private.FromContext(ctx).Member("k")
		if back.Value() != value {
			t.Errorf("%q came back as %q", value, back.Value())
		}
		properties := back.Properties()
		if len(properties) != 2 {
			t.Fatalf("%q: %d properties", value, len(properties))
		}
		for _, p := range properties {
			v, has := p.Value()
			if want := p.Key() == "p"; has != want || want && v != value {
				t.Errorf("property %s of %q came back as %q, %v", p.Key(), value, v, has)
			}
		}
	}
}

func TestTheProgramsBaggageIsSeen(t *testing.T) {
	b, err := baggage.Parse("a=1,b=x%21y;p=1")
	if err != nil {
		t.Fatal(err)
	}
	ctx := baggage.ContextWithBaggage(context.Background(), b)
	got := private.FromContext(ctx)
	if got.Len() != 2 || got.Member("a").Value() != "1" || got.Member("b").Value() != "x!y" {
		t.Errorf("got %v", got)
	}
	if ctx := private.ContextWithoutBaggage(ctx); baggage.FromContext(ctx).Len() != 0 {
		t.Error("the program still sees baggage that the private API has removed")
	}
	ctx = baggage.ContextWithBaggage(private.ContextWithBaggage(ctx, member(t, "c", "3")), b)
	if got := private.FromContext(ctx); got.Len() != 2 {
		t.Errorf("what the program sets last is not what counts: %v", got)
	}
}

// A member that one API takes and the other does not costs no other.
func TestOneBadMember(t *testing.T) {
	good, _ := private.NewMemberRaw("good", "1")
	odd, err := private.NewMemberRaw("ключ", "2")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := private.NewMemberRaw("text", "a b")
	both, err := private.New(odd, text, good)
	if err != nil {
		t.Fatal(err)
	}
	if got := Program(both).Member("good").Value(); got != "1" {
		t.Errorf("good is %q", got)
	}
}
