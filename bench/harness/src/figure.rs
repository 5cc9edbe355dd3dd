//! Combines the values of several runs.

use serde::{Deserialize, Serialize};

use super::usage::Cost;
use super::workload::Unit;

/// The median and the extremes of several runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "Written")]
pub(crate) struct Figure {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) unit: Unit,
    /// The medians of the costs of an item; `None` where the peer's process was not measured.
    pub(crate) cost: Option<Cost>,
}

/// A figure as the results contain it.
#[derive(Serialize)]
struct Written {
    median: f64,
    min: f64,
    max: f64,
    unit: Unit,
    better: &'static str,
    cost: Option<Cost>,
}

impl From<Figure> for Written {
    fn from(figure: Figure) -> Self {
        let Figure {
            median,
            min,
            max,
            unit,
            cost,
        } = figure;
        let better = if unit.higher_is_better() {
            "higher"
        } else {
            "lower"
        };
        Self {
            median,
            min,
            max,
            unit,
            better,
            cost,
        }
    }
}

/// The result of one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value {
    pub(crate) value: f64,
    pub(crate) cost: Option<Cost>,
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self { value, cost: None }
    }
}

impl Figure {
    /// Computes the figure; `None` without runs.
    pub(crate) fn of(values: &[Value], unit: Unit) -> Option<Self> {
        let all = sorted(values.iter().map(|value| value.value));
        let costs = || values.iter().filter_map(|value| value.cost);
        Some(Self {
            median: median(&all)?,
            min: *all.first()?,
            max: *all.last()?,
            unit,
            cost: median(&sorted(costs().map(|cost| cost.microseconds)))
                .zip(median(&sorted(costs().map(|cost| cost.switches))))
                .map(|(microseconds, switches)| Cost {
                    microseconds,
                    switches,
                }),
        })
    }

    /// Returns how many times as good as `other` this is. For units where lower is better, the quotient is inverted.
    pub(crate) fn times(&self, other: &Self) -> f64 {
        if self.unit.higher_is_better() {
            self.median / other.median
        } else {
            other.median / self.median
        }
    }

    /// Returns half the difference of the extremes, in percent of the median.
    pub(crate) fn spread(&self) -> f64 {
        (self.max - self.min) / 2.0 / self.median * 100.0
    }

    /// Combines the figures of several runs of the command: the median, and the extremes of their medians.
    pub(crate) fn over(runs: &[Self]) -> Option<Self> {
        let unit = runs.first()?.unit;
        let values: Vec<Value> = runs
            .iter()
            .map(|run| Value {
                value: run.median,
                cost: run.cost,
            })
            .collect();
        Self::of(&values, unit)
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The middle of sorted values, or the mean of the two in the middle.
fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len().is_multiple_of(2) {
        return Some((sorted[middle - 1] + upper) / 2.0);
    }
    Some(upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(values: &[f64], unit: Unit) -> Figure {
        let values: Vec<Value> = values.iter().copied().map(Value::from).collect();
        Figure::of(&values, unit).unwrap()
    }

    #[test]
    fn the_median_is_the_middle_one_or_between_two() {
        let odd = figure(&[3.0, 1.0, 100.0], Unit::Lines);
        assert_eq!((odd.median, odd.min, odd.max), (3.0, 1.0, 100.0));
        assert_eq!(figure(&[4.0, 1.0, 2.0, 10.0], Unit::Lines).median, 3.0);
        assert_eq!(Figure::of(&[], Unit::Lines), None);
        assert_eq!(figure(&[90.0, 100.0, 110.0], Unit::Lines).spread(), 10.0);
    }

    #[test]
    fn more_times_is_always_better() {
        let (two, eight) = (figure(&[2.0], Unit::Lines), figure(&[8.0], Unit::Lines));
        assert_eq!(eight.times(&two), 4.0);
        let (two, eight) = (
            figure(&[2.0], Unit::Microseconds),
            figure(&[8.0], Unit::Microseconds),
        );
        assert_eq!(two.times(&eight), 4.0);
    }

    #[test]
    fn costs_have_medians_of_their_own() {
        let run = |value, microseconds| Value {
            value,
            cost: Some(Cost {
                microseconds,
                switches: 1.0,
            }),
        };
        let runs = [
            run(1.0, 9.0),
            run(2.0, 7.0),
            run(3.0, 8.0),
            Value::from(4.0),
        ];
        let cost = Figure::of(&runs, Unit::Lines).unwrap().cost.unwrap();
        assert_eq!((cost.microseconds, cost.switches), (8.0, 1.0));
    }
}
