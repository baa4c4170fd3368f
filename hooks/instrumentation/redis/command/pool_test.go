package command

import "testing"

// A counter of what a client has counted does not fall when the client is gone.
func TestTimeoutsOfClientsThatAreGone(t *testing.T) {
	there := true
	Watch("127.0.0.1:6379/0", func() (Pool, bool) { return Pool{Used: 2, Timeouts: 3}, there })
	Watch("127.0.0.1:6379/0", func() (Pool, bool) { return Pool{Used: 1, Timeouts: 4}, true })
	read := func() Pool {
		pools.Lock()
		defer pools.Unlock()
		return current()["127.0.0.1:6379/0"]
	}
	if got := read(); got.Used != 3 || got.Timeouts != 7 {
		t.Errorf("both: %+v", got)
	}
	there = false
	for range 2 {
		if got := read(); got.Used != 1 || got.Timeouts != 7 {
			t.Errorf("one is gone: %+v", got)
		}
	}
}
