//! The container image of docs/deploy: it is built, and its server answers. No registry, network or daemon is needed.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use asyncio_streams_tests::debian::Found;
use asyncio_streams_tests::{folder, native};

/// An image is built in seconds, and its program compiled in as many.
const DEADLINE: Duration = Duration::from_secs(300);

#[test]
fn the_image_is_built_and_serves() {
    let possible = Command::new("unshare")
        .args(["--net", "--mount", "true"])
        .output();
    if !possible.is_ok_and(|output| output.status.success()) {
        eprintln!("LEFT OUT: no namespaces can be made here");
        return;
    }
    let Some(buildah) = Found::get("buildah", "buildah") else {
        return;
    };
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let streams = Path::new(env!("CARGO_BIN_EXE_streams-of-the-tests"));
    let place = tempfile::tempdir().expect("a folder");
    let context = place.path().join("context");
    fs::create_dir(&context).expect("a folder");
    let containerfile = here.join("../docs/deploy/Containerfile");
    fs::copy(containerfile, context.join("Containerfile")).expect("copied");
    fs::copy(streams, context.join("streams")).expect("copied");
    let mut compose = Command::new(streams);
    compose.arg("compose");
    for part in ["serve", "tests/serve_echo", "streams"] {
        compose.arg(folder().join(format!("{part}.wasm")));
    }
    compose.arg("-o").arg(context.join("app.wasm"));
    native::output(&mut compose, DEADLINE).expect("composed");

    let buildah = buildah.command();
    let mut image = Command::new("unshare");
    image.args(["--net", "--mount", "bash"]);
    image.arg(here.join("tests/deploying/image.sh"));
    image.arg(buildah.get_program()).arg(place.path());
    image.envs(
        buildah
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let said = native::output(&mut image, DEADLINE).expect("an image that serves");
    if let Some(reason) = said.strip_prefix("left out: ") {
        eprintln!("LEFT OUT: {reason}");
        return;
    }
    let expected = [
        "entry: streams serve",
        "answer: hello",
        "ready: HTTP/1.1 200 OK",
        "user: nobody",
        "ended: 0",
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}
