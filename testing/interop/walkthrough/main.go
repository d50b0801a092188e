// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build windows

// Command walkthrough does one step of JungukCho/windows-hcsshim's walk-through through hcsshim's package hcn.
//
//	walkthrough list
//	walkthrough block|allow|remove ENDPOINT
//
// Knows nothing of ours: on a Windows host it speaks to the real HNS.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"

	"github.com/Microsoft/hcsshim/hcn"
)

func main() {
	if err := step(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func step(words []string) error {
	switch {
	case len(words) == 1 && words[0] == "list":
		return list()
	case len(words) == 2 && words[0] == "block":
		return apply(words[1], hcn.RequestTypeAdd, hcn.ActionTypeBlock)
	case len(words) == 2 && words[0] == "allow":
		return apply(words[1], hcn.RequestTypeUpdate, hcn.ActionTypeAllow)
	case len(words) == 2 && words[0] == "remove":
		return apply(words[1], hcn.RequestTypeRemove, hcn.ActionTypeAllow)
	}
	return fmt.Errorf("walkthrough list|block ENDPOINT|allow ENDPOINT|remove ENDPOINT")
}

// apply sends the two rules of the walk-through: TCP to port 80 of the endpoint, and TCP out of it.
func apply(id string, request hcn.RequestType, action hcn.ActionType) error {
	endpoint, err := hcn.GetEndpointByID(id)
	if err != nil {
		return err
	}
	rules := []hcn.AclPolicySetting{
		{
			Protocols:      "6",
			Action:         action,
			Direction:      hcn.DirectionTypeIn,
			LocalAddresses: endpoint.IpConfigurations[0].IpAddress,
			LocalPorts:     "80",
			Priority:       100,
		},
		{Protocols: "6", Action: action, Direction: hcn.DirectionTypeOut, Priority: 100},
	}
	var policies hcn.PolicyEndpointRequest
	for _, rule := range rules {
		settings, err := json.Marshal(rule)
		if err != nil {
			return err
		}
		policies.Policies = append(policies.Policies, hcn.EndpointPolicy{Type: hcn.ACL, Settings: settings})
	}
	return endpoint.ApplyPolicy(request, policies)
}

// list prints every endpoint as Get-HnsEndpoint does, as far as the second version of the documents has its fields.
func list() error {
	endpoints, err := hcn.ListEndpoints()
	if err != nil {
		return err
	}
	for _, endpoint := range endpoints {
		network, err := hcn.GetNetworkByID(endpoint.HostComputeNetwork)
		if err != nil {
			return err
		}
		field := func(name, value string) { fmt.Printf("%-18s : %s\n", name, value) }
		field("ID", strings.ToLower(endpoint.Id))
		field("Name", endpoint.Name)
		field("VirtualNetwork", strings.ToLower(network.Id))
		field("VirtualNetworkName", network.Name)
		var policies []string
		for _, policy := range endpoint.Policies {
			text, err := hashtable(policy)
			if err != nil {
				return err
			}
			policies = append(policies, text)
		}
		if len(policies) > 0 {
			field("Policies", "{"+strings.Join(policies, ", ")+"}")
		}
		field("MacAddress", endpoint.MacAddress)
		for _, address := range endpoint.IpConfigurations {
			field("IPAddress", address.IpAddress)
			field("PrefixLength", fmt.Sprint(address.PrefixLength))
		}
		for _, route := range endpoint.Routes {
			field("GatewayAddress", route.NextHop)
		}
		fmt.Println()
	}
	return nil
}

// hashtable prints a policy as PowerShell does, members in alphabetical order.
func hashtable(policy hcn.EndpointPolicy) (string, error) {
	members := map[string]any{}
	if err := json.Unmarshal(policy.Settings, &members); err != nil {
		return "", err
	}
	members["Type"] = policy.Type
	var parts []string
	for name, value := range members {
		parts = append(parts, fmt.Sprintf("%s=%v", name, value))
	}
	sort.Strings(parts)
	return "@{" + strings.Join(parts, "; ") + "}", nil
}
