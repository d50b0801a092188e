#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Verdicts of this engine, of a linear scan, and of DPDK's rte_acl, on the same rules and packets, one after the other in one run.
#
#   crates/hcn-engine/bench/acl.sh [RULES...]      1000 10000 100000 unless told
#
# Prints tab-separated figures, which `cargo bench -p hcn-engine --bench acl -- plot FILE` draws. The peer is `dpdk-test-acl` of Debian's dpdk-dev; it takes no
# huge pages. Its answer to every packet is compared with ours.
set -eu
cd "$(dirname "$0")/../../.."
[ $# -gt 0 ] || set -- 1000 10000 100000
cargo bench -q -p hcn-engine --bench acl --no-run
bench() { cargo bench -q -p hcn-engine --bench acl -- "$@"; }
if ! command -v dpdk-test-acl >/dev/null; then
    echo "dpdk-test-acl is not installed (apt-get install dpdk-dev): its columns stay empty" >&2
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The nanoseconds that the peer takes for a packet; at verbose 2 it says the rule for each packet too.
peer() {
    (cd "$work" && dpdk-test-acl --no-huge --no-pci -m 6000 -l 1 --log-level=lib.acl:8 -- --rulesf=rules --tracef=trace --rulenum=$(($1 + 16)) \
        --tracenum=200000 --iter="$3" --alg="$2" --bldcat=1 --runcat=1 --verbose="$4" 2>&1) >"$work/out"
    sed -n 's/.*search_ip5tuples .* \([0-9.]*\) pkt\/sec.*/\1/p' "$work/out" | awk '{ printf "%.1f", 1e9 / $1 }'
}

bench header
for rules in "$@"; do
    for skew in acl1 fw1 ipc1; do
        line=$(bench measure "$skew" "$rules")
        scalar= avx2= memory=
        if command -v dpdk-test-acl >/dev/null; then
            bench write "$skew" "$rules" "$work"
            peer "$rules" scalar 1 2 >/dev/null
            sed -n 's/.*category: 0, result: //p' "$work/out" | awk '{ print ($1 > 4294967294) ? 0 : $1 + 1 }' >"$work/theirs"
            cmp -s "$work/answers" "$work/theirs" || { echo "$skew $rules: dpdk-test-acl answers otherwise" >&2; exit 1; }
            scalar=$(peer "$rules" scalar 5 0)
            avx2=$(peer "$rules" avx2 5 0)
            memory=$(sed -n 's/^total: \([0-9]*\) bytes/\1/p' "$work/out" | head -n 1)
        fi
        printf '%s\t%s\t%s\t%s\n' "$line" "$scalar" "$avx2" "$memory"
    done
done
