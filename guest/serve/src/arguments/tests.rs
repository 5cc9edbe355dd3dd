use super::*;

fn request(arguments: &[&str], variable: Option<&str>) -> Result<Request, String> {
    let arguments = std::iter::once(&"serve.wasm").chain(arguments);
    let environment: Vec<_> = [("PATH", Some("/bin")), (VARIABLE, variable)]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    parse(arguments.map(ToString::to_string).collect(), &environment)
}

fn served_with(arguments: &[&str], variable: Option<&str>) -> Arguments {
    match request(arguments, variable) {
        Ok(Request::Serve(arguments)) => arguments,
        Ok(Request::Help) => panic!("asked for help"),
        Ok(Request::ServeStdio(_)) => panic!("asked for standard input and output"),
        Err(reason) => panic!("{reason}"),
    }
}

fn served(arguments: &[&str]) -> Arguments {
    served_with(arguments, None)
}

fn refused(arguments: &[&str], variable: Option<&str>) -> String {
    match request(arguments, variable) {
        Err(reason) => reason,
        Ok(_) => panic!("{arguments:?} and {variable:?} were taken"),
    }
}

#[test]
fn an_address_is_a_host_and_a_port() {
    let arguments = served(&["127.0.0.1:80", "[::1]:0", "localhost:65535", ":1"]);
    let expected = [("127.0.0.1", 80), ("::1", 0), ("localhost", 65535), ("", 1)];
    assert_eq!(
        arguments.addresses,
        expected.map(|(host, port)| Place::Tcp(host.to_owned(), port))
    );
}

#[test]
fn an_address_after_unix_is_a_path_or_a_name() {
    let arguments = served(&["unix:/run/a:1", "unix:@name", ":1"]);
    let expected = [
        Place::Unix("/run/a:1".into()),
        Place::Unix("@name".into()),
        Place::Tcp(String::new(), 1),
    ];
    assert_eq!(arguments.addresses, expected);
    for text in ["unix:", "unix:@"] {
        let reason = format!("{text}: expected a path, or @ and an abstract name, after unix:");
        assert_eq!(refused(&[text], None), reason);
    }
}

#[test]
fn standard_input_and_output() {
    let stdio = |arguments: &[&str], variable| match request(arguments, variable) {
        Ok(Request::ServeStdio(stdio)) => stdio,
        Ok(_) => panic!("{arguments:?} asked for something else"),
        Err(reason) => panic!("{reason}"),
    };
    assert!(stdio(&["--stdio"], None).is_none());
    let tls = stdio(&["--stdio", "--tls-cert=C", "--tls-key=K"], None);
    assert_eq!(tls.map(|tls| tls.key).as_deref(), Some("K"));

    // Addresses and --stdio replace each other.
    stdio(&["--stdio"], Some("127.0.0.1:80"));
    stdio(&[], Some("--stdio"));
    assert_eq!(served_with(&[":1"], Some("--stdio")).addresses.len(), 1);

    for other in [
        &["127.0.0.1:80"][..],
        &["unix:/run/a"],
        &["--max-connections", "3"],
        &["--idle-timeout", "3"],
        &["--until-stdin-closes"],
        &["--grace", "1"],
    ] {
        let reason = refused(&[other, &["--stdio"]].concat(), None);
        let expected = "expected no --stdio, which serves one client on standard input and output, for any time";
        let name = other.first().expect("a word");
        assert_eq!(reason, format!("{name}: {expected}"));
    }
}

#[test]
fn options_take_their_values_with_and_without_an_equals_sign() {
    let arguments = served(&[
        "--max-connections=3",
        "--grace",
        "0.5",
        "--idle-timeout=60",
        "--until-stdin-closes",
        "localhost:1",
    ]);
    assert_eq!(arguments.max_connections, Some(3));
    assert_eq!(arguments.grace, 500_000_000);
    assert_eq!(arguments.idle_timeout, Some(60_000_000_000));
    assert_eq!(served(&[":1"]).idle_timeout, None);
    assert!(arguments.until_stdin_closes);
    assert_eq!(served(&[":1"]).grace, GRACE);
}

#[test]
fn a_certificate_and_its_key() {
    let arguments = served(&["--tls-cert", "CERT", "--tls-key=KEY", ":1"]);
    let Some(tls) = arguments.tls else {
        panic!("no TLS")
    };
    assert_eq!((tls.certificate, tls.key), ("CERT".into(), "KEY".into()));
    assert!(served(&[":1"]).tls.is_none());
}

#[test]
fn the_variable_replaces_arguments() {
    let variable = "  --max-connections 100\t--grace=1\n--until-stdin-closes 0.0.0.0:8888 [::]:1 ";
    // Some hosts do not even pass the program's name.
    for arguments in [vec![], vec!["serve.wasm".to_owned()]] {
        let environment = [(VARIABLE.to_owned(), variable.to_owned())];
        let Ok(Request::Serve(arguments)) = parse(arguments, &environment) else {
            panic!("it was not taken")
        };
        assert_eq!(
            arguments.addresses,
            [
                Place::Tcp("0.0.0.0".into(), 8888),
                Place::Tcp("::".into(), 1)
            ]
        );
        assert_eq!(arguments.max_connections, Some(100));
        assert_eq!(arguments.grace, 1_000_000_000);
        assert!(arguments.until_stdin_closes);
    }
    // Quotes have no special meaning.
    let reason = refused(&[], Some("--max-connections \"5\" a:1"));
    assert!(reason.contains("--max-connections \"5\":"), "{reason}");
}

