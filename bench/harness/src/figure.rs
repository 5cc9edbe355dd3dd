//! Combines the values of several runs.

use serde_json::{Value, json};

use super::workload::Unit;

/// The median and the extremes of several runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figure {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) unit: Unit,
}

impl Figure {
    /// Computes the figure; `None` without runs.
    pub(crate) fn of(mut values: Vec<f64>, unit: Unit) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len().is_multiple_of(2) {
            (values[middle - 1] + values[middle]) / 2.0
        } else {
            values[middle]
        };
        Some(Self {
            median,
            min,
            max,
            unit,
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

    pub(crate) fn json(&self) -> Value {
        json!({
            "median": self.median,
            "min": self.min,
            "max": self.max,
            "unit": self.unit.name(),
            "better": if self.unit.higher_is_better() { "higher" } else { "lower" },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(values: &[f64], unit: Unit) -> Figure {
        Figure::of(values.to_vec(), unit).unwrap()
    }

    #[test]
    fn the_median_is_the_middle_one_or_between_two() {
        let odd = figure(&[3.0, 1.0, 100.0], Unit::Lines);
        assert_eq!((odd.median, odd.min, odd.max), (3.0, 1.0, 100.0));
        assert_eq!(figure(&[4.0, 1.0, 2.0, 10.0], Unit::Lines).median, 3.0);
        assert_eq!(Figure::of(Vec::new(), Unit::Lines), None);
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
    fn json_contains_whether_higher_is_better() {
        let json = figure(&[2.0], Unit::Microseconds).json();
        let expected =
            json!({"median": 2.0, "min": 2.0, "max": 2.0, "unit": "µs", "better": "lower"});
        assert_eq!(json, expected);
    }
}
