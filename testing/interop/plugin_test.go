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
	ipam          string
	configuration map[string]any
	network       string
	container     string
	netns         string
}

// result is what a plugin prints after ADD (CNI 1.0.0).
type result struct {
	Interfaces []struct{ Name, Mac string }
	IPs        []struct{ Address, Gateway string }
}

// newPlugin builds a plugin and host-local beside it, and gives host-local a range and an empty folder.
func newPlugin(t *testing.T, h host, name string, configuration map[string]any, subnet, first string) *plugin {
	t.Helper()
	program := goBuild(t, name+".exe", "build", pluginsPath+"main/windows/"+name)
	ipam := goBuild(t, "host-local.exe", "build", pluginsPath+"ipam/host-local")
	if err := os.RemoveAll(h.folder() + "-ipam"); err != nil {
		t.Fatal(err)
	}
	configuration["type"] = name
	configuration["ipam"] = map[string]any{
		"type":    "host-local",
		"dataDir": h.state + "-ipam",
		"ranges":  [][]map[string]string{{{"subnet": subnet, "rangeStart": first}}},
	}
	network, _ := configuration["name"].(string)
	return &plugin{host: h, program: program, ipam: ipam, configuration: configuration, network: network, container: "c1"}
}

// call runs one verb of CNI.
func (p *plugin) call(verb string) ended {
	p.t.Helper()
	return p.callOf(p.program, verb)
}

