//! The ratios as a picture.

use anyhow::{Result, anyhow};
use clap::ValueEnum as _;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::Results;
use super::catalogue;
use super::peer::Peer;
use super::workload::Workload;

/// A workload's name, and for each peer how many times as good as the reference it is.
type Row = (String, Vec<(Peer, f64)>);

/// Plots how many times as good as asyncio each peer is, for each workload, on a logarithmic scale. The reference is
/// tokio if asyncio was not measured.
///
/// # Errors
/// When the picture cannot be drawn.
pub(crate) fn svg(results: &Results) -> Result<String> {
    let reference = [Peer::Asyncio, Peer::Tokio]
        .into_iter()
        .find(|peer| results.values().any(|figures| figures.contains_key(peer)));
    let rows = reference.map_or_else(Vec::new, |reference| rows(results, reference));
    let mut svg = String::new();
    draw(&mut svg, &rows, reference.map_or("no peer", Peer::name))
        .map_err(|error| anyhow!("cannot draw the plot: {error}"))?;
    Ok(svg)
}

fn draw(svg: &mut String, rows: &[Row], reference: &str) -> Result<(), Box<dyn std::error::Error>> {
    let height = u32::try_from(rows.len())? * 22 + 150;
    let root = SVGBackend::with_string(svg, (900, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let (first, last) = bounds(rows);
    // The axis begins at the bottom, so reverse the rows.
    let rows: Vec<&Row> = rows.iter().rev().collect();
    let height = rows.len().max(1) as f64;
    let mut chart = ChartBuilder::on(&root)
        .caption(
            format!("How many times as good as {reference} (right is better)"),
            ("sans-serif", 16),
        )
        .margin(10)
        .x_label_area_size(30)
        .y_label_area_size(220)
        .build_cartesian_2d((first..last).log_scale(), 0.0..height)?;
    chart
        .configure_mesh()
        .disable_y_axis()
        .disable_y_mesh()
        .draw()?;
    let right = Pos::new(HPos::Right, VPos::Center);
    let font = ("sans-serif", 13).into_text_style(&root).pos(right);
    for (row, (name, _)) in rows.iter().enumerate() {
        let (x, y) = chart.backend_coord(&(first, row as f64 + 0.5));
        root.draw(&Text::new(name.clone(), (x - 10, y), font.clone()))?;
    }
    for &peer in Peer::value_variants() {
        let Some((colour, radius)) = style(peer) else {
            continue;
        };
        let dots = rows.iter().enumerate().flat_map(|(row, (_, peers))| {
            let of_peer = peers.iter().filter(move |(of, _)| *of == peer);
            of_peer.map(move |(_, times)| {
                let at = (*times, row as f64 + 0.5);
                Circle::new(at, radius, colour.mix(0.85).filled())
            })
        });
        chart
            .draw_series(dots)?
            .label(peer.name())
            .legend(move |(x, y)| Circle::new((x + 8, y), radius, colour.filled()));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.2))
        .draw()?;
    root.present()?;
    Ok(())
}

fn rows(results: &Results, reference: Peer) -> Vec<Row> {
    let row = |workload: Workload| {
        let figures = results.get(&workload.name)?;
        let reference = figures.get(&reference)?;
        let times = figures
            .iter()
            .filter(|(peer, _)| style(**peer).is_some())
            .map(|(peer, figure)| (*peer, figure.times(reference)));
        let valid = times.filter(|(_, times)| times.is_finite() && *times > 0.0);
        Some((workload.name, valid.collect()))
    };
    catalogue::all().into_iter().filter_map(row).collect()
}

/// Returns the powers of ten around all ratios, at least from 0.1 to 10.
fn bounds(rows: &[Row]) -> (f64, f64) {
    let powers = || {
        let ratios = rows.iter().flat_map(|(_, peers)| peers);
        ratios.map(|(_, times)| times.log10())
    };
    let first = powers().map(f64::floor).fold(-1.0, f64::min);
    let last = powers().map(f64::ceil).fold(1.0, f64::max);
    (10_f64.powf(first), 10_f64.powf(last))
}

/// Colours that colour-blind people can distinguish (Okabe and Ito's). The dots of this project are larger. `None` for
/// the peers under this project's host, which the picture leaves out.
fn style(peer: Peer) -> Option<(RGBColor, i32)> {
    Some(match peer {
        Peer::Ours => (RGBColor(0xd5, 0x5e, 0x00), 6),
        Peer::OursCall => (RGBColor(0xe6, 0x9f, 0x00), 5),
        Peer::Linked => (RGBColor(0xcc, 0x79, 0xa7), 6),
        Peer::P2 => (RGBColor(0xf0, 0xe4, 0x42), 5),
        Peer::P2Plain => (RGBColor(0x99, 0x99, 0x99), 5),
        Peer::Asyncio => (RGBColor(0x33, 0x33, 0x33), 4),
        Peer::Uvloop => (RGBColor(0x56, 0xb4, 0xe9), 4),
        Peer::Tokio => (RGBColor(0x00, 0x72, 0xb2), 4),
        Peer::Floor => (RGBColor(0x00, 0x9e, 0x73), 4),
        // They take part in few workloads; a table has them.
        Peer::C
        | Peer::Cpp
        | Peer::Go
        | Peer::OursInStreams
        | Peer::OursCallInStreams
        | Peer::LinkedInStreams
        | Peer::FloorInStreams
        | Peer::P2InStreams => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Figure;
    use crate::workload::Unit;

    fn results(values: &[(&str, Peer, f64)]) -> Results {
        let mut results = Results::new();
        for (workload, peer, value) in values {
            let figure = Figure::of(&[(*value).into()], Unit::Lines).unwrap();
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
            ("lines-64", Peer::OursInStreams, 2000.0),
            ("size", Peer::Ours, 7.0),
        ]);
        let rows = rows(&results, Peer::Asyncio);
        let expected = vec![(Peer::Ours, 100.0), (Peer::Asyncio, 1.0)];
        assert_eq!(rows, [("lines-64".to_owned(), expected)]);
        assert_eq!(bounds(&rows), (0.1, 100.0));
        let svg = svg(&results).unwrap();
        assert!(
            svg.contains("lines-64") && svg.trim_end().ends_with("</svg>"),
            "{svg}"
        );
        // A dot for each figure, and one for each peer of the legend: those of one host.
        let without = Peer::IN_BOTH_HOSTS.len() + Peer::IN_OTHER_LANGUAGES.len();
        let peers = Peer::value_variants().len() - without;
        let dots = svg.matches("<circle").count();
        assert_eq!(dots, 2 + peers, "{svg}");
    }

    #[test]
    fn the_reference_is_tokio_without_asyncio() {
        let text = svg(&results(&[
            ("accept", Peer::Tokio, 1.0),
            ("accept", Peer::Ours, 2.0),
        ]))
        .unwrap();
        assert!(text.contains("as good as tokio"), "{text}");
        assert!(svg(&Results::new()).unwrap().contains("no peer"));
    }
}
