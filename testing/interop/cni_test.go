// SPDX-License-Identifier: MIT OR Apache-2.0

package interop

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

const podNamespace = "0f8f1a5c-6ac4-4be7-9d6e-6d0c3e9a7b11"

// pause is the id of a container that runs before it has an endpoint of the network, as a pause container does.
var pause = strings.Repeat("5eed", 16)

// bridge makes an L2Bridge network with somebody on it. win-bridge gives every pod the second address of the subnet as its gateway.
func (h host) bridge() {
	h.t.Helper()
	h.hcnctl("create", "network", "cbr0", "--type", "L2Bridge", "--subnet", "10.244.1.0/24", "--gateway", "10.244.1.2")
	h.hcnctl("run", "--name", "other", "--network", "cbr0", "--address", "10.244.1.200")
}

// overlay makes an Overlay network with somebody on it.
func (h host) overlay() {
	h.t.Helper()
	text, err := json.Marshal(map[string]any{
		"Name": "vxlan0",
		"Type": "Overlay",
		"Ipams": []any{map[string]any{"Type": "Static", "Subnets": []any{map[string]any{
			"IpAddressPrefix": "10.245.1.0/24",
			"Routes":          []any{map[string]any{"NextHop": "10.245.1.1", "DestinationPrefix": "0.0.0.0/0"}},
			"Policies":        []any{map[string]any{"Type": "VSID", "Settings": map[string]any{"IsolationId": 4096}}},
		}}}},
		"SchemaVersion": map[string]any{"Major": 2, "Minor": 0},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	create := h.wine(hcnctlProgram(), "create", "--file", "-", "--kind", "network")
	create.Stdin = strings.NewReader(string(text))
	if end := h.finish(create); end.code != 0 {
		h.t.Fatalf("create: exit code %d\n%s%s", end.code, end.stdout, end.stderr)
	}
	h.hcnctl("run", "--name", "other", "--network", "vxlan0", "--address", "10.245.1.200")
}

// pauseRuns starts the pause container on a network of its own, since every simulated container has an endpoint.
func (h host) pauseRuns() {
	h.t.Helper()
	h.hcnctl("create", "network", "nat")
	h.hcnctl("run", "--name", "pause", "--attach", "docker", "--container-id", pause)
}

// inNamespace says that the pod is what ADD told, and in its namespace.
func (p *plugin) inNamespace(added result) {
	p.t.Helper()
	pods := p.pods()
	if len(pods) != 1 || pods[0]["Name"] != p.endpoint() || pods[0]["MacAddress"] != added.Interfaces[0].Mac {
		p.t.Fatalf("the endpoint is not that of %v: %v", added, pods)
	}
	if in, _ := pods[0]["HostComputeNamespace"].(string); !strings.EqualFold(in, podNamespace) {
		p.t.Errorf("the endpoint is in namespace %q", in)
	}
}

// notWithoutContainer says that version 1 refuses a container that does not run, and leaves nothing.
func (p *plugin) notWithoutContainer() {
	p.t.Helper()
	p.container = strings.Repeat("dead", 16)
	// 0xC037010E, hcsshim's ErrComputeSystemDoesNotExist, which the plugin does not forgive for a new endpoint.
	if end := p.call("ADD"); end.code == 0 || !strings.Contains(end.stdout, "winapi error #3224830222") {
		p.t.Errorf("ADD for a container that does not run ended with %d: %s", end.code, end.stdout)
	}
	p.nothingLeft("an ADD that failed")
	p.container = pause
}

// alreadyThere is HCN_E_ENDPOINT_NAMESPACE_ALREADY_EXISTS, with which version 2 refuses a second ADD.
const alreadyThere = "0x803b002b"

// win-bridge with the second version of the API gives a pod an address, published ports and its rules, and takes them back.
func TestWinBridgeVersion2(t *testing.T) {
	h := newHost(t)
	h.bridge()
	h.hcnctl("create", "namespace", "--id", podNamespace)
	p := newPlugin(t, h, "win-bridge", map[string]any{
		"cniVersion":    "1.0.0",
		"name":          "cbr0",
		"apiVersion":    2,
		"dns":           map[string]any{"nameservers": []string{"10.96.0.10"}, "search": []string{"svc.cluster.local"}},
		"ipMasqNetwork": "10.244.0.0/16",
		"loopbackDSR":   true,
		"policies":      policies2("ACL", onePort("Protocols", "6")...),
		"runtimeConfig": published(),
	}, "10.244.1.0/24", "10.244.1.10")
	p.netns = podNamespace

	added := p.add()
	if address := added.IPs[0]; address.Address != "10.244.1.10/24" || address.Gateway != "10.244.1.2" {
		t.Errorf("the pod got %v", address)
	}
	p.inNamespace(added)
	// Nobody listens in the pod yet: its stack answers with a reset.
	p.answers("other", "10.244.1.10:80/tcp", "refused")
	p.answer()
	p.reached("10.244.1.10", "10.244.1.2")

	p.must("DEL")
	p.nothingLeft("DEL")
	p.hcnctl("rm", "web")
	p.gone("10.244.1.10", "10.244.1.2")
	p.unpublished("10.244.1.10")
	p.twiceAndAstray(alreadyThere)
	p.goneNetwork()
}

// win-bridge with the first version of the API does the same for a container without a namespace.
func TestWinBridgeVersion1(t *testing.T) {
	h := newHost(t)
	h.bridge()
	h.pauseRuns()
	p := newPlugin(t, h, "win-bridge", map[string]any{
		"cniVersion":    "1.0.0",
		"name":          "cbr0",
		"dns":           map[string]any{"nameservers": []string{"10.96.0.10"}},
		"ipMasqNetwork": "10.244.0.0/16",
		"loopbackDSR":   true,
		"policies":      policies1("ACL", onePort("Protocol", 6)...),
		"runtimeConfig": published(),
	}, "10.244.1.0/24", "10.244.1.10")
	p.netns = "none"
	p.notWithoutContainer()

	// host-local goes on with the next address before it gives one a second time.
	added := p.add()
	if address := added.IPs[0]; address.Address != "10.244.1.11/24" || address.Gateway != "10.244.1.2" {
		t.Errorf("the pod got %v", address)
	}
	p.answer()
	p.reached("10.244.1.11", "10.244.1.2")

	p.must("DEL")
	p.nothingLeft("DEL")
	p.hcnctl("rm", "web")
	p.gone("10.244.1.11", "10.244.1.2")
	p.unpublished("10.244.1.11")
	p.twiceAndAstray("")
	p.goneNetwork()
}

// win-bridge with the first version of the API lets a second container into the endpoint that the pod already has.
func TestWinBridgeVersion1Shared(t *testing.T) {
	h := newHost(t)
	h.bridge()
	h.hcnctl("run", "--name", "pause", "--network", "cbr0", "--address", "10.244.1.10", "--attach", "docker",
		"--container-id", pause, "--endpoint-name", pause+"_cbr0", "--listen", "80/tcp")
	p := newPlugin(t, h, "win-bridge", map[string]any{"cniVersion": "1.0.0", "name": "cbr0"}, "10.244.1.0/24", "10.244.1.10")
	p.container, p.netns = pause, "container:"+pause

	added := p.checked()
	if address := added.IPs[0]; address.Address != "10.244.1.10/24" || address.Gateway != "10.244.1.2" {
		t.Errorf("the pod got %v", address)
	}
	p.answers("other", "10.244.1.10:80/tcp", "answered")
	if leases := p.leases(); len(leases) != 0 {
		t.Errorf("for an endpoint that is there, host-local gave %v", leases)
	}
	p.must("DEL")
	// The endpoint is the pod's, and only the container went.
	if names := p.names(); !slices.Contains(names, pause+"_cbr0") {
		t.Errorf("DEL of one container took the pod's endpoint away: %v", names)
	}
}

// 10.245.1.10 in hexadecimal after the plugin's prefix.
const overlayMac = "0E-2A-0a-f5-01-0a"

// win-overlay makes the MAC address from the address, and its pod is reached and its rules are obeyed. It does not read the port mappings of
// a runtime: they stand in its configuration as policies.
func TestWinOverlayVersion2(t *testing.T) {
	h := newHost(t)
	h.overlay()
	h.hcnctl("create", "namespace", "--id", podNamespace)
	p := newPlugin(t, h, "win-overlay", map[string]any{
		"cniVersion":  "1.0.0",
		"name":        "vxlan0",
		"apiVersion":  2,
		"loopbackDSR": true,
		"ipMasq":      true,
		"policies":    append(policies2("ACL", onePort("Protocols", "6")...), policies2("PortMapping", mapped(6)...)...),
	}, "10.245.1.0/24", "10.245.1.10")
	p.netns = podNamespace

	added := p.add()
	if address := added.IPs[0]; address.Address != "10.245.1.10/24" || address.Gateway != "10.245.1.1" {
		t.Errorf("the pod got %v", address)
	}
	if mac := added.Interfaces[0].Mac; !strings.EqualFold(mac, overlayMac) {
		t.Errorf("the pod has the MAC address %s", mac)
	}
	p.inNamespace(added)
	p.answer()
	p.reached("10.245.1.10", "10.245.1.1")

	p.must("DEL")
	p.nothingLeft("DEL")
	p.hcnctl("rm", "web")
	p.gone("10.245.1.10", "10.245.1.1")
	p.unpublished("10.245.1.10")
	p.twiceAndAstray(alreadyThere)
	p.goneNetwork()
}

// win-overlay with the first version of the API does the same for a container without a namespace.
func TestWinOverlayVersion1(t *testing.T) {
	h := newHost(t)
	h.overlay()
	h.pauseRuns()
	p := newPlugin(t, h, "win-overlay", map[string]any{
		"cniVersion":  "1.0.0",
		"name":        "vxlan0",
		"loopbackDSR": true,
		"ipMasq":      true,
		"policies":    append(policies1("ACL", onePort("Protocol", 6)...), policies1("NAT", mapped("TCP")...)...),
	}, "10.245.1.0/24", "10.245.1.10")
	p.container, p.netns = pause, "none"

	added := p.add()
	if address := added.IPs[0]; address.Address != "10.245.1.10/24" || address.Gateway != "10.245.1.1" {
		t.Errorf("the pod got %v", address)
	}
	if mac := added.Interfaces[0].Mac; !strings.EqualFold(mac, overlayMac) {
		t.Errorf("the pod has the MAC address %s", mac)
	}
	p.answer()
	p.reached("10.245.1.10", "10.245.1.1")

	p.must("DEL")
	p.nothingLeft("DEL")
	p.hcnctl("rm", "web")
	p.gone("10.245.1.10", "10.245.1.1")
	p.unpublished("10.245.1.10")
	p.twiceAndAstray("")
	p.goneNetwork()
}
