#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# How long `reach` takes as a whole process: a dump is read, compiled, every pair worked out and written.
#
# The endpoints are those of `cargo bench -p hcn-engine --bench reach`: 300 groups, six rules an endpoint with its own address in them and the
# addresses of four other groups. Baselines of the same run: a process that does nothing (`true`), and `cat` of the same output from a file.
# Figures are medians in milliseconds, with the fastest run in brackets, then the processor time of one and the most memory.
#
#   bench/reach.sh [ENDPOINTS] [RUNS]       1000 endpoints and 10 runs unless said
set -euo pipefail
cd "$(dirname "$0")/../../.."
endpoints=${1:-1000}
runs=${2:-10}

cargo build --release --quiet -p hcnctl
program=$PWD/target/release/hcnctl
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset HCNCTL_HOST HCNCTL_PROFILE HCNCTL_STATE

# Prints the median and the least of so many runs, the processor time of one, and the memory of the last.
measure() {
    local what=$1 run begin end memory=""
    shift
    TIMEFORMAT='%U %S'
    { time for ((run = 0; run < runs; run++)); do
        begin=${EPOCHREALTIME/[.,]/}
        "$@" >/dev/null
        end=${EPOCHREALTIME/[.,]/}
        echo $((end - begin))
    done >"$folder/times"; } 2>"$folder/processor"
    if [ -x /usr/bin/time ]; then
        memory=$(/usr/bin/time -f %M "$@" 2>&1 >/dev/null | tail -1)
    fi
    sort -n "$folder/times" | awk -v what="$what" -v runs="$runs" -v memory="$memory" '
        FNR == NR { processor = ($1 + $2) * 1000 / runs; next }
        { time[++count] = $1 }
        END {
            printf "%-46s %8.1f ms  (%.1f)  %7.1f ms processor", what, time[int((count + 1) / 2)] / 1000, time[1] / 1000, processor
            if (memory != "") printf "  %6.1f MiB", memory / 1024
            printf "\n"
        }
    ' "$folder/processor" -
}

awk -v count="$endpoints" -v groups=300 '
function address(endpoint,   number) {
    number = endpoint + 1
    return "10." int(number / 65536) "." int(number / 256) % 256 "." number % 256
}
function members(group,   one, text) {
    group = (group + groups) % groups
    if (!(group in known)) {
        text = ""
        for (one = group; one < count; one += groups) text = text (text == "" ? "" : ",") address(one)
        known[group] = text
    }
    return known[group]
}
function rule(direction, priority, remote, ports) {
    return "{\"Type\":\"ACL\",\"Settings\":{\"Action\":\"Allow\",\"Direction\":\"" direction "\",\"Protocols\":\"6\",\"LocalAddresses\":\"" own \
        "\",\"RemoteAddresses\":\"" remote "\",\"" (direction == "In" ? "Local" : "Remote") "Ports\":\"" ports "\",\"Priority\":" priority "}}"
}
BEGIN {
    network = "a0000001-0000-4000-8000-000000000000"
    version = "\"SchemaVersion\":{\"Major\":2,\"Minor\":0}"
    printf "[{\"ID\":\"%s\",\"Name\":\"lan\",\"Type\":\"L2Bridge\",\"Ipams\":[{\"Subnets\":[{\"IpAddressPrefix\":\"10.0.0.0/8\",\"Routes\":[{\"NextHop\":\"10.255.255.254\",\"DestinationPrefix\":\"0.0.0.0/0\"}]}]}],%s}", network, version
    for (i = 0; i < count; i++) {
        own = address(i)
        group = i % groups
        port = 8000 + group
        printf ",\n{\"ID\":\"%08x-0000-4000-8000-000000000000\",\"Name\":\"web-%d\",\"HostComputeNetwork\":\"%s\",%s,", i + 1, i, network, version
        printf "\"IpConfigurations\":[{\"IpAddress\":\"%s\"}],\"Policies\":[%s,%s,%s,%s,%s,%s]}", own, \
            rule("In", 100, members(group + 1), port), rule("In", 200, members(group + 2), port ",443"), rule("In", 300, "10.0.0.0/25", "9100"), \
            rule("Out", 100, members(group - 1), "1-65535"), rule("Out", 200, members(group - 2), "80,443"), rule("Out", 300, "10.0.0.0/8", "9100")
    }
    printf "]\n"
}' >"$folder/dump.json"
sed 's/9100/9101/' "$folder/dump.json" >"$folder/other.json"

measure "true" /bin/true
measure "cat of the dump ($(wc -c <"$folder/dump.json") bytes)" cat "$folder/dump.json"
measure "reach of one pair" "$program" reach --of "$folder/dump.json" --from web-0 --to web-1
measure "reach, table" "$program" reach --of "$folder/dump.json"
for form in csv json svg; do
    "$program" reach --of "$folder/dump.json" -o $form >"$folder/output"
    measure "cat of the next ($(wc -c <"$folder/output") bytes)" cat "$folder/output"
    measure "reach -o $form" "$program" reach --of "$folder/dump.json" -o $form
done
# Exit code 1 says that they differ, and is what is wanted.
printf '#!/bin/sh\n"%s" reach --compare "%s" "%s"\n[ $? -eq 1 ]\n' "$program" "$folder/dump.json" "$folder/other.json" >"$folder/compare"
chmod +x "$folder/compare"
measure "reach --compare, table" "$folder/compare"
"$program" reach --of "$folder/dump.json" -o html >"$folder/output"
measure "reach -o html ($(wc -c <"$folder/output") bytes)" "$program" reach --of "$folder/dump.json" -o html
