//! `/healthz`, `/readyz` and `/metrics`, over plain HTTP.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::task::JoinSet;

use super::Server;
use super::listen::Listener;
use crate::sockets::Transport;

/// The largest request, with its header, in bytes.
const MAX_REQUEST: usize = 8192;

/// Clients that are served at once; more wait.
const MAX_CLIENTS: usize = 64;

/// How long a client may take for its request and its answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How long the accepting thread may take to answer, for the server to be healthy.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(2);

/// Serves for ever.
pub(super) async fn serve(server: &Server, listener: Listener) -> std::io::Result<()> {
    let listener = listener.watch()?;
    let mut clients = JoinSet::new();
    loop {
        while clients.len() >= MAX_CLIENTS {
            clients.join_next().await;
        }
        let mut ready = listener.readable().await?;
        let accepted =
            ready.try_io(|socket| socket.get_ref().accept(0, ([127, 0, 0, 1], 0).into()));
        let transport = match accepted {
            Ok(Ok(handed)) => handed.stream.register(),
            Ok(Err(error)) => Err(error),
            Err(_would_block) => continue,
        };
        let Ok(transport) = transport else {
            // Without free descriptors the next accept would fail at once, too.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // The server can be asked only while it is borrowed, so all possible answers are made now.
        let answers = Answers {
            healthy: tokio::time::timeout(HEALTH_TIMEOUT, server.is_alive())
                .await
                .unwrap_or(false),
            ready: server.is_ready(),
            metrics: server.counters().prometheus(),
        };
        clients.spawn(async move {
            // A client that leaves or takes too long gets no answer.
            let _ = tokio::time::timeout(TIMEOUT, async {
                match transport {
                    Transport::Tcp(stream) => answer(stream, &answers).await,
                    Transport::Unix(stream) => answer(stream, &answers).await,
                    Transport::Tls(_) => Ok(()),
                }
            })
            .await;
        });
        while clients.try_join_next().is_some() {}
    }
}

struct Answers {
    healthy: bool,
    ready: bool,
    metrics: String,
}

async fn answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answers: &Answers,
) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|four| four == b"\r\n\r\n") {
        if request.len() >= MAX_REQUEST || stream.read_buf(&mut request).await? == 0 {
            break;
        }
    }
    let (status, body) = respond(&request, answers);
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    if !request.starts_with(b"HEAD ") {
        stream.write_all(body.as_bytes()).await?;
    }
    stream.shutdown().await?;
    // Closing with unread input would reset the connection and destroy the answer.
    let mut rest = [0; 1024];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

/// Returns the status line and the body.
fn respond<'a>(request: &[u8], answers: &'a Answers) -> (&'static str, &'a str) {
    let line = request
        .split(|byte| *byte == b'\r')
        .next()
        .unwrap_or_default();
    let line = std::str::from_utf8(line).unwrap_or_default();
    let mut words = line.split(' ');
    let (method, path, version) = (words.next(), words.next(), words.next());
    if !version.is_some_and(|version| version.starts_with("HTTP/1.")) {
        return ("400 Bad Request", "this is not a request of HTTP/1.1\n");
    }
    if !matches!(method, Some("GET" | "HEAD")) {
        return ("405 Method Not Allowed", "only GET and HEAD are answered\n");
    }
    match path.map(|path| path.split('?').next().unwrap_or_default()) {
        Some("/healthz") if answers.healthy => ("200 OK", "ok\n"),
        Some("/healthz") => ("503 Service Unavailable", "the server does not answer\n"),
        Some("/readyz") if answers.ready => ("200 OK", "ok\n"),
        Some("/readyz") => ("503 Service Unavailable", "no worker takes connections\n"),
        Some("/metrics") => ("200 OK", &answers.metrics),
        _ => (
            "404 Not Found",
            "there are /healthz, /readyz and /metrics\n",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_answered_or_refused() {
        let answers = |healthy, ready| Answers {
            healthy,
            ready,
            metrics: "counts".to_owned(),
        };
        for (request, status) in [
            ("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "200 OK"),
            ("HEAD /readyz?x=1 HTTP/1.0\r\n\r\n", "200 OK"),
            ("GET /metrics HTTP/1.1\r\n\r\n", "200 OK"),
            ("GET / HTTP/1.1\r\n\r\n", "404 Not Found"),
            ("POST /healthz HTTP/1.1\r\n\r\n", "405 Method Not Allowed"),
            ("GET /healthz\r\n\r\n", "400 Bad Request"),
            ("\u{0}\r\n\r\n", "400 Bad Request"),
            ("", "400 Bad Request"),
        ] {
            assert_eq!(respond(request.as_bytes(), &answers(true, true)).0, status);
        }
        for path in ["/healthz", "/readyz"] {
            let request = format!("GET {path} HTTP/1.1\r\n\r\n");
            assert!(
                respond(request.as_bytes(), &answers(false, false))
                    .0
                    .starts_with("503")
            );
        }
    }
}
