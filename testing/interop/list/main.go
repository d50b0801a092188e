// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build windows

// Command list lists all endpoints so many times through hcsshim's package hcn and prints how long each time took.
//
//	list RUNS ENDPOINTS
//
// The other side of the example list of the crate hcn, run by `cargo xtask bench-windows`. Fails where there are not as many endpoints as it is
// told, so that no list is fast for being empty.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/Microsoft/hcsshim/hcn"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(words []string) error {
	if len(words) != 2 {
		return fmt.Errorf("list RUNS ENDPOINTS")
	}
	runs, err := strconv.Atoi(words[0])
	if err != nil {
		return err
	}
	want, err := strconv.Atoi(words[1])
	if err != nil {
		return err
	}
	for range runs {
		begin := time.Now()
		endpoints, err := hcn.ListEndpoints()
		took := time.Since(begin)
		if err != nil {
			return err
		}
		if len(endpoints) != want {
			return fmt.Errorf("there are %d endpoints and not %d", len(endpoints), want)
		}
		fmt.Println(took.Microseconds())
	}
	return nil
}
