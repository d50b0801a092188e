#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# How long `why` takes as a whole process, from its start to its answer: with ACLs spread over endpoints (100 on each), and all on one.
#
# Baseline of the same run: the start of a process that does nothing (`true`). Where ovn-trace is installed, compare with its figure at as many
# ACLs. Figures are medians in milliseconds, with the fastest run in brackets.
#
#   bench/why.sh [ACLS] [RUNS]       10000 ACLs and 100 runs unless said
set -euo pipefail
cd "$(dirname "$0")/../../.."
acls=${1:-10000}
runs=${2:-100}

cargo build --release --quiet -p hcnctl
program=$PWD/target/release/hcnctl
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset HCNCTL_HOST HCNCTL_PROFILE

# Prints the median and the least of so many runs, and the processor time of one, which a busy machine does not change as much.
measure() {
    local what=$1 run begin end
    shift
    TIMEFORMAT='%U %S'
    { time for ((run = 0; run < runs; run++)); do
        begin=${EPOCHREALTIME/[.,]/}
        "$@" >/dev/null || [ $? -eq 1 ]
        end=${EPOCHREALTIME/[.,]/}
        echo $((end - begin))
    done >"$folder/times"; } 2>"$folder/processor"
    sort -n "$folder/times" | awk -v what="$what" -v runs="$runs" '
        FNR == NR { processor = ($1 + $2) * 1000 / runs; next }
        { time[++count] = $1 }
        END { printf "%-52s %8.2f ms  (%.2f)  %6.2f ms processor\n", what, time[int((count + 1) / 2)] / 1000, time[1] / 1000, processor }
    ' "$folder/processor" -
}

# Makes so many endpoints with so many ACLs each: a tenth ranges of ports, each with a remote prefix of its own, and allows beneath.
scene() {
    local endpoints=$1 each=$2
    export HCNCTL_STATE="$folder/$endpoints-$each"
    "$program" create network lan --type L2Bridge --subnet 10.0.0.0/8 >/dev/null 2>&1
    awk -v endpoints="$endpoints" -v each="$each" '
        function rule(action, direction, settings, priority) {
            return sprintf("{\"Type\":\"ACL\",\"Settings\":{\"Action\":\"%s\",\"Direction\":\"%s\",%s\"Priority\":%d,\"RuleType\":\"Switch\"}}", action, direction, settings, priority)
        }
        BEGIN {
            printf "["
            for (i = 0; i < endpoints; i++) {
                printf "%s{\"SchemaVersion\":{\"Major\":2,\"Minor\":0},\"Name\":\"web-%d\",", i ? "," : "", i
                printf "\"IpConfigurations\":[{\"IpAddress\":\"10.1.%d.%d\"}],\"Policies\":[", i / 250, 2 + i % 250
                for (j = 0; j < each - 2; j++) {
                    settings = sprintf("\"Protocols\":\"%d\",\"LocalPorts\":\"%s\",\"RemoteAddresses\":\"10.%d.%d.0/24\",", j % 3 ? 6 : 17,
                        j % 10 ? 1000 + j : sprintf("%d-%d", j, j + 99), 2 + j / 250, j % 250)
                    printf "%s,", rule(j % 2 ? "Allow" : "Block", j % 2 ? "In" : "Out", settings, 100 + j)
                }
                printf "%s,%s]}", rule("Allow", "In", "", 65500), rule("Allow", "Out", "", 65500)
            }
            printf "]"
        }' >"$folder/endpoints.json"
    "$program" create -f "$folder/endpoints.json" --network lan >/dev/null 2>&1
}

measure "true" /bin/true
scene $((acls / 100)) 100
measure "why, $acls ACLs on $((acls / 100)) endpoints" "$program" why web-1 web-2:80/tcp
measure "can, $acls ACLs on $((acls / 100)) endpoints" "$program" can web-1 web-2:80/tcp
measure "why -o json, $acls ACLs on $((acls / 100)) endpoints" "$program" why web-1 web-2:80/tcp -o json
scene 2 $((acls / 2))
measure "why, $acls ACLs on 2 endpoints" "$program" why web-0 web-1:80/tcp
