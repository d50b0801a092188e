#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# How long the program takes as a whole: `get endpoints` on a small store, and `get endpoints -o json` with many endpoints.
#
# Baselines of the same run: the start of a process that does nothing (`true`), and `cat` of the same JSON from a file. Figures are medians
# in milliseconds, with the fastest run in brackets.
#
#   bench/cli.sh [ENDPOINTS] [RUNS]       10000 endpoints and 100 runs unless said
set -euo pipefail
cd "$(dirname "$0")/../../.."
endpoints=${1:-10000}
runs=${2:-100}

cargo build --release --quiet -p hcnctl
program=$PWD/target/release/hcnctl
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset HCNCTL_HOST HCNCTL_PROFILE
export HCNCTL_STATE="$folder/small"

# Prints the median and the least of so many runs, and the processor time of one, which a busy machine does not change as much.
measure() {
    local what=$1 run begin end
    shift
    TIMEFORMAT='%U %S'
    { time for ((run = 0; run < runs; run++)); do
        begin=${EPOCHREALTIME/[.,]/}
        "$@" >/dev/null
        end=${EPOCHREALTIME/[.,]/}
        echo $((end - begin))
    done >"$folder/times"; } 2>"$folder/processor"
    sort -n "$folder/times" | awk -v what="$what" -v runs="$runs" '
        FNR == NR { processor = ($1 + $2) * 1000 / runs; next }
        { time[++count] = $1 }
        END { printf "%-44s %8.2f ms  (%.2f)  %6.2f ms processor\n", what, time[int((count + 1) / 2)] / 1000, time[1] / 1000, processor }
    ' "$folder/processor" -
}

"$program" create network nat >/dev/null 2>&1
for name in web api nginx; do
    "$program" create endpoint "$name" --network nat >/dev/null 2>&1
done
measure "true" /bin/true
measure "get endpoints, 3 endpoints" "$program" get endpoints

export HCNCTL_STATE="$folder/large"
"$program" create network lan --type L2Bridge --subnet 10.0.0.0/8 >/dev/null 2>&1
awk -v count="$endpoints" 'BEGIN {
    printf "["
    for (i = 0; i < count; i++) {
        printf "%s{\"SchemaVersion\":{\"Major\":2,\"Minor\":0},\"Name\":\"web-%d\",", i ? "," : "", i
        printf "\"IpConfigurations\":[{\"IpAddress\":\"10.%d.%d.%d\"}],", 1 + i / 62500, (i % 62500) / 250, 2 + i % 250
        printf "\"MacAddress\":\"02-00-%02x-%02x-%02x-00\",", i / 65536, (i / 256) % 256, i % 256
        printf "\"Policies\":[{\"Type\":\"ACL\",\"Settings\":{\"Action\":\"Block\",\"Direction\":\"In\",\"Protocols\":\"6\",\"LocalPorts\":\"80\",\"Priority\":100,\"RuleType\":\"Switch\"}}]}"
    }
    printf "]"
}' >"$folder/endpoints.json"
begin=${EPOCHREALTIME/[.,]/}
"$program" create -f "$folder/endpoints.json" --network lan >/dev/null 2>&1
end=${EPOCHREALTIME/[.,]/}
printf '(made %d endpoints, each durable, in %d ms)\n' "$endpoints" $(((end - begin) / 1000))
"$program" get endpoints -o json >"$folder/listing.json"
size=$(wc -c <"$folder/listing.json")
measure "cat of the listing ($size bytes)" cat "$folder/listing.json"
measure "get endpoints -o json, $endpoints endpoints" "$program" get endpoints -o json
measure "get endpoints -o name, $endpoints endpoints" "$program" get endpoints -o name
measure "one endpoint by its id of $endpoints" "$program" get endpoints -o json \
    "$("$program" get endpoints -o name | sed -n '1{s/endpoint.//;p}')"
