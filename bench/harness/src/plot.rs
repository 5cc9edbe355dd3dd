//! The ratios as a picture: a few circles and lines, for which SVG is written as it is.

use std::fmt::Write as _;

use clap::ValueEnum as _;

use super::Results;
use super::catalogue;
use super::peers::Peer;
use super::workload::Workload;

/// Places, in pixels.
const LEFT: f64 = 230.0;
const WIDTH: f64 = 620.0;
const TOP: f64 = 70.0;
const ROW: f64 = 22.0;
const MARGIN: f64 = 20.0;

/// A workload's name, and how many times as good as the reference each peer is.
type Row = (String, Vec<(Peer, f64)>);

/// For each workload, how many times as good as asyncio everybody is, on a logarithmic scale; as good as tokio, where
/// asyncio was not measured.
pub(crate) fn svg(results: &Results) -> String {
    let reference = [Peer::Asyncio, Peer::Tokio]
        .into_iter()
        .find(|peer| results.values().any(|figures| figures.contains_key(peer)));
    let rows = reference
        .map(|reference| rows(results, reference))
        .unwrap_or_default();
    let scale = Scale::over(&rows);
    let bottom = TOP + ROW * rows.len() as f64;
    let (width, height) = (LEFT + WIDTH + MARGIN, bottom + 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    let reference = reference.map_or("nobody", Peer::name);
    text(
        &mut svg,
        LEFT,
        20.0,
        "start",
        &format!("How many times as good as {reference} (right is better)"),
    );
    legend(&mut svg);
    for power in scale.first..=scale.last {
        let x = scale.x(10_f64.powi(power));
        line(&mut svg, (x, TOP - 8.0), (x, bottom), "#ccc");
        text(
            &mut svg,
            x,
            bottom + MARGIN,
            "middle",
            &format!("{}", 10_f64.powi(power)),
        );
    }
    let x = scale.x(1.0);
    line(&mut svg, (x, TOP - 8.0), (x, bottom), "#333");
    for (index, (name, peers)) in rows.iter().enumerate() {
        let y = TOP + ROW * (index as f64 + 0.5);
        line(&mut svg, (LEFT, y), (LEFT + WIDTH, y), "#eee");
        text(&mut svg, LEFT - 10.0, y + 4.0, "end", name);
        for (peer, times) in peers {
            dot(
                &mut svg,
                scale.x(*times),
                y,
                *peer,
                &format!("{name}: {} {times:.2}", peer.name()),
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn rows(results: &Results, reference: Peer) -> Vec<Row> {
    let row = |workload: Workload| {
        let figures = results.get(&workload.name)?;
        let reference = figures.get(&reference)?;
        let times = figures
            .iter()
            .map(|(peer, figure)| (*peer, figure.times(reference)));
        Some((
            workload.name,
            times
                .filter(|(_, times)| times.is_finite() && *times > 0.0)
                .collect(),
        ))
    };
    catalogue::all().into_iter().filter_map(row).collect()
}

/// A logarithmic scale over whole powers of ten.
struct Scale {
    first: i32,
    last: i32,
}

impl Scale {
    fn over(rows: &[Row]) -> Self {
        let powers = || {
            rows.iter()
                .flat_map(|(_, peers)| peers)
                .map(|(_, times)| times.log10())
        };
        Scale {
            first: powers().map(f64::floor).fold(-1.0, f64::min) as i32,
            last: powers().map(f64::ceil).fold(1.0, f64::max) as i32,
        }
    }

    fn x(&self, times: f64) -> f64 {
        let share = (times.log10() - f64::from(self.first)) / f64::from(self.last - self.first);
        LEFT + share * WIDTH
    }
}

fn legend(svg: &mut String) {
    for (index, peer) in Peer::value_variants().iter().enumerate() {
        let x = LEFT + 95.0 * index as f64;
        dot(svg, x + 6.0, 40.0, *peer, peer.name());
        text(svg, x + 18.0, 44.0, "start", peer.name());
    }
}

/// Colours that people with a colour blindness can tell apart (Okabe and Ito's); what is ours is large.
fn dot(svg: &mut String, x: f64, y: f64, peer: Peer, title: &str) {
    let (colour, radius) = match peer {
        Peer::Ours => ("#d55e00", 6.5),
        Peer::OursCall => ("#e69f00", 5.0),
        Peer::Asyncio => ("#333333", 4.0),
        Peer::Uvloop => ("#56b4e9", 4.0),
        Peer::Tokio => ("#0072b2", 4.0),
        Peer::Floor => ("#009e73", 4.0),
    };
    let _ = writeln!(
        svg,
        "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" fill=\"{colour}\" fill-opacity=\"0.85\"><title>{title}</title></circle>"
    );
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64), colour: &str) {
    let ((x1, y1), (x2, y2)) = (from, to);
    let _ = writeln!(
        svg,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{colour}\"/>"
    );
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, content: &str) {
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{content}</text>"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Figure;
    use crate::workload::Unit;

    fn results(values: &[(&str, Peer, f64)]) -> Results {
        let mut results = Results::new();
        for (workload, peer, value) in values {
            let figure = Figure::of(vec![*value], Unit::Lines).unwrap();
            results
                .entry((*workload).to_owned())
                .or_default()
                .insert(*peer, figure);
        }
        results
    }

    #[test]
    fn each_figure_has_its_place() {
        let results = results(&[
            ("lines-64", Peer::Asyncio, 10.0),
            ("lines-64", Peer::Ours, 1000.0),
            ("size", Peer::Ours, 7.0),
        ]);
        let rows = rows(&results, Peer::Asyncio);
        assert_eq!(
            rows,
            [(
                "lines-64".to_owned(),
                vec![(Peer::Ours, 100.0), (Peer::Asyncio, 1.0)]
            )]
        );
        let scale = Scale::over(&rows);
        assert_eq!((scale.first, scale.last), (-1, 2));
        assert_eq!((scale.x(0.1), scale.x(100.0)), (LEFT, LEFT + WIDTH));
        let svg = svg(&results);
        assert!(
            svg.contains("lines-64: ours 100.00") && svg.ends_with("</svg>\n"),
            "{svg}"
        );
    }

    #[test]
    fn without_asyncio_tokio_is_the_measure() {
        let svg = svg(&results(&[
            ("accept", Peer::Tokio, 1.0),
            ("accept", Peer::Ours, 2.0),
        ]));
        assert!(
            svg.contains("as good as tokio") && svg.contains("accept: ours 2.00"),
            "{svg}"
        );
        assert!(super::svg(&Results::new()).contains("nobody"));
    }
}
