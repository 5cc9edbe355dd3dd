//! The files in docs/deploy: `streams` accepts their commands.

use crate::support::streams;

fn read(file: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs/deploy")
        .join(file);
    std::fs::read_to_string(path).expect("a file")
}

/// Checks the words of a command after `streams`, with free ports and without systemd's sockets.
fn assert_is_taken(words: &[String]) {
    let mut command = streams::<&str>([]);
    for word in words {
        match word.as_str() {
            "systemd" => command.arg("127.0.0.1:0"),
            word if word.starts_with("0.0.0.0:") => command.arg("127.0.0.1:0"),
            word if word.starts_with("unix:/run/") => command.arg("127.0.0.1:0"),
            word => command.arg(word),
        };
    }
    let output = command.output().expect("the program runs");
    let error = String::from_utf8_lossy(&output.stderr);
    // Wrong options would exit with 2; 1 is for the program, which does not exist.
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("app.cwasm"), "{error}");
}

/// Returns the strings of a JSON list that begins with `streams`, `serve`.
fn list(text: &str) -> Vec<String> {
    let start = text.find(r#"["streams", "serve", "#).expect("a command");
    let list = text[start..].lines().next().expect("a line");
    let list = list.trim_matches(['[', ']']).split(',');
    list.skip(1)
        .map(|word| word.trim().trim_matches(['"', ']']).to_owned())
        .collect()
}

#[test]
fn the_commands_of_the_deployment_are_accepted() {
    assert_is_taken(&list(&read("Containerfile")));
    assert_is_taken(&list(&read("kubernetes.yaml")));
    for unit in ["streams.service", "streams-each@.service"] {
        let unit = read(unit);
        let (_, line) = unit
            .split_once("/usr/local/bin/streams ")
            .expect("a command");
        let words = line.lines().next().expect("a line").split(' ');
        assert_is_taken(&words.map(str::to_owned).collect::<Vec<_>>());
    }
}
