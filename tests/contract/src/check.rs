//! Checks that return a failure instead of panicking.

use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::pin::Pin;

/// The result of a program.
pub type Result<T = ()> = std::result::Result<T, Failure>;

/// A failed check, and its place in the source.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// A failure at the caller's place.
    #[track_caller]
    pub fn new(what: impl fmt::Display) -> Self {
        let place = Location::caller();
        Failure(format!("{}:{}: {what}", place.file(), place.line()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Converts any unexpected error, with the place of the `?`.
impl<E: Error> From<E> for Failure {
    #[track_caller]
    fn from(error: E) -> Self {
        Failure::new(format_args!("unexpected error: {error:?}"))
    }
}

/// Returns a [`Failure`] unless the condition holds.
#[macro_export]
macro_rules! check {
    ($condition:expr $(,)?) => {
        if !$condition {
            return Err($crate::Failure::new(concat!("not so: ", stringify!($condition))));
        }
    };
    ($condition:expr, $($explanation:tt)+) => {
        if !$condition {
            let explanation = format!($($explanation)+);
            return Err($crate::Failure::new(format!("not so: {}: {explanation}", stringify!($condition))));
        }
    };
}

/// Returns a [`Failure`] unless both are equal; long bytes are shown without their middle.
#[macro_export]
macro_rules! same {
    ($is:expr, $expected:expr $(,)?) => {
        match (&$is, &$expected) {
            (is, expected) => {
                if !(*is == *expected) {
                    let what = stringify!($is);
                    let (is, expected) = ($crate::shorten(is), $crate::shorten(expected));
                    return Err($crate::Failure::new(format!(
                        "{what}\n  is       {is}\n  expected {expected}"
                    )));
                }
            }
        }
    };
}

/// Returns a [`Failure`] unless the value matches the pattern; returns the bindings of the pattern, if requested.
#[macro_export]
macro_rules! matching {
    ($is:expr, $pattern:pat $(if $guard:expr)? $(,)?) => {
        $crate::matching!($is, $pattern $(if $guard)? => ())
    };
    ($is:expr, $pattern:pat $(if $guard:expr)? => $result:expr) => {
        match $is {
            $pattern $(if $guard)? => $result,
            is => {
                let (what, expected) = (stringify!($is), stringify!($pattern $(if $guard)?));
                let is = $crate::shorten(&is);
                return Err($crate::Failure::new(format!("{what}\n  is       {is}\n  expected {expected}")));
            }
        }
    };
}

/// The debug text of a value, without its middle if it is long.
#[doc(hidden)]
pub fn shorten(value: &(impl fmt::Debug + ?Sized)) -> String {
    const SHOWN: usize = 300;
    let text = format!("{value:?}");
    let length = text.chars().count();
    if length <= 2 * SHOWN {
        return text;
    }
    let (start, end): (String, String) = (
        text.chars().take(SHOWN).collect(),
        text.chars().skip(length - SHOWN).collect(),
    );
    format!("{start} [...] {end}")
}

/// Starts or continues a call, and fails unless it has to wait.
pub fn pending<F: Future + ?Sized>(call: Pin<&mut F>) -> Result
where
    F::Output: fmt::Debug,
{
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match call.poll(&mut context) {
        std::task::Poll::Pending => Ok(()),
        std::task::Poll::Ready(output) => Err(Failure::new(format!(
            "it did not wait, but gave {}",
            shorten(&output)
        ))),
    }
}
