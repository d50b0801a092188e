// SPDX-License-Identifier: MIT OR Apache-2.0

package interop

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const pluginsPath = "github.com/containernetworking/plugins/plugins/"

// plugin is a CNI plugin with its configuration, called as a container runtime calls it.
type plugin struct {
	host
	program       string
	configuration map[string]any
	container     string
	netns         string
}

// result is what a plugin prints after ADD (CNI 1.0.0).
type result struct {
	Interfaces []struct{ Name, Mac string }
	IPs        []struct{ Address, Gateway string }
}

// newPlugin builds a plugin and host-local beside it, and gives host-local a range and an empty folder.
func newPlugin(t *testing.T, h host, name string, configuration map[string]any, network, first string) *plugin {
	t.Helper()
	program := goBuild(t, name+".exe", "build", pluginsPath+"main/windows/"+name)
	goBuild(t, "host-local.exe", "build", pluginsPath+"ipam/host-local")
	if err := os.RemoveAll(h.folder() + "-ipam"); err != nil {
		t.Fatal(err)
	}
	configuration["type"] = name
	configuration["ipam"] = map[string]any{
		"type":    "host-local",
		"dataDir": h.state + "-ipam",
		"ranges":  [][]map[string]string{{{"subnet": network, "rangeStart": first}}},
	}
	return &plugin{host: h, program: program, configuration: configuration, container: "c1"}
}