// callOf runs one verb of CNI of one of the two plugins.
func (p *plugin) callOf(program, verb string) ended {
	p.t.Helper()
	text, err := json.Marshal(p.configuration)
	if err != nil {
		p.t.Fatal(err)
	}
	command := p.wine(program)
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

// add runs ADD, and CHECK of both plugins. Those of this release look at nothing; host-local looks for the address that it gave.
func (p *plugin) add() result {
	p.t.Helper()
	added := p.checked()
	if end := p.callOf(p.ipam, "CHECK"); end.code != 0 {
		p.t.Errorf("host-local, CHECK after ADD: exit code %d\n%s%s", end.code, end.stdout, end.stderr)
	}
	return added
}

// checked runs ADD, and CHECK with what came of it.
func (p *plugin) checked() result {
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

// endpoint is the name that the plugin gives the endpoint of its container.
func (p *plugin) endpoint() string {
	return p.container + "_" + p.network
}

// answer puts somebody into the pod who answers at ports 80 and 81.
func (p *plugin) answer() {
	p.t.Helper()
	p.hcnctl("run", "--name", "web", "--endpoint", p.endpoint(), "--listen", "80/tcp", "--listen", "81/tcp")
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

// pods are the endpoints that the plugin made.
func (p *plugin) pods() []map[string]any {
	p.t.Helper()
	return slices.DeleteFunc(p.documents("endpoints"), func(endpoint map[string]any) bool {
		name, _ := endpoint["Name"].(string)
		return !strings.HasSuffix(name, "_"+p.network)
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

// unpublished fails unless another container can have the pod's address and publish its ports: HNS gives neither twice.
func (p *plugin) unpublished(address string) {
	p.t.Helper()
	p.hcnctl("run", "--name", "heir", "--network", p.network, "--address", address, "--publish", "8080:80/tcp", "--publish", "8081:81/tcp")
	p.hcnctl("rm", "heir")
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

// blockedAt fails unless the pod drops it, by the rule of its configuration, as a packet to this place.
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

// reached fails unless the pod does what its configuration says: it answers at port 80 of its address and at the published port of the host,
// to a neighbour and to the host, and blocks port 81, at which somebody listens too.
func (p *plugin) reached(address, gateway string) {
	p.t.Helper()
	p.answers("other", address+"/icmp", "answered")
	for _, from := range []string{"other", "host"} {
		p.answers(from, address+":80/tcp", "answered")
		p.answers(from, gateway+":8080/tcp", "answered")
		p.blockedAt(from, address+":81/tcp", address+":81")
		p.blockedAt(from, gateway+":8081/tcp", address+":81")
	}
}

// gone fails unless nobody has the pod's address, and nobody answers at its published ports.
func (p *plugin) gone(address, gateway string) {
	p.t.Helper()
	p.answers("other", address+"/icmp", "unreachable")
	for _, port := range []string{"8080", "8081"} {
		if probed := p.answers("other", gateway+":"+port+"/tcp", "refused"); len(probed.Drops) != 0 {
			p.t.Errorf("the port %s is still published: %s", port, probed)
		}
	}
}

// twiceAndAstray does what the CNI specification speaks of beside ADD and DEL. The second ADD ends as the plugin says: well, or with words.
func (p *plugin) twiceAndAstray(again string) {
	p.t.Helper()
	own := p.container
	// DEL "should generally complete without error even if some resources are missing".
	p.must("DEL")
	p.nothingLeft("a second DEL")
	p.container = "c2"
	p.must("DEL")
	p.nothingLeft("DEL without ADD")
	p.container = own
	if end := p.callOf(p.ipam, "CHECK"); end.code == 0 {
		p.t.Error("host-local, CHECK after DEL, finds an address")
	}

	// A runtime does not ADD twice; where one does, there is no second endpoint.
	p.add()
	second := p.call("ADD")
	if pods := p.pods(); len(pods) != 1 {
		p.t.Errorf("after ADD twice there are %d endpoints (the second ended with %d: %s)", len(pods), second.code, second.stdout)
	}
	if well := second.code == 0; well != (again == "") || !strings.Contains(second.stdout, again) {
		p.t.Errorf("the second ADD ended with %d and not with %q: %s", second.code, again, second.stdout)
	}
	p.must("DEL")
	p.nothingLeft("ADD twice and DEL")

	// What was given back can be had again.
	p.add()
}

// goneNetwork takes the network away under a pod.
func (p *plugin) goneNetwork() {
	p.t.Helper()
	p.hcnctl("delete", "network", p.network)
	p.must("DEL")
	p.nothingLeft("DEL without a network")
}

// policy is one of the configuration that the plugin hands on to HNS.
func policy(document map[string]any) map[string]any {
	return map[string]any{"name": "EndpointPolicy", "value": document}
}

// policies2 are those of version 2 as documents of version 2.
func policies2(kind string, all ...map[string]any) []any {
	var list []any
	for _, settings := range all {
		list = append(list, policy(map[string]any{"Type": kind, "Settings": settings}))
	}
	return list
}

// policies1 are the same in version 1.
func policies1(kind string, all ...map[string]any) []any {
	var list []any
	for _, members := range all {
		members["Type"] = kind
		list = append(list, policy(members))
	}
	return list
}

// onePort blocks port 81 and allows the rest; the protocol is a number of the one version and a text of the other.
func onePort(protocol string, number any) []map[string]any {
	return []map[string]any{
		{"Action": "Block", "Direction": "In", protocol: number, "LocalPorts": "81", "RuleType": "Switch", "Priority": 100},
		{"Action": "Allow", "Direction": "In", "RuleType": "Switch", "Priority": 65500},
		{"Action": "Allow", "Direction": "Out", "RuleType": "Switch", "Priority": 65500},
	}
}

// published are the pod's ports 80 and 81 at 8080 and 8081 of the host, in CNI's words.
func published() map[string]any {
	return map[string]any{"portMappings": []any{
		map[string]any{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"},
		map[string]any{"hostPort": 8081, "containerPort": 81, "protocol": "tcp"},
	}}
}

// mapped is the same in HNS's words, for a plugin that does not read CNI's.
func mapped(protocol any) []map[string]any {
	return []map[string]any{
		{"InternalPort": 80, "ExternalPort": 8080, "Protocol": protocol},
		{"InternalPort": 81, "ExternalPort": 8081, "Protocol": protocol},
	}
}
