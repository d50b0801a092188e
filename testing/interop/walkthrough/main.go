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

	"github.com/Microsoft/hcsshim"
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

// list prints every endpoint as Get-HnsEndpoint does, which shows documents of version 1: in its order, what hcsshim has a field for.
func list() error {
	endpoints, err := hcn.ListEndpoints()
	if err != nil {
		return err
	}
	for _, listed := range endpoints {
		endpoint, err := hcsshim.GetHNSEndpointByID(listed.Id)
		if err != nil {
			return err
		}
		field := func(name string, value any) { fmt.Printf("%-18s : %v\n", name, value) }
		optional := func(name, value string) {
			if value != "" {
				field(name, value)
			}
		}
		field("ID", endpoint.Id)
		field("Name", endpoint.Name)
		field("State", uint16(endpoint.State))
		field("VirtualNetwork", endpoint.VirtualNetwork)
		field("VirtualNetworkName", endpoint.VirtualNetworkName)
		var policies []string
		for _, policy := range endpoint.Policies {
			text, err := hashtable(policy)
			if err != nil {
				return err
			}
			policies = append(policies, text)
		}
		optional("Policies", array(policies))
		field("MacAddress", endpoint.MacAddress)
		if endpoint.EnableInternalDNS {
			field("EnableInternalDNS", "True")
		}
		field("IPAddress", endpoint.IPAddress)
		field("PrefixLength", endpoint.PrefixLength)
		field("GatewayAddress", endpoint.GatewayAddress)
		optional("DNSServerList", endpoint.DNSServerList)
		optional("DNSSuffix", endpoint.DNSSuffix)
		optional("SharedContainers", array(endpoint.SharedContainers))
		fmt.Println()
	}
	return nil
}

// array prints values as PowerShell does; nothing where there are none.
func array(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return "{" + strings.Join(values, ", ") + "}"
}

// hashtable prints a policy as PowerShell does, members in alphabetical order.
func hashtable(policy json.RawMessage) (string, error) {
	members := map[string]any{}
	if err := json.Unmarshal(policy, &members); err != nil {
		return "", err
	}
	var parts []string
	for name, value := range members {
		parts = append(parts, fmt.Sprintf("%s=%v", name, value))
	}
	sort.Strings(parts)
	return "@{" + strings.Join(parts, "; ") + "}", nil
}
