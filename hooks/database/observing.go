package database

import (
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
)

// Observing is a callback that observes pools, registered with one provider at a time: the last.
type Observing struct {
	sync.Mutex
	provider     metric.MeterProvider
	registration metric.Registration
}

// With registers the callback unless the provider has it already. register: makes the instruments.
func (o *Observing) With(mp metric.MeterProvider, register func() (metric.Registration, error)) {
	o.Lock()
	defer o.Unlock()
	if o.registration != nil {
		if words(&o.provider) == words(&mp) {
			return
		}
		handle(o.registration.Unregister())
		o.registration = nil
	}
	registration, err := register()
	if handle(err); err == nil {
		o.provider, o.registration = mp, registration
	}
}

func handle(err error) {
	if err != nil {
		otel.Handle(err)
	}
}
