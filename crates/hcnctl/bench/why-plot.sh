#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Draws the growth figures that why.sh wrote, as SVG on standard output: medians in milliseconds by number of ACLs, both axes logarithmic.
#
#   bench/why-plot.sh TSV > docs/why-cost.svg
set -euo pipefail
awk -F '\t' '
    function log10(value) { return log(value) / log(10) }
    function x(acls) { return 60 + (log10(acls) - 2) / 2 * 400 }
    function y(ms) { return 260 - log10(ms) / 3 * 240 }
    FNR > 1 { points[$1] = points[$1] sprintf("%.1f,%.1f ", x($2), y($3)); end_x[$1] = x($2); end_y[$1] = y($3) }
    function line(what, name, class, shift) {
        if (!(what in points)) return
        printf "<polyline class=\"%s\" points=\"%s\"/>\n", class, points[what]
        printf "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", class, end_x[what] + 6, end_y[what] + 4 + shift, name
    }
    END {
        print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-10 0 650 310\" font-family=\"sans-serif\" font-size=\"12\" role=\"img\">"
        print "<title>One answer as a whole process, in milliseconds, by number of ACLs</title>"
        print "<style>text{fill:#333}.grid{stroke:#ccc}polyline{fill:none;stroke-width:2}polyline.own{stroke:#1a66c2}polyline.two{stroke:#5aa02c}polyline.peer{stroke:#c2401a}"
        print "text.own{fill:#1a66c2}text.two{fill:#4a8a20}text.peer{fill:#c2401a}"
        print "@media(prefers-color-scheme:dark){text{fill:#ddd}.grid{stroke:#444}polyline.own{stroke:#6ab0ff}text.own{fill:#6ab0ff}polyline.two{stroke:#8ed060}text.two{fill:#8ed060}polyline.peer{stroke:#ff8a5c}text.peer{fill:#ff8a5c}}</style>"
        for (ms = 1; ms <= 1000; ms *= 10) {
            printf "<path class=\"grid\" d=\"M60 %.1fH460\"/><text x=\"52\" y=\"%.1f\" text-anchor=\"end\">%d ms</text>\n", y(ms), y(ms) + 4, ms
        }
        for (acls = 100; acls <= 10000; acls *= 10) {
            printf "<path class=\"grid\" d=\"M%.1f 20V260\"/><text x=\"%.1f\" y=\"278\" text-anchor=\"middle\">%d</text>\n", x(acls), x(acls), acls
        }
        print "<text x=\"260\" y=\"300\" text-anchor=\"middle\">ACLs</text>"
        line("ovn-trace", "ovn-trace", "peer", 0)
        line("two", "why, on 2 endpoints", "two", -4)
        line("spread", "why, 100 on each endpoint", "own", 8)
        print "</svg>"
    }' "$1"
