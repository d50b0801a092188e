#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# How long `plan` and `apply` of a policy take over many endpoints, as whole processes, and what they send.
#
# Baseline of the same run: bare Updates of the same rules, one request an endpoint, by a client that plans nothing, compares nothing and reads
# nothing back (`curl`, over one kept connection to `hcnctl serve` on the same store). Runs are interleaved with the baseline's; figures are medians
# in milliseconds, with the fastest run in brackets, the processor time of a run, and the most memory of one.
#
#   bench/apply.sh [ENDPOINTS…]      100 and 1000 unless said; RUNS=5, PROGRAM=hcnctl of a release build
set -euo pipefail
cd "$(dirname "$0")/../../.."
runs=${RUNS:-5}
[ $# -gt 0 ] || set -- 100 1000
if [ -z "${PROGRAM:-}" ]; then
    cargo build --release --quiet -p hcnctl
    PROGRAM=$PWD/target/release/hcnctl
fi
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
unset HCNCTL_HOST HCNCTL_PROFILE
has_curl=$(command -v curl || true)
has_time=$(command -v /usr/bin/time || true)
[ -n "$has_curl" ] || echo "curl is not here, so there are no bare Updates to compare with" >&2

# Runs a command and appends its milliseconds, its processor milliseconds and its kilobytes of memory to a file.
once() {
    local file=$1 begin end
    shift
    begin=${EPOCHREALTIME/[.,]/}
    if [ -n "$has_time" ]; then
        /usr/bin/time -o "$folder/time" -f '%U %S %M' "$@" >"$folder/out" 2>"$folder/words"
    else
        "$@" >"$folder/out" 2>"$folder/words"
        echo "0 0 0" >"$folder/time"
    fi
    end=${EPOCHREALTIME/[.,]/}
    awk -v wall=$((end - begin)) '{ printf "%.2f %.0f %d\n", wall / 1000, ($1 + $2) * 1000, $3 }' "$folder/time" >>"$file"
}

# Prints what a file of runs says, and the ratio of its median to another's.
told() {
    local what=$1 file=$2 bare=${3:-}
    sort -n "$file" | awk -v what="$what" -v bare="$bare" '
        { wall[++count] = $1; processor += $2; if ($3 > memory) memory = $3 }
        END {
            median = wall[int((count + 1) / 2)]
            printf "%-44s %9.1f ms  (%.1f)  %7.0f ms processor  %5.1f MB", what, median, wall[1], processor / count, memory / 1024
            if (bare) printf "  %.2f x bare", median / bare
            printf "\n"
        }'
}

median() {
    sort -n "$1" | awk '{ wall[++count] = $1 } END { print wall[int((count + 1) / 2)] }'
}

# Makes curl's requests of the requests that a dry run tells.
bare() {
    awk '
        $1 == "HcnModifyEndpoint" {
            body = $0
            sub(/^[^ ]* [^ ]* /, "", body)
            gsub(/["\\]/, "\\\\&", body)
            if (count++) print "next\nsilent\nshow-error\nfail"
            printf "url = \"http://hns/v2/endpoints/%s\"\nrequest = \"PATCH\"\ndata = \"%s\"\noutput = \"/dev/null\"\n", $2, body
            if (count > 1) printf "unix-socket = \"%s\"\n", socket
        }' socket="$folder/socket" -
}

policy() {
    cat <<END
apiVersion: hcnctl/v1
name: bench
endpoints: {network: lan}
otherwise: {in: deny, out: allow}
rules:
- {name: web, action: $1, direction: in, ports: [80/tcp, 443/tcp], from: 10.0.0.0/8}
- {name: dns, action: allow, direction: in, ports: 53/udp}
- {name: no-metadata, action: block, direction: out, to: 169.254.169.254}
END
}

for endpoints in "$@"; do
    export HCNCTL_STATE="$folder/$endpoints"
    "$PROGRAM" create network lan --type L2Bridge --subnet 10.0.0.0/8 >/dev/null 2>&1
    awk -v endpoints="$endpoints" '
        BEGIN {
            printf "["
            for (i = 0; i < endpoints; i++) {
                printf "%s{\"SchemaVersion\":{\"Major\":2,\"Minor\":0},\"Name\":\"web-%d\",", i ? "," : "", i
                printf "\"IpConfigurations\":[{\"IpAddress\":\"10.1.%d.%d\"}]}", i / 250, 2 + i % 250
            }
            printf "]"
        }' >"$folder/endpoints.json"
    "$PROGRAM" create -f "$folder/endpoints.json" --network lan >/dev/null 2>&1
    policy allow >"$folder/allow.yaml"
    policy block >"$folder/block.yaml"
    rm -f "$folder"/*.runs
    "$PROGRAM" serve --listen "unix:$folder/socket" >"$folder/served" 2>&1 &
    server=$!
    until [ -S "$folder/socket" ]; do sleep 0.05; done
    for ((run = 0; run < runs; run++)); do
        # One brings every endpoint to what the other file says, the other one brings it back: both change all of them.
        if [ -n "$has_curl" ]; then
            "$PROGRAM" --dry-run apply -f "$folder/block.yaml" 2>/dev/null | bare >"$folder/bare.config"
            once "$folder/bare.runs" curl --silent --show-error --fail --unix-socket "$folder/socket" --config "$folder/bare.config"
        else
            "$PROGRAM" apply -f "$folder/block.yaml" >/dev/null 2>&1
        fi
        once "$folder/plan.runs" "$PROGRAM" --host "unix:$folder/socket" plan -f "$folder/allow.yaml"
        once "$folder/apply.runs" "$PROGRAM" --host "unix:$folder/socket" apply -f "$folder/allow.yaml"
        sent=$(grep -h '^sent:' "$folder/words")
        once "$folder/again.runs" "$PROGRAM" --host "unix:$folder/socket" apply -f "$folder/allow.yaml"
        "$PROGRAM" apply -f "$folder/block.yaml" >/dev/null 2>&1
        once "$folder/embedded.runs" "$PROGRAM" apply -f "$folder/allow.yaml"
    done
    kill "$server"
    wait "$server" 2>/dev/null || true
    server=
    bare=
    if [ -s "$folder/bare.runs" ]; then
        bare=$(median "$folder/bare.runs")
        told "bare Updates, $endpoints endpoints" "$folder/bare.runs"
    fi
    told "plan, $endpoints endpoints" "$folder/plan.runs" "$bare"
    told "apply, $endpoints endpoints" "$folder/apply.runs" "$bare"
    told "apply that changes nothing" "$folder/again.runs" "$bare"
    told "apply, without a server between" "$folder/embedded.runs" "$bare"
    echo "    $sent"
done
