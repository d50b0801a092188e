// SPDX-License-Identifier: MIT OR Apache-2.0
//! `reach -o svg`: the matrix as a picture, sources down and destinations across.
//!
//! Apart because a picture has to fit: cells shrink with their number. What passes is told by shape as well as by colour: an empty cell, a
//! half one, a full one, and one with a bar across for what some backends of a load balancer let in.

use std::io::{self, Write};

use super::{Subject, escaped};
use crate::reach::{Extension, Matrix};

/// Characters of a label, beyond which it is cut; the title has all of it.
const LONGEST_LABEL: usize = 28;

/// Cells up to which each has a title of its own; more would make a file that no viewer opens in a moment.
const MOST_TITLES: usize = 10_000;

const STYLE: &str = "\
:root{color-scheme:light dark}\
svg{background:#fff;font:12px system-ui,'DejaVu Sans',sans-serif}\
text{fill:#1c2330}.quiet{fill:#5a6475}\
.frame{fill:#fff;stroke:#c3cad6}.none{fill:#fff}.all{fill:#1f7a55}.part{fill:#c77700}.some{fill:#8a4fb0}.self{fill:#e4e8ef}\
@media(prefers-color-scheme:dark){svg{background:#12161d}text{fill:#e6eaf2}.quiet{fill:#9aa5b8}\
.frame{fill:#12161d;stroke:#3b4557}.none{fill:#12161d}.all{fill:#3fae7f}.part{fill:#e09a2d}.some{fill:#b98ad6}.self{fill:#252d3a}}";

/// Sizes in pixels.
struct Layout {
    cell: f64,
    font: f64,
    left: f64,
    top: f64,
}

impl Layout {
    fn of(matrix: &Matrix) -> Layout {
        let most = matrix.from.len().max(matrix.to.len());
        let cell = match most {
            0..=24 => 28.0,
            25..=60 => 18.0,
            61..=150 => 12.0,
            _ => 8.0,
        };
        let font = if cell > 12.0 { 12.0 } else { cell - 1.0 };
        let longest = |places: &[usize]| {
            let labels = places
                .iter()
                .map(|place| cut(&matrix.participants[*place].label));
            labels.map(|label| label.chars().count()).max().unwrap_or(0) as f64
        };
        // A character is a little wider than half its height in the fonts that are likely.
        let width = font * 0.62;
        Layout {
            cell,
            font,
            left: 24.0 + longest(&matrix.from) * width,
            top: 64.0 + longest(&matrix.to) * width,
        }
    }
}

/// Draws the matrix.
///
/// # Errors
/// Those of `out`.
pub fn svg(matrix: &mut Matrix, subject: &Subject, out: &mut dyn Write) -> io::Result<()> {
    let layout = Layout::of(matrix);
    let Layout {
        cell,
        font,
        left,
        top,
    } = layout;
    let (columns, rows) = (matrix.to.len() as f64, matrix.from.len() as f64);
    let width = (left + columns * cell + 24.0).max(480.0);
    let height = top + rows * cell + 24.0;
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">"
    )?;
    writeln!(
        out,
        "<title>Who reaches whom: {}, HNS {}</title>",
        escaped(&subject.of),
        escaped(&subject.hns)
    )?;
    writeln!(out, "<style>{STYLE}</style>")?;
    writeln!(
        out,
        "<text x=\"16\" y=\"24\"><tspan font-weight=\"600\" font-size=\"14\">Who reaches whom</tspan>\
         <tspan dx=\"12\" class=\"quiet\">{}, HNS {}; rows are sources</tspan></text>",
        escaped(&cut(&subject.of)),
        escaped(&subject.hns)
    )?;
    legend(out)?;
    for (place, to) in matrix.to.iter().enumerate() {
        let label = &matrix.participants[*to].label;
        let x = left + (place as f64 + 0.5) * cell + font * 0.35;
        writeln!(
            out,
            "<text transform=\"translate({x:.1} {:.1}) rotate(-90)\" font-size=\"{font:.0}\">{}</text>",
            top - 6.0,
            escaped(&cut(label))
        )?;
    }
    writeln!(
        out,
        "<rect class=\"frame\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
        columns * cell,
        rows * cell
    )?;
    let has_titles = matrix.from.len() * matrix.to.len() <= MOST_TITLES;
    for (place, from) in matrix.from.clone().into_iter().enumerate() {
        let y = top + place as f64 * cell;
        let label = escaped(&cut(&matrix.participants[from].label));
        writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" font-size=\"{font:.0}\">{label}</text>",
            left - 6.0,
            y + cell / 2.0 + font * 0.35
        )?;
        row(matrix, from, (left, y, cell), has_titles, out)?;
    }
    // Lines on top, so that neighbours of one colour are still two.
    let mut grid = String::new();
    for line in 1..matrix.to.len() {
        let x = left + line as f64 * cell;
        grid.push_str(&format!("M{x:.1} {top:.1}v{:.1}", rows * cell));
    }
    for line in 1..matrix.from.len() {
        let y = top + line as f64 * cell;
        grid.push_str(&format!("M{left:.1} {y:.1}h{:.1}", columns * cell));
    }
    if cell > 8.0 && !grid.is_empty() {
        writeln!(out, "<path class=\"frame\" fill=\"none\" d=\"{grid}\"/>")?;
    }
    writeln!(out, "</svg>")
}

