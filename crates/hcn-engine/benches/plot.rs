// SPDX-License-Identifier: MIT OR Apache-2.0
//! Draws how cost grows with the number of rules: logarithmic axes, as SVG that reads on light and on dark paper.
//!
//! Apart from the measuring, whose lines it reads. Colours come from a style sheet with a dark half; every line is named at its end.

use std::{collections::BTreeMap, error::Error, fmt::Write as _, fs, path::Path};

/// Points of one line: rules, and what they cost.
type Points = Vec<(f64, f64)>;

/// One line.
struct Line {
    name: String,
    class: &'static str,
    points: Points,
}

/// A picture of one panel a skew or, where lines are few, of one panel.
struct Panel {
    title: String,
    lines: Vec<Line>,
}

const SKEWS: [&str; 3] = ["acl1", "fw1", "ipc1"];

/// Draws the pictures of a file of lines into a directory.
pub fn write(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    let text = fs::read_to_string(from)?;
    let mut lines = text.lines();
    let columns: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let mut points: BTreeMap<(&str, &str), Points> = BTreeMap::new();
    for line in lines {
        let fields: Vec<&str> = line.split('\t').collect();
        let [skew, rules, figures @ ..] = fields.as_slice() else {
            continue;
        };
        let rules: f64 = rules.parse()?;
        for (column, figure) in columns[2..].iter().zip(figures) {
            if let Ok(figure) = figure.parse() {
                points
                    .entry((*skew, *column))
                    .or_default()
                    .push((rules, figure));
            }
        }
    }
    let line = |skew: &str, column: &str, name: &str, class| Line {
        name: name.to_owned(),
        class,
        points: points.get(&(skew, column)).cloned().unwrap_or_default(),
    };
    let verdicts = SKEWS.map(|skew| Panel {
        title: skew.to_owned(),
        lines: vec![
            line(skew, "linear scan ns", "scan", "a"),
            line(skew, "rte_acl scalar ns", "rte_acl", "b"),
            line(skew, "rte_acl avx2 ns", "avx2", "c"),
            line(skew, "verdict ns", "hcnctl", "own"),
        ],
    });
    let changes = SKEWS.map(|skew| {
        let build = points.get(&(skew, "build ms")).cloned().unwrap_or_default();
        Panel {
            title: skew.to_owned(),
            lines: vec![
                Line {
                    name: "build".to_owned(),
                    class: "a",
                    points: build
                        .into_iter()
                        .map(|(rules, ms)| (rules, ms * 1e3))
                        .collect(),
                },
                line(skew, "change us mean", "mean", "b"),
                line(skew, "change us median", "median", "own"),
            ],
        }
    });
    fs::write(
        to.join("verdict-cost.svg"),
        drawn("One verdict", "nanoseconds", &verdicts)?,
    )?;
    fs::write(
        to.join("change-cost.svg"),
        drawn(
            "All rules prepared; one rule comes or goes",
            "microseconds",
            &changes,
        )?,
    )?;
    Ok(())
}

const WIDTH: f64 = 260.0;
const HEIGHT: f64 = 230.0;
const LEFT: f64 = 64.0;
const TOP: f64 = 62.0;
const GAP: f64 = 100.0;

