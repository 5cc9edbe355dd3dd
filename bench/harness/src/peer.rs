//! The names and kinds of peers.

use clap::ValueEnum;

/// A peer: the program that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Peer {
    /// A component with the fastest calls of the crate for Rust.
    Ours,
    /// A component with one call of the interface for each operation.
    OursCall,
    /// A component that contains the engine and is not composed.
    Linked,
    /// A component of WASI 0.2, whose calls block.
    P2,
    /// The same component, where the host has no WASI 0.3 and no concurrency.
    P2Plain,
    /// asyncio's streams.
    Asyncio,
    /// asyncio's streams on uvloop.
    Uvloop,
    /// A native program in Rust.
    Tokio,
    /// A component on raw sockets, without this project.
    Floor,
    /// A component in C.
    C,
    /// A component in C++.
    Cpp,
    /// A component in Go.
    Go,
    /// `ours` under this project's program `streams`.
    #[value(name = "ours@streams")]
    OursInStreams,
    /// `ours-call` under this project's program `streams`.
    #[value(name = "ours-call@streams")]
    OursCallInStreams,
    /// `linked` under this project's program `streams`.
    #[value(name = "linked@streams")]
    LinkedInStreams,
    /// `floor` under this project's program `streams`.
    #[value(name = "floor@streams")]
    FloorInStreams,
    /// `p2` under this project's program `streams`.
    #[value(name = "p2@streams")]
    P2InStreams,
}

impl Peer {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Peer::Ours => "ours",
            Peer::OursCall => "ours-call",
            Peer::Linked => "linked",
            Peer::P2 => "p2",
            Peer::P2Plain => "p2-plain",
            Peer::Asyncio => "asyncio",
            Peer::Uvloop => "uvloop",
            Peer::Tokio => "tokio",
            Peer::Floor => "floor",
            Peer::C => "c",
            Peer::Cpp => "cpp",
            Peer::Go => "go",
            Peer::OursInStreams => "ours@streams",
            Peer::OursCallInStreams => "ours-call@streams",
            Peer::LinkedInStreams => "linked@streams",
            Peer::FloorInStreams => "floor@streams",
            Peer::P2InStreams => "p2@streams",
        }
    }

    /// The peers that run under both hosts, and their names under this project's.
    pub(crate) const IN_BOTH_HOSTS: [(Self, Self); 5] = [
        (Peer::Ours, Peer::OursInStreams),
        (Peer::OursCall, Peer::OursCallInStreams),
        (Peer::Linked, Peer::LinkedInStreams),
        (Peer::Floor, Peer::FloorInStreams),
        (Peer::P2, Peer::P2InStreams),
    ];

    /// The peers in other languages, and their components in `target/components`.
    pub(crate) const IN_OTHER_LANGUAGES: [(Self, &str); 3] = [
        (Peer::C, "c/bench_c.wasm"),
        (Peer::Cpp, "c/bench_cpp.wasm"),
        (Peer::Go, "go/bench.wasm"),
    ];

    /// Returns whether it is one of [`Self::IN_OTHER_LANGUAGES`].
    pub(crate) fn is_foreign(self) -> bool {
        Self::IN_OTHER_LANGUAGES
            .iter()
            .any(|(peer, _)| *peer == self)
    }

    /// Returns the peer whose component this one runs under the program `streams`; `None` for all other peers.
    pub(crate) fn under_streams(self) -> Option<Self> {
        let found = Self::IN_BOTH_HOSTS
            .into_iter()
            .find(|(_, peer)| *peer == self);
        found.map(|(component, _)| component)
    }

    pub(crate) fn is_component(self) -> bool {
        !matches!(self, Peer::Asyncio | Peer::Uvloop | Peer::Tokio)
    }

    /// Returns whether its calls block.
    pub(crate) fn blocks(self) -> bool {
        matches!(self, Peer::P2 | Peer::P2Plain | Peer::P2InStreams)
    }

    pub(crate) fn is_python(self) -> bool {
        matches!(self, Peer::Asyncio | Peer::Uvloop)
    }
}
