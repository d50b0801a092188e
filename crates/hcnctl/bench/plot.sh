#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Draws growth figures as SVG on standard output: medians in milliseconds by a number, both axes logarithmic.
#
# The first line of the file is a head; each other one has a series' name, the number, and milliseconds. X and Y are powers of ten, from and to.
# Each LINE is series:KIND:SHIFT:label, where KIND is its color (own, two, peer) and SHIFT moves the label down.
#
#   bench/plot.sh TSV TITLE X-LABEL X-FROM X-TO Y-FROM Y-TO LINE...
#   bench/plot.sh why.tsv "One answer as a whole process, in milliseconds, by number of ACLs" ACLs 2 4 0 3 \
#       ovn-trace:peer:0:ovn-trace "two:two:-4:why, on 2 endpoints" "spread:own:8:why, 100 on each endpoint" > docs/why-cost.svg
#   bench/plot.sh reach.tsv "Every pair as a whole process, in milliseconds, by number of endpoints" endpoints 1 3 0 5 \
#       "peer:peer:0:network-config-analyzer" "reach:own:0:hcnctl reach -o json" > docs/reach-cost.svg
set -euo pipefail
tsv=$1 title=$2 label=$3 x_from=$4 x_to=$5 y_from=$6 y_to=$7
shift 7
awk -F '\t' -v title="$title" -v label="$label" -v x_from="$x_from" -v x_to="$x_to" -v y_from="$y_from" -v y_to="$y_to" -v lines="$(printf '%s\n' "$@")" '
    function log10(value) { return log(value) / log(10) }
    function x(number) { return 60 + (log10(number) - x_from) / (x_to - x_from) * 400 }
    function y(ms) { return 260 - (log10(ms) - y_from) / (y_to - y_from) * 240 }
    FNR > 1 { points[$1] = points[$1] sprintf("%.1f,%.1f ", x($2), y($3)); end_x[$1] = x($2); end_y[$1] = y($3) }
    END {
        print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-24 0 664 310\" font-family=\"sans-serif\" font-size=\"12\" role=\"img\">"
        printf "<title>%s</title>\n", title
        print "<style>text{fill:#333}.grid{stroke:#ccc}polyline{fill:none;stroke-width:2}polyline.own{stroke:#1a66c2}polyline.two{stroke:#5aa02c}polyline.peer{stroke:#c2401a}"
        print "text.own{fill:#1a66c2}text.two{fill:#4a8a20}text.peer{fill:#c2401a}"
        print "@media(prefers-color-scheme:dark){text{fill:#ddd}.grid{stroke:#444}polyline.own{stroke:#6ab0ff}text.own{fill:#6ab0ff}polyline.two{stroke:#8ed060}text.two{fill:#8ed060}polyline.peer{stroke:#ff8a5c}text.peer{fill:#ff8a5c}}</style>"
        for (power = y_from; power <= y_to; power++) {
            ms = 10 ^ power
            printf "<path class=\"grid\" d=\"M60 %.1fH460\"/><text x=\"52\" y=\"%.1f\" text-anchor=\"end\">%d ms</text>\n", y(ms), y(ms) + 4, ms
        }
        for (power = x_from; power <= x_to; power++) {
            number = 10 ^ power
            printf "<path class=\"grid\" d=\"M%.1f 20V260\"/><text x=\"%.1f\" y=\"278\" text-anchor=\"middle\">%d</text>\n", x(number), x(number), number
        }
        printf "<text x=\"260\" y=\"300\" text-anchor=\"middle\">%s</text>\n", label
        count = split(lines, all, "\n")
        for (line = 1; line <= count; line++) {
            split(all[line], part, ":")
            what = part[1]
            if (!(what in points)) continue
            printf "<polyline class=\"%s\" points=\"%s\"/>\n", part[2], points[what]
            printf "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", part[2], end_x[what] + 6, end_y[what] + 4 + part[3], part[4]
        }
        print "</svg>"
    }' "$tsv"
