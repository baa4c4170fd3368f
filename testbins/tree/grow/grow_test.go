package grow

import "testing"

func TestTree(*testing.T) { Run(7) }