#[test]
fn the_command_line_takes_precedence() {
    let variable =
        Some("--max-connections 1 --tls-cert A --tls-key B --tls-alpn x --grace 1 a:1 b:2");
    let arguments = served_with(
        &["--grace", "2", "--tls-key", "K", "--tls-alpn", "y", "c:3"],
        variable,
    );
    assert_eq!(arguments.addresses, [Place::Tcp("c".to_owned(), 3)]);
    assert_eq!(arguments.max_connections, Some(1));
    assert_eq!(arguments.grace, 2_000_000_000);
    let Some(tls) = arguments.tls else {
        panic!("no TLS")
    };
    assert_eq!((tls.certificate, tls.key), ("A".into(), "K".into()));
    assert_eq!(tls.alpn, ["y"]);
    // The variable supplies the options that the command line leaves unset.
    let arguments = served_with(&["--max-connections=7"], variable);
    assert_eq!(arguments.addresses.len(), 2);
    assert_eq!(arguments.max_connections, Some(7));
}

#[test]
fn errors_name_option_value_and_expected_values() {
    for (arguments, line) in [
        (
            &["--max-connections", "abc", "a:1"][..],
            "--max-connections abc: expected a whole number from 1 to 4294967295",
        ),
        (
            &["--max-connections=0", "a:1"],
            "--max-connections 0: expected a whole number from 1 to 4294967295",
        ),
        (
            &["--max-connections=-1", "a:1"],
            "--max-connections -1: expected a whole number from 1 to 4294967295",
        ),
        (
            &["--max-connections=", "a:1"],
            "--max-connections \"\": expected a whole number from 1 to 4294967295",
        ),
        (
            &["a:1", "--max-connections"],
            "--max-connections has no value: expected a whole number from 1 to 4294967295",
        ),
        (
            &["--grace", "-1", "a:1"],
            "--grace -1: expected a number of seconds, such as 10 or 0.5",
        ),
        (
            &["--grace", "NaN", "a:1"],
            "--grace NaN: expected a number of seconds, such as 10 or 0.5",
        ),
        (
            &["--idle-timeout", "0", "a:1"],
            "--idle-timeout 0: expected a number of seconds above 0, such as 60 or 0.5",
        ),
        (&["--backlog", "a:1"], "--backlog: no such option"),
        (&["-x", "a:1"], "-x: no such option"),
        (
            &["--until-stdin-closes=yes", "a:1"],
            "--until-stdin-closes=yes: expected no value",
        ),
        (
            &["--tls-cert", "CERT", "a:1"],
            "--tls-cert CERT: expected --tls-key too",
        ),
        (
            &["--tls-key", "KEY", "a:1"],
            "--tls-key KEY: expected --tls-cert too",
        ),
        (
            &["--tls-alpn", "h2", "a:1"],
            "--tls-alpn h2: expected --tls-cert and --tls-key too",
        ),
        (
            &["--tls-cert", "", "a:1"],
            "--tls-cert \"\": expected the name of a variable in the environment",
        ),
        (
            &["localhost"],
            "localhost: expected HOST:PORT, with a port from 0 to 65535, or unix:PATH",
        ),
        (
            &["bücher:http"],
            "bücher:http: expected HOST:PORT, with a port from 0 to 65535, or unix:PATH",
        ),
        (
            &["localhost:65536"],
            "localhost:65536: expected HOST:PORT, with a port from 0 to 65535, or unix:PATH",
        ),
        (
            &["::1:80"],
            "::1:80: expected the IPv6 address in brackets: [::1]:80",
        ),
        (
            &[],
            "no address to listen on: expected HOST:PORT or unix:PATH as an argument or in STREAMS_SERVE, or --stdio",
        ),
    ] {
        assert_eq!(refused(arguments, None), line);
    }
}

#[test]
fn errors_in_the_variable_name_it() {
    assert_eq!(
        refused(&["a:1"], Some("--grace soon b:2")),
        "STREAMS_SERVE: --grace soon: expected a number of seconds, such as 10 or 0.5"
    );
    assert_eq!(
        refused(&[], Some("localhost")),
        "STREAMS_SERVE: localhost: expected HOST:PORT, with a port from 0 to 65535, or unix:PATH"
    );
}

#[test]
fn help_is_shown_whatever_else_is_asked_for() {
    for (arguments, variable) in [
        (&["-h", "nonsense"][..], None),
        (&["--help"], Some("--grace soon")),
        (&[], Some("--help")),
    ] {
        assert!(matches!(request(arguments, variable), Ok(Request::Help)));
    }
}

#[test]
fn help_names_every_option_and_the_variable() {
    for word in [
        "--max-connections",
        "--tls-cert",
        "--tls-key",
        "--tls-alpn",
        "--until-stdin-closes",
        "--grace",
        "--help",
        VARIABLE,
        "Exit status",
    ] {
        assert!(USAGE.contains(word), "{word}");
    }
    assert!(USAGE.lines().all(|line| line.len() <= 100));
}
