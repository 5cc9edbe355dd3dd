//! Joins components into one program: each import of a part is wired to the part that exports it.
//!
//! `wac plug` needs several steps for this; here it is one, whatever the order of the parts:
//!
//! ```no_run
//! use asyncio_streams_host::compose::{Part, compose};
//!
//! let parts = ["serve.wasm", "handler.wasm", "streams.wasm"];
//! let parts = parts.iter().map(Part::read).collect::<Result<Vec<_>, _>>()?;
//! let app = compose(parts)?;
//! std::fs::write("app.wasm", app.bytes())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Each part is instantiated once. Two parts that import `asyncio:streams/streams` therefore share one streams
//! component, and may hand readers and writers to each other. With an instance each, these types would be
//! incompatible.
//!
//! The rules:
//! * An import is wired to the one part that exports the same interface, in the same version or a compatible one by
//!   the rules of semantic versioning (0.1.x with 0.1.y). The provider must have everything that the import names.
//! * Imports of the `wasi` namespace that no part exports are left to the host that runs the program. Any other
//!   import must be exported by a part.
//! * Exactly one part is used by no other: the program. The composition exports what the program exports.
//! * A part that imports an interface which it also exports (a filter) is never wired to itself. Two parts of one
//!   composition cannot export the same imported interface, so a chain of filters is composed step by step.

mod error;
mod part;
mod plan;

use wac_graph::{CompositionGraph, EncodeError, EncodeOptions, Processor};

pub use error::{ComposeError, Missing};
pub use part::Part;
use plan::{Plan, Wire};

/// One import that was satisfied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plug {
    /// The part that imports.
    pub user: String,
    /// The interface, as the user names it.
    pub interface: String,
    /// The part that exports it.
    pub provider: String,
}

/// A composed program: see [`compose`].
#[derive(Debug, Clone)]
pub struct Composition {
    bytes: Vec<u8>,
    program: String,
    plugs: Vec<Plug>,
}

impl Composition {
    /// The binary of the composed component.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the binary without copying it.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The name of the part that uses the others and is used by none.
    pub fn program(&self) -> &str {
        &self.program
    }

    /// The wired imports, in the order of the parts.
    pub fn plugs(&self) -> &[Plug] {
        &self.plugs
    }
}

/// Composes `parts`, given in any order, into one component that imports nothing but WASI.
///
/// A single part that imports nothing but WASI is returned unchanged.
///
/// # Errors
/// A [`ComposeError`] names the part at fault and the remedy.
pub fn compose(parts: impl IntoIterator<Item = Part>) -> Result<Composition, ComposeError> {
    let mut graph = CompositionGraph::new();
    let plan = Plan::new(&mut graph, parts.into_iter().collect())?;
    let plugs = plan.wires.iter().map(|wire| plan.plug(wire)).collect();
    let program = plan.names[plan.program].clone();
    let bytes = match plan.packages.as_slice() {
        [only] => graph[*only].bytes().to_vec(),
        _ => encode(&mut graph, &plan)?,
    };
    Ok(Composition {
        bytes,
        program,
        plugs,
    })
}

fn encode(graph: &mut CompositionGraph, plan: &Plan) -> Result<Vec<u8>, ComposeError> {
    let nodes: Vec<_> = plan
        .packages
        .iter()
        .map(|package| graph.instantiate(*package))
        .collect();
    for wire in &plan.wires {
        let Wire {
            user,
            provider,
            import,
            export,
            ..
        } = wire;
        let instance = graph
            .alias_instance_export(nodes[*provider], export)
            .map_err(internal)?;
        graph
            .set_instantiation_argument(nodes[*user], import, instance)
            .map_err(internal)?;
    }
    let program = plan.packages[plan.program];
    let exports: Vec<_> = graph.types()[graph[program].ty()]
        .exports
        .keys()
        .cloned()
        .collect();
    for name in exports {
        let export = graph
            .alias_instance_export(nodes[plan.program], &name)
            .map_err(internal)?;
        graph.export(export, &name).map_err(internal)?;
    }
    let processor = Processor {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
    };
    let options = EncodeOptions {
        processor: Some(processor),
        ..EncodeOptions::default()
    };
    graph.encode(options).map_err(|error| match error {
        EncodeError::ImportTypeMergeConflict {
            import,
            first,
            second,
            source,
        } => {
            let name = |node| {
                nodes
                    .iter()
                    .position(|n| *n == node)
                    .map_or_else(String::new, |i| plan.names[i].clone())
            };
            ComposeError::HostTypes {
                interface: import,
                first: name(first),
                second: name(second),
                reason: format!("{source:#}"),
            }
        }
        other => internal(other),
    })
}

/// Returns whether the host provides an interface, so that no part has to: WASI, and the Unix sockets and
/// signals of our host.
pub(crate) fn is_provided_by_host(import: &str) -> bool {
    import.starts_with("wasi:")
        || matches!(
            unversioned(import),
            "asyncio:streams/unix-host" | "asyncio:streams/signals"
        )
}

/// Returns a description of a component that provides an interface which no part exports. `imports` are all imports
/// of its user: they show which streams component the user needs.
pub(crate) fn provider_of<'a>(
    import: &str,
    imports: impl IntoIterator<Item = &'a String>,
) -> &'static str {
    let blocks = |import: &String| {
        matches!(
            unversioned(import),
            "asyncio:streams/blocking" | "asyncio:streams/bulk"
        )
    };
    match unversioned(import) {
        "asyncio:streams/handler" => "your handler, a component that exports `client-connected`",
        name if name.starts_with("asyncio:streams/") && imports.into_iter().any(blocks) => {
            "the streams component of WASI 0.2 (streams-p2.wasm)"
        }
        name if name.starts_with("asyncio:streams/") => "the streams component (streams.wasm)",
        _ => "a component that exports it",
    }
}

fn unversioned(name: &str) -> &str {
    name.split_once('@').map_or(name, |(name, _)| name)
}

/// Converts an error of the graph library, which the plan should have made impossible, with its whole chain as text.
fn internal(error: impl std::error::Error) -> ComposeError {
    let mut reason = error.to_string();
    let mut source = error.source();
    while let Some(next) = source {
        reason = format!("{reason}: {next}");
        source = next.source();
    }
    ComposeError::Encode { reason }
}
