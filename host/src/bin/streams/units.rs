//! Times and sizes on the command line.

use std::time::Duration;

/// A time: `10s`, `100ms`, `5m`, `2h`; a number alone is seconds.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    let units = [
        ("ms", 0.001),
        ("s", 1.0),
        ("m", 60.0),
        ("h", 3600.0),
        ("", 1.0),
    ];
    scaled(text, &units)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "expected a time such as 10s, 100ms, 5m or 2h".to_owned())
}

/// A time, or `off` for none.
pub(crate) fn time_or_off(text: &str) -> Result<Option<Duration>, String> {
    match text {
        "off" => Ok(None),
        text => match time(text) {
            Ok(time) if !time.is_zero() => Ok(Some(time)),
            _ => Err("expected `off`, or a time above 0 such as 10s or 500ms".to_owned()),
        },
    }
}

/// A number of bytes: `256M`, `1G`, `65536`. The units are powers of 1024.
pub(crate) fn size(text: &str) -> Result<usize, String> {
    const K: f64 = 1024.0;
    let text = text.strip_suffix("iB").unwrap_or(text);
    let units = [("K", K), ("M", K * K), ("G", K * K * K), ("", 1.0)];
    match scaled(text, &units) {
        Some(bytes) if bytes >= 1.0 && bytes <= usize::MAX as f64 => Ok(bytes as usize),
        _ => Err("expected a size such as 256M, 1G or 65536".to_owned()),
    }
}

fn scaled(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    units.iter().find_map(|(unit, factor)| {
        let number = text.strip_suffix(unit)?;
        let plain = number
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        let number: f64 = number.parse().ok().filter(|_| plain)?;
        Some(number * factor)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read() {
        for (text, expected) in [
            ("10", 10_000),
            ("10s", 10_000),
            ("100ms", 100),
            ("1.5m", 90_000),
            ("2h", 7_200_000),
        ] {
            assert_eq!(time(text), Ok(Duration::from_millis(expected)), "{text}");
        }
        for (text, expected) in [
            ("64", 64),
            ("1K", 1024),
            ("2MiB", 2 << 20),
            ("0.5G", 1 << 29),
        ] {
            assert_eq!(size(text), Ok(expected), "{text}");
        }
        assert_eq!(time_or_off("off"), Ok(None));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "s", "-1s", "1d", "1e3", "inf", "NaN", "1 s"] {
            assert!(time(text).is_err(), "{text}");
            assert!(time_or_off(text).is_err(), "{text}");
            assert!(size(text).is_err(), "{text}");
        }
        assert!(time_or_off("0").is_err());
        assert!(size("0").is_err());
    }
}
