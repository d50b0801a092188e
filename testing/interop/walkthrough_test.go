// SPDX-License-Identifier: MIT OR Apache-2.0

package interop

import (
	"fmt"
	"slices"
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

// seed is one endpoint of the walk-through's listings, field by field in their order; Policies has its place and no value before a rule is there.
type seed struct{ name, value string }

const (
	nginx   = "edffc876-3051-46ec-80b3-820dda20aa14"
	client  = "c047102f-2bb1-4f64-8f30-9ede02f464f1"
	network = "625d8985-3f12-469e-a98d-2baac83dee45"
	address = "172.19.6.74"
	suffix  = "uuz1fvwpe0zejibongrs2s5cjg.bx.internal.cloudapp.net"
)

func listed(id, mac, address, container, policies string) []seed {
	return []seed{
		{"ID", id},
		{"Name", "Ethernet"},
		{"Version", "64424509440"},
		{"State", "2"},
		{"VirtualNetwork", network},
		{"VirtualNetworkName", "nat"},
		{"Policies", policies},
		{"MacAddress", mac},
		{"EnableInternalDNS", "True"},
		{"IPAddress", address},
		{"PrefixLength", "20"},
		{"GatewayAddress", "172.19.0.1"},
		{"DNSServerList", "172.19.0.1,168.63.129.16"},
		{"DNSSuffix", suffix},
		{"SharedContainers", "{" + container + "}"},
	}
}

// lines are the fields as a listing has them, without those that the one who lists has no place for.
func lines(fields []seed, without ...string) string {
	var text strings.Builder
	for _, field := range fields {
		if field.value != "" && !slices.Contains(without, field.name) {
			fmt.Fprintf(&text, "%-18s : %s\n", field.name, field.value)
		}
	}
	return text.String()
}

// objectOf finds the object of an endpoint in a listing, and leaves out the fields whose values no two hosts share.
func objectOf(t *testing.T, listing, id string) string {
	t.Helper()
	for object := range strings.SplitSeq(listing, "\n\n") {
		object = strings.Trim(object, "\n")
		if !strings.Contains(object, " : "+id+"\n") {
			continue
		}
		var kept strings.Builder
		for line := range strings.SplitSeq(object, "\n") {
			name, _, _ := strings.Cut(line, " ")
			if !slices.Contains([]string{"AdditionalParams", "Resources", "IPSubnetId"}, name) {
				kept.WriteString(strings.TrimRight(line, " ") + "\n")
			}
		}
		return kept.String()
	}
	t.Fatalf("no endpoint %s in\n%s", id, listing)
	return ""
}

// The steps of the walk-through, done by a program on hcsshim, do to packets and listings what the walk-through shows.
func TestWalkThrough(t *testing.T) {
	program := goBuild(t, "walkthrough.exe", "build", "./walkthrough")
	h := newHost(t)
	h.hcnctl("create", "network", "nat", "--id", network, "--subnet", "172.19.0.0/20", "--gateway", "172.19.0.1",
		"--dns", "168.63.129.16", "--dns-suffix", suffix)
	const (
		nginxMac, clientMac = "00-15-5D-90-AD-7C", "00-15-5D-90-AD-B2"
		nginxContainer      = "49c836b9725e69736157468f33b2a41b0753609c5d49565b46fb37505a5a3b9f"
		clientContainer     = "49e8cbcc30485056cc3e95a6d39f432a8ec2dda522efaaabb2f8dd513b7a5f9c"
		clientAddress       = "172.19.3.166"
	)
	h.hcnctl("run", "--name", "nginx", "--attach", "docker", "--container-id", nginxContainer, "--listen", "80/tcp",
		"--endpoint-id", nginx, "--endpoint-name", "Ethernet", "--address", address, "--mac", nginxMac)
	h.hcnctl("run", "--name", "client", "--attach", "docker", "--container-id", clientContainer,
		"--endpoint-id", client, "--endpoint-name", "Ethernet", "--address", clientAddress, "--mac", clientMac)

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
		ours := h.hcnctl("get", "endpoints", "-o", "list")
		for id, want := range map[string][]seed{
			nginx:  listed(nginx, nginxMac, address, nginxContainer, step.policies),
			client: listed(client, clientMac, clientAddress, clientContainer, ""),
		} {
			// hcsshim's endpoint has no Version.
			if is, want := objectOf(t, listing, id), lines(want, "Version"); is != want {
				t.Errorf("after %s, hcsshim's listing has\n%sand not\n%s", step.name, is, want)
			}
			if is, want := objectOf(t, ours, id), lines(want); is != want {
				t.Errorf("after %s, hcnctl's listing has\n%sand not\n%s", step.name, is, want)
			}
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
