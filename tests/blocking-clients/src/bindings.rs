//! Generated code for the streams, and for the program itself.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]

wit_bindgen::generate!({
    inline: "
        package asyncio:blocking-clients;
        world client {
            include asyncio:streams/client-p2@0.1.0;
        }
    ",
    path: "../../wit",
    world: "asyncio:blocking-clients/client",
    generate_all,
    // The programs compare errors.
    additional_derives: [PartialEq, Eq],
    additional_derives_ignore: ["event"],
    with: {
        "wasi:io/error@0.2.0": wasi02::wasi::io::error,
        "wasi:io/poll@0.2.0": wasi02::wasi::io::poll,
        "wasi:io/streams@0.2.0": wasi02::wasi::io::streams,
    },
});

/// WASI 0.2: a command with a standard input.
pub(crate) mod wasi02 {
    wit_bindgen::generate!({
        path: "../../wit/wasi-0.2",
        inline: "
            package asyncio:blocking-clients;
            world program {
                include asyncio:wasi-p2/command@0.1.0;
                import wasi:cli/stdin@0.2.0;
                import wasi:clocks/monotonic-clock@0.2.0;
            }
        ",
        world: "asyncio:blocking-clients/program",
        generate_all,
        pub_export_macro: false,
    });
}
