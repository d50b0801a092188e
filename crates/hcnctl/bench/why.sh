#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# How long `why` takes as a whole process, from its start to its answer, and how that grows: with ACLs spread over endpoints (100 on each), and
# all on two. In the same run, `ovn-trace` (Debian's ovn-common and ovn-central) at as many ACLs, where it is installed; its databases are made
# in a folder of this run, and no kernel is needed. `true`, a process that does nothing, is the floor.
#
# Medians in milliseconds, with the fastest run in brackets, and the processor time of one run, which a busy machine changes less. Of ovn-trace
# it is its own; what the database server spends for it is not counted. The last column is the largest memory of one run.
#
#   bench/why.sh [ACLS] [RUNS] [TSV]   10000 ACLs and 30 runs unless said; growth figures are written to TSV, where it is given
set -euo pipefail
tsv=${3:+$(realpath "$3")}
cd "$(dirname "$0")/../../.."
acls=${1:-10000}
runs=${2:-30}

cargo build --release --quiet -p hcnctl
program=$PWD/target/release/hcnctl
folder=$(mktemp -d)
servers=()
leave() {
    [ ${#servers[@]} -eq 0 ] || kill "${servers[@]}" 2>/dev/null || true
    rm -rf "$folder"
}
trap leave EXIT
unset HCNCTL_HOST HCNCTL_PROFILE
[ -z "$tsv" ] || printf 'what\tacls\tmedian_ms\tleast_ms\tprocessor_ms\n' >"$tsv"

# measure KIND ACLS WORDS COMMAND...: the median and the least of the runs, and the processor time of one.
measure() {
    local kind=$1 count=$2 what=$3 run begin end memory
    shift 3
    TIMEFORMAT='%U %S'
    { time for ((run = 0; run < runs; run++)); do
        begin=${EPOCHREALTIME/[.,]/}
        "$@" >/dev/null || [ $? -eq 1 ]
        end=${EPOCHREALTIME/[.,]/}
        echo $((end - begin))
    done >"$folder/times"; } 2>"$folder/processor"
    memory=
    if [ -x /usr/bin/time ]; then
        memory=$(/usr/bin/time -f '%M' "$@" 2>&1 >/dev/null | tail -n 1) || true
    fi
    sort -n "$folder/times" | awk -v what="$what" -v kind="$kind" -v count="$count" -v runs="$runs" -v memory="$memory" -v tsv="$tsv" '
        FNR == NR { processor = ($1 + $2) * 1000 / runs; next }
        { time[++n] = $1 }
        END {
            median = time[int((n + 1) / 2)] / 1000
            printf "%-44s %8.2f ms  (%.2f)  %6.2f ms processor", what, median, time[1] / 1000, processor
            print memory ? sprintf("  %.1f MiB", memory / 1024) : ""
            if (tsv && count) printf "%s\t%d\t%.2f\t%.2f\t%.2f\n", kind, count, median, time[1] / 1000, processor >>tsv
        }
    ' "$folder/processor" -
}

# scene ENDPOINTS EACH: so many endpoints with so many ACLs each: a tenth ranges of ports, each with a remote prefix of its own, and allows beneath.
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

# northbound ACLS: OVN's databases with a switch, two ports, and so many ACLs on the second of them; northd compiles them.
northbound() {
    local own="$folder/ovn-$1" schemas=/usr/share/ovn db log acls
    mkdir "$own"
    export OVN_NB_DB=unix:$own/nb.sock OVN_SB_DB=unix:$own/sb.sock
    log=(-vconsole:off -vsyslog:off --no-chdir --detach)
    for db in nb sb; do
        ovsdb-tool create "$own/$db.db" "$schemas/ovn-$db.ovsschema"
        ovsdb-server --remote="punix:$own/$db.sock" --unixctl="$own/$db.ctl" --pidfile="$own/$db.pid" "${log[@]}" "$own/$db.db"
        servers+=("$(cat "$own/$db.pid")")
    done
    ovn-nbctl init
    ovn-sbctl init
    ovn-northd --ovnnb-db="$OVN_NB_DB" --ovnsb-db="$OVN_SB_DB" --unixctl="$own/northd.ctl" --pidfile="$own/northd.pid" "${log[@]}"
    servers+=("$(cat "$own/northd.pid")")
    ovn-nbctl ls-add lan
    ovn-nbctl lsp-add lan web-0 -- lsp-set-addresses web-0 "00:00:00:00:00:01 10.1.0.2"
    ovn-nbctl lsp-add lan web-1 -- lsp-set-addresses web-1 "00:00:00:00:00:02 10.1.0.3"
    mapfile -t acls < <(awk -v acls="$1" '
        function rule(priority, match_, action) { printf "--\nacl-add\nlan\nto-lport\n%d\n%s\n%s\n", priority, match_, action }
        BEGIN {
            for (j = 0; j < acls - 1; j++)
                rule(30000 - j, sprintf("outport == \"web-1\" && ip4.src == 10.%d.%d.0/24 && %s.dst == %d", 2 + j / 250, j % 250, j % 3 ? "tcp" : "udp", 1000 + j),
                    j % 2 ? "allow" : "drop")
            rule(100, "outport == \"web-1\"", "allow")
        }')
    ovn-nbctl "${acls[@]:1}"
    ovn-nbctl --wait=sb sync
}

packet='inport == "web-0" && eth.src == 00:00:00:00:00:01 && eth.dst == 00:00:00:00:00:02 && ip4.src == 10.1.0.2 && ip4.dst == 10.1.0.3 && ip.ttl == 64 && tcp.dst == 80 && tcp.src == 49152'
has_ovn=yes
for tool in ovn-trace ovn-nbctl ovn-sbctl ovn-northd ovsdb-tool ovsdb-server; do
    command -v $tool >/dev/null || has_ovn=
done
[ -n "$has_ovn" ] || echo "OVN is not installed (Debian: ovn-common, ovn-central), so nothing is compared with ovn-trace"

measure none 0 "true" /bin/true
counts=()
for count in 100 1000 5000 "$acls"; do
    [ "$count" -gt "$acls" ] || [[ " ${counts[*]} " == *" $count "* ]] || counts+=("$count")
done
for count in "${counts[@]}"; do
    # One endpoint would have nobody to talk to.
    endpoints=$((count >= 200 ? count / 100 : 2))
    scene "$endpoints" $((count / endpoints))
    measure spread "$count" "why, $count ACLs on $endpoints endpoints" "$program" why web-0 web-1:80/tcp
    measure can "$count" "can, the same" "$program" can web-0 web-1:80/tcp
    measure json "$count" "why -o json, the same" "$program" why web-0 web-1:80/tcp -o json
    if [ "$endpoints" -gt 2 ]; then
        scene 2 $((count / 2))
        measure two "$count" "why, $count ACLs on 2 endpoints" "$program" why web-0 web-1:80/tcp
    fi
    # More take the database minutes.
    if [ -n "$has_ovn" ] && [ "$count" -le 5000 ]; then
        northbound "$count"
        measure ovn-trace "$count" "ovn-trace, $count ACLs" ovn-trace --db="$OVN_SB_DB" lan "$packet"
    fi
done
