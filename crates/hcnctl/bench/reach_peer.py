#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Asks `hcnctl reach` and network-config-analyzer (PyPI) the same question in turn, and compares their answers pair by pair.

The question is who reaches whom with what, among pods of groups with random Kubernetes network policies: what each group takes from some
groups and sends to some, by protocols and ports. For hcnctl the same is written as an agent on Windows would, in ACLs of each endpoint with the
addresses of the groups. An answer is a set of (protocol, destination port) for each ordered pair, all 65,536 ports of TCP and UDP; the two sets of
a pair are the same or are not. Times are of whole processes, the least of some runs.

    bench/reach_peer.py NCA [PODS...]        NCA is the peer's program: python3 -m venv V; V/bin/pip install network-config-analyzer; V/bin/nca

Exit 0: every pair is the same. Exit 1: some are not. Exit 2: the peer is not there.
"""

import json
import pathlib
import random
import re
import resource
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
ALL = (1 << 65536) - 1
NUMBERS = {"TCP": 6, "UDP": 17}


def bits(first, last):
    return (1 << (last + 1)) - (1 << first)


def address(pod):
    return f"10.{pod // 65536}.{pod // 256 % 256}.{pod % 256}"


def scene(pods, groups, seed):
    """Of each group, what it takes and what it sends: lists of (other groups or None for all, ports or None for all); None where nothing is said."""
    chance = random.Random(seed)

    def side(probability):
        if chance.random() > probability:
            return None
        rules = []
        for _ in range(chance.randint(1, 3)):
            others = None if chance.random() < 0.1 else sorted(chance.sample(range(groups), min(groups, chance.randint(1, 3))))
            ports = None
            if chance.random() < 0.9:
                ports = []
                for _ in range(chance.randint(1, 3)):
                    first = chance.randint(1, 65000)
                    last = first if chance.random() < 0.7 else min(65535, first + chance.randint(1, 20000))
                    ports.append((chance.choice(["TCP", "TCP", "UDP"]), first, last))
            rules.append((others, ports))
        return rules

    members = [[pod for pod in range(pods) if pod % groups == group] for group in range(groups)]
    return [(side(0.8), side(0.5)) for _ in range(groups)], members


def as_kubernetes(policies, members):
    documents = ["apiVersion: v1\nkind: Namespace\nmetadata: {name: default, labels: {name: default}}\n"]
    for group, pods in enumerate(members):
        for pod in pods:
            documents.append(
                f"apiVersion: v1\nkind: Pod\nmetadata: {{name: p{pod}, namespace: default, labels: {{app: g{group}}}}}\n"
                f"spec: {{containers: [{{name: c, image: i}}]}}\nstatus: {{podIP: {address(pod + 1)}, hostIP: 192.168.0.1}}\n"
            )
    for group, (take, send) in enumerate(policies):
        if take is None and send is None:
            continue
        types = [name for name, side in (("Ingress", take), ("Egress", send)) if side is not None]
        spec = {"podSelector": {"matchLabels": {"app": f"g{group}"}}, "policyTypes": types}
        for name, other, side in (("ingress", "from", take), ("egress", "to", send)):
            if side is None:
                continue
            spec[name] = []
            for others, ports in side:
                rule = {}
                if others is not None:
                    rule[other] = [{"podSelector": {"matchLabels": {"app": f"g{one}"}}} for one in others]
                if ports is not None:
                    rule["ports"] = [{"protocol": protocol, "port": first} | ({"endPort": last} if last > first else {}) for protocol, first, last in ports]
                spec[name].append(rule)
        # JSON is YAML.
        documents.append(json.dumps({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": f"n{group}", "namespace": "default"}, "spec": spec}) + "\n")
    return "---\n".join(documents)


def as_hns(policies, members):
    network = "a0000001-0000-4000-8000-000000000000"
    version = {"Major": 2, "Minor": 0}
    gateway = {"NextHop": "10.255.255.254", "DestinationPrefix": "0.0.0.0/0"}
    documents = [{"ID": network, "Name": "pods", "Type": "L2Bridge", "SchemaVersion": version, "Ipams": [{"Subnets": [{"IpAddressPrefix": "10.0.0.0/8", "Routes": [gateway]}]}]}]
    for (take, send), pods in zip(policies, members):
        acls = []
        for direction, side, own in (("In", take, "LocalPorts"), ("Out", send, "RemotePorts")):
            if side is None:
                continue
            for others, ports in side:
                remote = {} if others is None else {"RemoteAddresses": ",".join(address(pod + 1) for one in others for pod in members[one])}
                for protocol in NUMBERS if ports is not None else [None]:
                    rule = {"Action": "Allow", "Direction": direction, "Priority": 1000, "RuleType": "Switch"} | remote
                    if protocol:
                        rule["Protocols"] = str(NUMBERS[protocol])
                        rule[own] = ",".join(f"{first}-{last}" if last > first else str(first) for name, first, last in ports if name == protocol)
                        if not rule[own]:
                            continue
                    acls.append(rule)
        # A port with any rule drops what none of them allows, in the other direction too.
        if acls or take is not None or send is not None:
            for direction, side in (("In", take), ("Out", send)):
                if side is None:
                    acls.append({"Action": "Allow", "Direction": direction, "Priority": 65500, "RuleType": "Switch"})
        for pod in pods:
            documents.append({
                "ID": f"{pod + 1:08x}-0000-4000-8000-000000000000", "Name": f"p{pod}", "HostComputeNetwork": network, "SchemaVersion": version,
                "IpConfigurations": [{"IpAddress": address(pod + 1), "PrefixLength": 8}], "Routes": [gateway],
                "Policies": [{"Type": "ACL", "Settings": acl} for acl in acls],
            })
    return json.dumps(documents)


def timed(command, runs):
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True)
        times.append(time.perf_counter() - begin)
    if done.returncode != 0:
        sys.exit(f"{command[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
    return min(times), done.stdout


def chosen(words, members):
    """The pods that the peer means: by name, all, or by their group's label."""
    groups = {f"g{group}": [f"p{pod}" for pod in pods] for group, pods in enumerate(members)}
    pods = set()
    for word in words:
        named = set(re.findall(r"\bg\d+\b", word))
        if re.fullmatch(r"app=g\d+|app in \([g\d,]+\)", word):
            pods.update(*(groups[group] for group in named))
        elif re.fullmatch(r"app not in \([g\d,]+\)|app!=g\d+", word):
            pods.update(*(groups[group] for group in groups.keys() - named))
        elif word == "*":
            pods.update(*groups.values())
        elif re.fullmatch(r"p\d+", word):
            pods.add(word)
        else:
            sys.exit(f"the peer names pods in a way that is not known here: {word}")
    return pods


