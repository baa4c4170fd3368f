package main

import (
	"os"
	"strconv"

	"example.com/tree/grow"
)

func main() {
	seed, _ := strconv.ParseUint(os.Args[1], 10, 64)
	grow.Run(seed)
}
