// SPDX-License-Identifier: MIT OR Apache-2.0

package interop

import (
	"fmt"
	"strings"
	"testing"
)

// rules are the two rules of the walk-through as its listings show them (README of JungukCho/windows-hcsshim at 1d2fb43).
func rules(action, address string) string {
	return fmt.Sprintf(
		"@{Action=%[1]s; Direction=In; LocalAddresses=%[2]s; LocalPorts=80; Priority=100; Protocols=6; Scope=0; Type=ACL}, "+
			"@{Action=%[1]s; Direction=Out; Priority=100; Protocols=6; Scope=0; Type=ACL}",
		action, address)
}

// fieldsOf reads the fields of one endpoint from a listing.
func fieldsOf(t *testing.T, listing, id string) map[string]string {
	t.Helper()
	for object := range strings.SplitSeq(listing, "\n\n") {
		fields := map[string]string{}
		for line := range strings.SplitSeq(object, "\n") {
			name, value, _ := strings.Cut(line, " : ")
			fields[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
		if fields["ID"] == id {
			return fields
		}
	}
	t.Fatalf("no endpoint %s in\n%s", id, listing)
	return nil
}

// The steps of the walk-through, done by a program on hcsshim, do to packets and listings what the walk-through shows.
func TestWalkThrough(t *testing.T) {
	const (
		nginx   = "edffc876-3051-46ec-80b3-820dda20aa14"
		client  = "c047102f-2bb1-4f64-8f30-9ede02f464f1"
		address = "172.19.6.74"
	)
	program := goBuild(t, "walkthrough.exe", "build", "./walkthrough")
	h := newHost(t)
	h.hcnctl("create", "network", "nat", "--subnet", "172.19.0.0/20", "--gateway", "172.19.0.1")
	h.hcnctl("run", "--name", "nginx", "--listen", "80/tcp", "--endpoint-id", nginx, "--endpoint-name", "Ethernet", "--address", address, "--mac", "00-15-5D-90-AD-7C")
	h.hcnctl("run", "--name", "client", "--endpoint-id", client, "--endpoint-name", "Ethernet", "--address", "172.19.3.166", "--mac", "00-15-5D-90-AD-B2")

	steps := []struct {
		name     string
		words    []string
		policies string
		outcome  string
	}{
		{"list", nil, "", "answered"},
		{"block", []string{"block", nginx}, "{" + rules("Block", address) + "}", "timed-out"},
		// Sent again, the same rules are there twice: the walk-through's listing shows all four.
		{"block again", []string{"block", nginx}, "{" + rules("Block", address) + ", " + rules("Block", address) + "}", "timed-out"},
		{"allow", []string{"allow", nginx}, "{" + rules("Allow", address) + "}", "answered"},
		// As sent they are not what HNS keeps, which has a Scope: nothing goes.
		{"remove", []string{"remove", nginx}, "{" + rules("Allow", address) + "}", "answered"},
	}
	for _, step := range steps {
		if step.words != nil {
			h.good(program, step.words...)
		}
		listing := h.good(program, "list")
		t.Logf("after %s:\n%s", step.name, listing)
		want := map[string]string{
			"ID":                 nginx,
			"Name":               "Ethernet",
			"VirtualNetworkName": "nat",
			"MacAddress":         "00-15-5D-90-AD-7C",
			"IPAddress":          address,
			"PrefixLength":       "20",
			"GatewayAddress":     "172.19.0.1",
			"Policies":           step.policies,
		}
		fields := fieldsOf(t, listing, nginx)
		ours := fieldsOf(t, h.hcnctl("get", "endpoints", "-o", "list"), nginx)
		for name, value := range want {
			if fields[name] != value {
				t.Errorf("after %s, %s is %q through hcsshim and not %q", step.name, name, fields[name], value)
			}
			if ours[name] != value {
				t.Errorf("after %s, %s is %q in hcnctl's listing and not %q", step.name, name, ours[name], value)
			}
		}
		if other := fieldsOf(t, listing, client); other["Policies"] != "" {
			t.Errorf("after %s, the client has policies: %s", step.name, other["Policies"])
		}
		probed := h.probe("client", "nginx:80/tcp")
		if probed.Outcome != step.outcome {
			t.Errorf("after %s, the probe %s", step.name, probed)
		}
		if step.outcome == "timed-out" && !probed.droppedAt(nginx, "/Policies/0") {
			t.Errorf("after %s, the first rule does not drop it: %s", step.name, probed)
		}
	}
}