def peers_answer(text, members):
    start = text.index("[\n")
    answer, _ = json.JSONDecoder().raw_decode(text[start:])
    pairs = {}
    for rule in answer[0]["explanation"][0]["rules"]:
        if "src_pods" not in rule or "dst_pods" not in rule:
            continue
        sets = {"TCP": 0, "UDP": 0}
        for connection in rule["connection"]:
            if connection == "All connections":
                sets = dict.fromkeys(sets, ALL)
                continue
            protocols = connection["protocols"]
            ports = 0
            for port in connection.get("dst_ports", ["0-65535"]):
                first, last = (re.split("-", str(port)) + [str(port)])[:2]
                ports |= bits(int(first), int(last))
            for protocol in [protocols] if isinstance(protocols, str) else protocols:
                for name in protocol.split(","):
                    if name in sets:
                        sets[name] |= ports
        sources, destinations = (chosen(rule[key], members) for key in ("src_pods", "dst_pods"))
        for source in sources:
            for destination in destinations:
                tcp, udp = pairs.get((source, destination), (0, 0))
                pairs[source, destination] = (tcp | sets["TCP"], udp | sets["UDP"])
    return pairs


def our_answer(text):
    answer = json.loads(text)
    sets = {}
    for name, cells in answer["sets"].items():
        one = dict.fromkeys(NUMBERS, 0)
        for cell in cells:
            ports = 0
            for first, last in cell["destinationPorts"]:
                ports |= bits(first, last)
            for protocol, number in NUMBERS.items():
                if any(first <= number <= last for first, last in cell["protocols"]):
                    one[protocol] |= ports
        sets[name] = (one["TCP"], one["UDP"])
    pods = {one["label"] for one in answer["participants"] if one["kind"] == "endpoint"}
    return {(pair["from"], pair["to"]): sets[pair["with"]] for pair in answer["pairs"] if pair["from"] in pods and pair["to"] in pods}


def main():
    if len(sys.argv) < 2:
        print("network-config-analyzer is not given; see the head of this file", file=sys.stderr)
        sys.exit(2)
    nca, counts = sys.argv[1], [int(count) for count in sys.argv[2:]] or [50, 100, 200]
    subprocess.run(["cargo", "build", "--quiet", "--release", "-p", "hcnctl"], cwd=ROOT, check=True)
    ours = ROOT / "target/release/hcnctl"
    try:
        version = subprocess.run([nca, "--version"], capture_output=True, text=True).stdout.strip()
    except OSError as reason:
        print(f"network-config-analyzer is not there: {reason}", file=sys.stderr)
        sys.exit(2)
    print(f"peer: {nca} {version}")
    print("pods  policies  peer       ours      ratio   pairs   not the same")
    different = 0
    with tempfile.TemporaryDirectory() as folder:
        for count in counts:
            policies, members = scene(count, max(2, count // 2), seed=count)
            kubernetes, hns = (pathlib.Path(folder) / name for name in ("policies.yaml", "hns.json"))
            kubernetes.write_text(as_kubernetes(policies, members))
            hns.write_text(as_hns(policies, members))
            peer, theirs = timed([nca, "--connectivity", kubernetes, "-r", kubernetes, "-o", "json", "--output_endpoints", "pods"], 2)
            own, answer = timed([ours, "reach", "--of", hns, "-o", "json"], 5)
            theirs, answer = peers_answer(theirs, members), our_answer(answer)
            wrong = [pair for pair, ports in answer.items() if theirs.get(pair, (0, 0)) != ports]
            different += len(wrong)
            said = sum(1 for take, send in policies if take is not None or send is not None)
            print(f"{count:4}  {said:8}  {peer:7.2f} s  {own * 1000:6.1f} ms  {peer / own:5.0f}  {len(answer):6}  {len(wrong)} {wrong[:3] if wrong else ''}")
            if len(answer) != count * (count - 1):
                sys.exit(f"{len(answer)} pairs of {count} pods")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"most memory of any process: {peak // 1024} MiB")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