// call runs one verb of CNI.
func (p *plugin) call(verb string) ended {
	p.t.Helper()
	text, err := json.Marshal(p.configuration)
	if err != nil {
		p.t.Fatal(err)
	}
	command := p.wine(p.program)
	command.Stdin = strings.NewReader(string(text))
	command.Env = append(command.Env,
		"CNI_COMMAND="+verb,
		"CNI_CONTAINERID="+p.container,
		"CNI_NETNS="+p.netns,
		"CNI_IFNAME=eth0",
		`CNI_PATH=Z:`+strings.ReplaceAll(built, "/", `\`),
	)
	return p.finish(command)
}

// must runs a verb that has to end well.
func (p *plugin) must(verb string) string {
	p.t.Helper()
	end := p.call(verb)
	if end.code != 0 {
		p.t.Fatalf("%s: exit code %d\n%s%s", verb, end.code, end.stdout, end.stderr)
	}
	return end.stdout
}

// add runs ADD, and CHECK with what came of it.
func (p *plugin) add() result {
	p.t.Helper()
	text := p.must("ADD")
	var added result
	var previous map[string]any
	for _, into := range []any{&added, &previous} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			p.t.Fatalf("%v in %s", err, text)
		}
	}
	if len(added.IPs) != 1 || len(added.Interfaces) != 1 {
		p.t.Fatalf("one address and one interface are not in %s", text)
	}
	p.configuration["prevResult"] = previous
	p.must("CHECK")
	delete(p.configuration, "prevResult")
	return added
}

// leases are the addresses that host-local has given.
func (p *plugin) leases() []string {
	p.t.Helper()
	files, err := filepath.Glob(filepath.Join(p.folder()+"-ipam", "*", "*.*.*.*"))
	if err != nil {
		p.t.Fatal(err)
	}
	for index, file := range files {
		files[index] = filepath.Base(file)
	}
	return files
}

// pods are the endpoints that the plugin made, by name.
func (p *plugin) pods() []map[string]any {
	p.t.Helper()
	return slices.DeleteFunc(p.documents("endpoints"), func(endpoint map[string]any) bool {
		name, _ := endpoint["Name"].(string)
		return !strings.HasPrefix(name, "c")
	})
}

// names are the names of all endpoints.
func (p *plugin) names() []string {
	p.t.Helper()
	var names []string
	for _, endpoint := range p.documents("endpoints") {
		name, _ := endpoint["Name"].(string)
		names = append(names, name)
	}
	return names
}

// nothingLeft fails unless ADD's traces are gone: endpoint, address, and the namespace's entry.
func (p *plugin) nothingLeft(after string) {
	p.t.Helper()
	if pods := p.pods(); len(pods) != 0 {
		p.t.Errorf("after %s there is an endpoint: %v", after, pods)
	}
	if leases := p.leases(); len(leases) != 0 {
		p.t.Errorf("after %s host-local holds %v", after, leases)
	}
	for _, namespace := range p.documents("namespaces") {
		id, _ := namespace["ID"].(string)
		if resources, _ := namespace["Resources"].([]any); strings.EqualFold(id, p.netns) && len(resources) != 0 {
			p.t.Errorf("after %s the namespace holds %v", after, resources)
		}
	}
}

// acl is a rule as the configuration of a plugin has it in version 2.
func acl(members map[string]any) map[string]any {
	return map[string]any{"name": "EndpointPolicy", "value": map[string]any{"Type": "ACL", "Settings": members}}
}

// onePort blocks port 81 and allows the rest.
func onePort() []any {
	return []any{
		acl(map[string]any{"Action": "Block", "Direction": "In", "Protocols": "6", "LocalPorts": "81", "RuleType": "Switch", "Priority": 100}),
		acl(map[string]any{"Action": "Allow", "Direction": "In", "RuleType": "Switch", "Priority": 65500}),
		acl(map[string]any{"Action": "Allow", "Direction": "Out", "RuleType": "Switch", "Priority": 65500}),
	}
}

// answers fails unless the outcome is this one.
func (p *plugin) answers(from, to, outcome string) probed {
	p.t.Helper()
	probed := p.probe(from, to)
	if probed.Outcome != outcome {
		p.t.Errorf("%s to %s is not %s: %s", from, to, outcome, probed)
	}
	return probed
}

// blockedAt fails unless the pod drops it as a packet to this place.
func (p *plugin) blockedAt(from, to, place string) {
	p.t.Helper()
	probed := p.answers(from, to, "timed-out")
	for _, drop := range probed.Drops {
		if strings.HasSuffix(drop.Flow, "-> "+place) && strings.Contains(drop.Cause, "Action=Block") {
			return
		}
	}
	p.t.Errorf("%s to %s is not dropped on its way to %s: %s", from, to, place, probed)
}

// twiceAndAstray does what the CNI specification speaks of beside ADD and DEL.
func (p *plugin) twiceAndAstray() {
	p.t.Helper()
	// DEL "should generally complete without error even if some resources are missing".
	p.must("DEL")
	p.nothingLeft("a second DEL")
	p.container = "c2"
	p.must("DEL")
	p.nothingLeft("DEL without ADD")
	p.container = "c1"

	// A runtime does not ADD twice; where one does, there is no second endpoint.
	first := p.add()
	again := p.call("ADD")
	if pods := p.pods(); len(pods) != 1 {
		p.t.Errorf("after ADD twice there are %d endpoints (the second ended with %d: %s)", len(pods), again.code, again.stdout)
	}
	p.must("DEL")
	p.nothingLeft("ADD twice and DEL")

	// An address that was given back can be had again.
	if third := p.add(); first.IPs[0].Address == "" || third.IPs[0].Address == "" {
		p.t.Errorf("no address: %v, %v", first, third)
	}
}

// goneNetwork takes the network away under a pod.
func (p *plugin) goneNetwork(name string) {
	p.t.Helper()
	p.hcnctl("delete", "network", name)
	p.must("DEL")
	p.nothingLeft("DEL without a network")
}

const podNamespace = "0f8f1a5c-6ac4-4be7-9d6e-6d0c3e9a7b11"

// win-bridge with the second version of the API gives a pod an address, a published port and its rules, and takes them back.
func TestWinBridgeVersion2(t *testing.T) {
	h := newHost(t)
	// The plugin gives every pod the second address of the subnet as its gateway.
	h.hcnctl("create", "network", "cbr0", "--type", "L2Bridge", "--subnet", "10.244.1.0/24", "--gateway", "10.244.1.2")
	h.hcnctl("create", "namespace", "--id", podNamespace)
	h.hcnctl("run", "--name", "other", "--network", "cbr0", "--address", "10.244.1.200")
	p := newPlugin(t, h, "win-bridge", map[string]any{
		"cniVersion":    "1.0.0",
		"name":          "cbr0",
		"apiVersion":    2,
		"dns":           map[string]any{"nameservers": []string{"10.96.0.10"}, "search": []string{"svc.cluster.local"}},
		"ipMasqNetwork": "10.244.0.0/16",
		"loopbackDSR":   true,
		"policies":      onePort(),
		"runtimeConfig": map[string]any{"portMappings": []any{
			map[string]any{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"},
			map[string]any{"hostPort": 8081, "containerPort": 81, "protocol": "tcp"},
		}},
	}, "10.244.1.0/24", "10.244.1.10")
	p.netns = podNamespace

	added := p.add()
	if address := added.IPs[0]; address.Address != "10.244.1.10/24" || address.Gateway != "10.244.1.2" {
		t.Errorf("the pod got %v", address)
	}
	pods := p.pods()
	if len(pods) != 1 || pods[0]["Name"] != "c1_cbr0" || pods[0]["MacAddress"] != added.Interfaces[0].Mac {
		t.Fatalf("the endpoint is not that of %v: %v", added, pods)
	}
	if in, _ := pods[0]["HostComputeNamespace"].(string); !strings.EqualFold(in, podNamespace) {
		t.Errorf("the endpoint is in namespace %q", in)
	}
	p.answers("other", "10.244.1.10/icmp", "answered")
	// Nobody listens in the pod: its stack answers with a reset.
	p.answers("other", "10.244.1.10:80/tcp", "refused")
	p.blockedAt("other", "10.244.1.10:81/tcp", "10.244.1.10:81")
	p.answers("other", "10.244.1.2:8080/tcp", "refused")
	p.blockedAt("other", "10.244.1.2:8081/tcp", "10.244.1.10:81")

	p.must("DEL")
	p.nothingLeft("DEL")
	if probed := p.probe("other", "10.244.1.2:8081/tcp"); len(probed.Drops) != 0 {
		t.Errorf("after DEL the port is still published: %s", probed)
	}
	p.answers("other", "10.244.1.10/icmp", "unreachable")

	p.twiceAndAstray()
	p.goneNetwork("cbr0")
}

// win-bridge with the first version of the API does the same for a container without a namespace.
func TestWinBridgeVersion1(t *testing.T) {
	h := newHost(t)
	h.hcnctl("create", "network", "cbr0", "--type", "L2Bridge", "--subnet", "10.244.1.0/24", "--gateway", "10.244.1.2")
	h.hcnctl("run", "--name", "other", "--network", "cbr0", "--address", "10.244.1.200")
	rule := func(members map[string]any) map[string]any {
		members["Type"] = "ACL"
		return map[string]any{"name": "EndpointPolicy", "value": members}
	}
	p := newPlugin(t, h, "win-bridge", map[string]any{
		"cniVersion": "1.0.0",
		"name":       "cbr0",
		"dns":        map[string]any{"nameservers": []string{"10.96.0.10"}},
		"policies": []any{
			rule(map[string]any{"Action": "Block", "Direction": "In", "Protocol": 6, "LocalPorts": "81", "RuleType": "Switch", "Priority": 100}),
			rule(map[string]any{"Action": "Allow", "Direction": "In", "RuleType": "Switch", "Priority": 65500}),
			rule(map[string]any{"Action": "Allow", "Direction": "Out", "RuleType": "Switch", "Priority": 65500}),
		},
		"runtimeConfig": map[string]any{"portMappings": []any{
			map[string]any{"hostPort": 8081, "containerPort": 81, "protocol": "tcp"},
		}},
	}, "10.244.1.0/24", "10.244.1.10")
	p.netns = "none"

	// A new endpoint is attached to a compute system, of which HNS has none.
	if end := p.call("ADD"); strings.Contains(end.stdout, "HcsOpenComputeSystem") {
		p.nothingLeft("an ADD that failed")
		t.Skip("vmcompute.dll has no compute systems (HcsOpenComputeSystem) to attach a new endpoint to")
	}
	p.must("DEL")
	added := p.add()
	if address := added.IPs[0]; address.Address != "10.244.1.10/24" || address.Gateway != "10.244.1.2" {
		t.Errorf("the pod got %v", address)
	}
	p.answers("other", "10.244.1.10/icmp", "answered")
	p.blockedAt("other", "10.244.1.10:81/tcp", "10.244.1.10:81")
	p.blockedAt("other", "10.244.1.2:8081/tcp", "10.244.1.10:81")
	p.must("DEL")
	p.nothingLeft("DEL")
	p.twiceAndAstray()
	p.goneNetwork("cbr0")
}

// win-bridge with the first version of the API lets a second container into the endpoint that the pod already has.
func TestWinBridgeVersion1Shared(t *testing.T) {
	h := newHost(t)
	h.hcnctl("create", "network", "cbr0", "--type", "L2Bridge", "--subnet", "10.244.1.0/24", "--gateway", "10.244.1.2")
	pause := strings.Repeat("5eed", 16)
	h.hcnctl("run", "--name", "pause", "--network", "cbr0", "--address", "10.244.1.10", "--attach", "docker",
		"--container-id", pause, "--endpoint-name", pause+"_cbr0", "--listen", "80/tcp")
	h.hcnctl("run", "--name", "other", "--network", "cbr0", "--address", "10.244.1.200")
	p := newPlugin(t, h, "win-bridge", map[string]any{"cniVersion": "1.0.0", "name": "cbr0"}, "10.244.1.0/24", "10.244.1.10")
	p.container, p.netns = pause, "container:"+pause

	added := p.add()
	if address := added.IPs[0]; address.Address != "10.244.1.10/24" || address.Gateway != "10.244.1.2" {
		t.Errorf("the pod got %v", address)
	}
	p.answers("other", "10.244.1.10:80/tcp", "answered")
	p.must("DEL")
	// The endpoint is the pod's, and only the container went.
	if names := p.names(); !slices.Contains(names, pause+"_cbr0") {
		t.Errorf("DEL of one container took the pod's endpoint away: %v", names)
	}
}

// win-overlay makes the MAC address from the address, and its pod's rules are obeyed.
func TestWinOverlay(t *testing.T) {
	h := newHost(t)
	document := map[string]any{
		"Name": "vxlan0",
		"Type": "Overlay",
		"Ipams": []any{map[string]any{"Type": "Static", "Subnets": []any{map[string]any{
			"IpAddressPrefix": "10.245.1.0/24",
			"Routes":          []any{map[string]any{"NextHop": "10.245.1.1", "DestinationPrefix": "0.0.0.0/0"}},
			"Policies":        []any{map[string]any{"Type": "VSID", "Settings": map[string]any{"IsolationId": 4096}}},
		}}}},
		"SchemaVersion": map[string]any{"Major": 2, "Minor": 0},
	}
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	create := h.wine(hcnctlProgram(), "create", "--file", "-", "--kind", "network")
	create.Stdin = strings.NewReader(string(text))
	if end := h.finish(create); end.code != 0 {
		t.Fatalf("create: exit code %d\n%s%s", end.code, end.stdout, end.stderr)
	}
	h.hcnctl("create", "namespace", "--id", podNamespace)
	h.hcnctl("run", "--name", "other", "--network", "vxlan0", "--address", "10.245.1.200")
	p := newPlugin(t, h, "win-overlay", map[string]any{
		"cniVersion":  "1.0.0",
		"name":        "vxlan0",
		"apiVersion":  2,
		"loopbackDSR": true,
		"ipMasq":      true,
		"policies":    onePort(),
	}, "10.245.1.0/24", "10.245.1.10")
	p.netns = podNamespace

	added := p.add()
	if address := added.IPs[0]; address.Address != "10.245.1.10/24" || address.Gateway != "10.245.1.1" {
		t.Errorf("the pod got %v", address)
	}
	// 10.245.1.10 in hexadecimal after the plugin's prefix.
	if mac := added.Interfaces[0].Mac; !strings.EqualFold(mac, "0E-2A-0a-f5-01-0a") {
		t.Errorf("the pod has the MAC address %s", mac)
	}
	p.answers("other", "10.245.1.10/icmp", "answered")
	p.blockedAt("other", "10.245.1.10:81/tcp", "10.245.1.10:81")
	p.must("DEL")
	p.nothingLeft("DEL")
	p.twiceAndAstray()
	p.goneNetwork("vxlan0")
}
