// SPDX-License-Identifier: MIT OR Apache-2.0

package interop

import (
	"encoding/json"
	"strings"
)

// probed is what `hcnctl probe -o json` says.
type probed struct {
	Destination string `json:"destination"`
	Outcome     string `json:"outcome"`
	Drops       []drop `json:"drops"`
}

// drop is a packet that a port did not let through.
type drop struct {
	Endpoint string `json:"endpoint"`
	Flow     string `json:"flow"`
	Pointer  string `json:"pointer"`
	Cause    string `json:"cause"`
}

// droppedAt says whether a rule of an endpoint dropped a packet.
func (p probed) droppedAt(endpoint, pointer string) bool {
	for _, drop := range p.Drops {
		if strings.EqualFold(drop.Endpoint, endpoint) && drop.Pointer == pointer {
			return true
		}
	}
	return false
}

func (p probed) String() string {
	text, err := json.Marshal(p)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