fn legend(out: &mut dyn Write) -> io::Result<()> {
    for (x, extension, word) in [
        (16.0, Extension::Everything, "everything"),
        (116.0, Extension::Part, "part of it"),
        (206.0, Extension::SomeBackends, "to some backends alone"),
        (366.0, Extension::Nothing, "nothing"),
    ] {
        writeln!(
            out,
            "<rect class=\"frame\" x=\"{x}\" y=\"36\" width=\"14\" height=\"14\"/>{}<text x=\"{}\" y=\"47\">{word}</text>",
            shape(extension, x, 36.0, 14.0, 1.0),
            x + 20.0
        )?;
    }
    Ok(())
}

/// The cells of a row; neighbours of one kind are one shape where cells have no titles.
fn row(
    matrix: &mut Matrix,
    from: usize,
    (left, y, cell): (f64, f64, f64),
    has_titles: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let pairs = matrix.row(from);
    let mut pairs = pairs.into_iter().peekable();
    let mut run: Option<(usize, Extension, usize)> = None;
    for (place, to) in matrix.to.clone().into_iter().enumerate() {
        let x = left + place as f64 * cell;
        let Some(pair) = pairs.next_if(|pair| pair.to == to) else {
            writeln!(
                out,
                "<rect class=\"self\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{cell}\" height=\"{cell}\"/>"
            )?;
            continue;
        };
        let extension = matrix.extension(&pair);
        if has_titles {
            let words = matrix.pair_words(&pair);
            let label = |place: usize| escaped(&matrix.participants[place].label);
            writeln!(
                out,
                "<g><title>{} to {}: {}</title>{}</g>",
                label(from),
                label(to),
                escaped(&words),
                shape(extension, x, y, cell, 1.0)
            )?;
            continue;
        }
        match &mut run {
            Some((start, kind, count)) if *kind == extension && *start + *count == place => {
                *count += 1;
            }
            run => {
                if let Some(done) = run.replace((place, extension, 1)) {
                    draw_run(done, (left, y, cell), out)?;
                }
            }
        }
    }
    match run {
        Some(last) => draw_run(last, (left, y, cell), out),
        None => Ok(()),
    }
}

fn draw_run(
    (start, extension, count): (usize, Extension, usize),
    (left, y, cell): (f64, f64, f64),
    out: &mut dyn Write,
) -> io::Result<()> {
    if extension == Extension::Nothing {
        return Ok(());
    }
    let x = left + start as f64 * cell;
    writeln!(out, "{}", shape(extension, x, y, cell, count as f64))
}

/// So many cells of one kind: full, the lower half, a bar across the middle, or empty.
fn shape(extension: Extension, x: f64, y: f64, cell: f64, count: f64) -> String {
    let (offset, height) = match extension {
        Extension::Part => (cell / 2.0, cell / 2.0),
        Extension::SomeBackends => (cell / 3.0, cell / 3.0),
        Extension::Everything | Extension::Nothing => (0.0, cell),
    };
    format!(
        "<rect class=\"{}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\"/>",
        extension.class(),
        y + offset,
        cell * count
    )
}

fn cut(label: &str) -> String {
    match label.char_indices().nth(LONGEST_LABEL) {
        Some((at, _)) => format!("{}…", &label[..at]),
        None => label.to_owned(),
    }
}