const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#333}.title{font-weight:600;font-size:14px}.small{font-size:11px}\
.grid{stroke:#ddd}.frame{fill:none;stroke:#999}.line{fill:none;stroke-width:2}\
.own{stroke:#0b62c4}.a{stroke:#a33}.b{stroke:#b8860b}.c{stroke:#2a8a4a}\
text.own{fill:#0b62c4;stroke:none;font-weight:600}text.a{fill:#a33;stroke:none}text.b{fill:#8a6508;stroke:none}text.c{fill:#2a8a4a;stroke:none}\
.paper{fill:#fff}\
@media(prefers-color-scheme:dark){text{fill:#ccc}.paper{fill:#161a1f}.grid{stroke:#333a42}.frame{stroke:#667}\
.own{stroke:#5aa9ff}.a{stroke:#ff7b72}.b{stroke:#e3b341}.c{stroke:#56d364}\
text.own{fill:#5aa9ff}text.a{fill:#ff7b72}text.b{fill:#e3b341}text.c{fill:#56d364}}";

fn drawn(title: &str, unit: &str, panels: &[Panel]) -> Result<String, Box<dyn Error>> {
    let all = || {
        let lines = panels.iter().flat_map(|panel| &panel.lines);
        lines.flat_map(|line| &line.points)
    };
    if all().next().is_none() {
        return Err("no figures to draw".into());
    }
    let decade = |most: f64, of: &dyn Fn(&(f64, f64)) -> f64, low: bool| {
        all().map(of).fold(most, |end: f64, value| {
            let value = value.max(1e-3).log10();
            if low {
                end.min(value.floor())
            } else {
                end.max(value.ceil())
            }
        })
    };
    let (left, right) = (
        decade(99.0, &|at| at.0, true),
        decade(-99.0, &|at| at.0, false),
    );
    let (low, high) = (
        decade(99.0, &|at| at.1, true),
        decade(-99.0, &|at| at.1, false),
    );
    let x = |rules: f64| WIDTH * (rules.log10() - left) / (right - left).max(1.0);
    let y = |cost: f64| HEIGHT * (high - cost.max(1e-3).log10()) / (high - low).max(1.0);
    let width = LEFT + (WIDTH + GAP) * panels.len() as f64;
    let height = TOP + HEIGHT + 52.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{title}\"><style>{STYLE}</style>\
         <rect class=\"paper\" width=\"{width}\" height=\"{height}\"/><text class=\"title\" x=\"{LEFT}\" y=\"24\">{title}, {unit}</text>\n"
    );
    for (number, panel) in panels.iter().enumerate() {
        let at = LEFT + (WIDTH + GAP) * number as f64;
        writeln!(
            svg,
            "<g transform=\"translate({at} {TOP})\"><text y=\"-10\">{}</text>",
            panel.title
        )?;
        for power in low as i32..=high as i32 {
            let cost = 10f64.powi(power);
            let line = y(cost);
            writeln!(
                svg,
                "<path class=\"grid\" d=\"M0 {line:.1}H{WIDTH}\"/><text class=\"small\" x=\"-6\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                line + 4.0,
                named(cost)
            )?;
        }
        for power in left as i32..=right as i32 {
            let rules = 10f64.powi(power);
            let line = x(rules);
            writeln!(
                svg,
                "<path class=\"grid\" d=\"M{line:.1} 0V{HEIGHT}\"/><text class=\"small\" x=\"{line:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                HEIGHT + 18.0,
                named(rules)
            )?;
        }
        writeln!(
            svg,
            "<rect class=\"frame\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/><text class=\"small\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">rules</text>",
            WIDTH / 2.0,
            HEIGHT + 38.0
        )?;
        for line in &panel.lines {
            let path = line
                .points
                .iter()
                .enumerate()
                .map(|(number, (rules, cost))| {
                    format!(
                        "{}{:.1} {:.1}",
                        if number == 0 { "M" } else { "L" },
                        x(*rules),
                        y(*cost)
                    )
                });
            writeln!(
                svg,
                "<path class=\"line {}\" d=\"{}\"/>",
                line.class,
                path.collect::<String>()
            )?;
        }
        for (place, line) in names_apart(&panel.lines, &y) {
            writeln!(
                svg,
                "<text class=\"small {}\" x=\"{}\" y=\"{place:.1}\">{}</text>",
                line.class,
                WIDTH + 5.0,
                line.name
            )?;
        }
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

/// Where the lines' names stand: at their ends, and no name on another.
fn names_apart<'a>(lines: &'a [Line], y: &dyn Fn(f64) -> f64) -> Vec<(f64, &'a Line)> {
    let mut ends: Vec<(f64, &Line)> = lines
        .iter()
        .filter_map(|line| Some((y(line.points.last()?.1) + 4.0, line)))
        .collect();
    ends.sort_by(|one, other| one.0.total_cmp(&other.0));
    for number in 1..ends.len() {
        ends[number].0 = ends[number].0.max(ends[number - 1].0 + 13.0);
    }
    ends
}

/// A power of ten as people write it.
fn named(power: f64) -> String {
    match power {
        1e9.. => format!("{}G", power / 1e9),
        1e6.. => format!("{}M", power / 1e6),
        1e3.. => format!("{}k", power / 1e3),
        _ => power.to_string(),
    }
}
