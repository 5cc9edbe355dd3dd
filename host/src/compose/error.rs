use std::fmt;
use std::path::PathBuf;

use crate::text::{Escaped, one_line};

/// The reasons why parts cannot be composed. A part is called by the name that it was given (a file's path).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComposeError {
    /// No part was given.
    #[error("there is nothing to compose: no part was given")]
    NoParts,
    /// The file of a part cannot be read.
    #[error("cannot read {}: {reason}", Escaped(&path.display().to_string()))]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        reason: std::io::Error,
    },
    /// The part is not a component.
    #[error("{} is not a component: {found}", Escaped(part))]
    NotAComponent {
        /// The part.
        part: String,
        /// The kind of file that was found, and the remedy.
        found: &'static str,
    },
    /// The part begins like a component but is broken.
    #[error("{} is a damaged component: {}", Escaped(part), one_line(reason))]
    Damaged {
        /// The part.
        part: String,
        /// The parser's message.
        reason: String,
    },
    /// Two parts export an interface that a third imports.
    #[error(
        "{} each export {}, which {} imports: leave out all but one, or compose in steps",
        list(providers),
        Escaped(interface),
        Escaped(user)
    )]
    SeveralProviders {
        /// The interface, as the user names it.
        interface: String,
        /// The part that imports it.
        user: String,
        /// The parts that export it.
        providers: Vec<String>,
    },
    /// The same part was given more than once.
    #[error(
        "{} is given twice: each part is needed once, however many others use it",
        Escaped(part)
    )]
    GivenTwice {
        /// The part.
        part: String,
    },
    /// A part imports interfaces that no part exports and that the host does not provide.
    #[error("{}", missing.iter().map(Missing::to_string).collect::<Vec<_>>().join("; "))]
    Missing {
        /// The missing interfaces, by part.
        missing: Vec<Missing>,
    },
    /// A part exports the interface in a version that does not fit the import.
    #[error(
        "{} imports {}, but {} exports {}: one of them is of another version, rebuild it",
        Escaped(user),
        Escaped(import),
        Escaped(provider),
        Escaped(export)
    )]
    VersionMismatch {
        /// The part that imports.
        user: String,
        /// The interface as it imports it.
        import: String,
        /// The part that exports.
        provider: String,
        /// The interface as it exports it.
        export: String,
    },
    /// A part exports the interface in a fitting version, but with other types or without some functions.
    #[error(
        "{} exports {}, but not as {} imports it: {}",
        Escaped(provider),
        Escaped(export),
        Escaped(user),
        one_line(reason)
    )]
    TypeMismatch {
        /// The part that imports.
        user: String,
        /// The part that exports.
        provider: String,
        /// The interface as it is exported.
        export: String,
        /// The difference.
        reason: String,
    },
    /// Parts import each other in a circle, so there is no order in which they can be instantiated.
    #[error("the parts use each other in a circle: {}", Escaped(&parts.join(" uses ")))]
    Cycle {
        /// The circle; the first part is repeated at the end.
        parts: Vec<String>,
    },
    /// A part was given that the program does not use.
    #[error(
        "{} does not use {}, directly or through another part: leave it out{}",
        Escaped(program),
        Escaped(part),
        exports_hint(exports)
    )]
    Unused {
        /// The part.
        part: String,
        /// The part that is the program.
        program: String,
        /// The exports of the unused part.
        exports: Vec<String>,
    },
    /// Several parts are used by no other, so the program cannot be told from them.
    #[error(
        "{} do not use each other: one part must use all others, directly or through another part",
        list(parts)
    )]
    SeveralPrograms {
        /// The parts that no part uses.
        parts: Vec<String>,
    },
    /// Two parts import an interface of the host with incompatible types.
    #[error(
        "{} and {} import {} with incompatible types: {}",
        Escaped(first),
        Escaped(second),
        Escaped(interface),
        one_line(reason)
    )]
    HostTypes {
        /// The interface.
        interface: String,
        /// The one part.
        first: String,
        /// The other part.
        second: String,
        /// The difference.
        reason: String,
    },
    /// The composed component could not be written.
    #[error("the composition could not be encoded: {}", one_line(reason))]
    Encode {
        /// The encoder's message.
        reason: String,
    },
}

/// The interfaces that one part lacks from one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The part that imports.
    pub part: String,
    /// The interfaces that no part exports.
    pub interfaces: Vec<String>,
    /// A description of the provider.
    pub provider: &'static str,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            part,
            interfaces,
            provider,
        } = self;
        write!(
            f,
            "{} imports {}, which no part exports: add {provider}",
            Escaped(part),
            list(interfaces)
        )
    }
}

/// `a`, `a and b`, `a, b and c`, escaped.
fn list(items: &[String]) -> String {
    let text = match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    };
    Escaped(&text).to_string()
}

fn exports_hint(exports: &[String]) -> String {
    match exports {
        [] => ", it exports nothing".to_owned(),
        some => format!(
            ", or add the part that imports {}",
            Escaped(&some.join(" or "))
        ),
    }
}
