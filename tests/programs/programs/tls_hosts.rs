//! A host has the same meaning with and without TLS: both connect to it, or both refuse it. Arguments: an authority,
//! and a chain and its key for `127.0.0.1`, `::1`, `localhost`, `server.test` and `xn--bcher-kva.test`.

use asyncio_streams::{
    ClientConfig, ConnectOptions, Error, NetworkCode, Server, ServerOptions, TlsInfo,
};
use asyncio_streams_test_programs::{Certificates, Result, SERVER, check, port, same};

asyncio_streams::run!(main);

async fn main() -> Result {
    let given = Certificates::from_arguments(0)?;
    let client = given.client()?;
    let plain = ServerOptions::new().start_server(["127.0.0.1"], 0).await?;
    let protected = ServerOptions::new().tls(&given.server()?);
    let protected = protected.start_server(["127.0.0.1", "::1"], 0).await?;
    let plain6 = ServerOptions::new().start_server(["[::1]"], 0).await?;
    for host in [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "2130706433",
        "0177.0.0.1",
        "::ffff:127.0.0.1",
    ] {
        both(host, &client, &plain, &protected).await?;
    }
    for host in ["::1", "[::1]", "0:0:0:0:0:0:0:1", "::1%1", "[::1%1]"] {
        both(host, &client, &plain6, &protected).await?;
    }
    for host in ["localhost", "LocalHost"] {
        both(host, &client, &plain, &protected).await?;
    }
    names(&client, &protected).await?;
    refused(&client, port(&plain)?).await
}

/// Connects without TLS to `plain` and with TLS to `protected`.
async fn both(host: &str, client: &ClientConfig, plain: &Server, protected: &Server) -> Result {
    let number = port(plain)?;
    let options = ConnectOptions::new();
    let (near, far) = futures::join!(options.open_connection(host, number), plain.accept());
    drop((near?, far?));
    let info = agreed(host, &ConnectOptions::new().tls(client), protected).await?;
    let name = info.server_name.unwrap_or_default();
    check!(
        ["127.0.0.1", "::1", "localhost"].contains(&name.as_str()),
        "{host}: {name}"
    );
    Ok(())
}

/// The result of the handshake between a client of `host` and the server.
async fn agreed(host: &str, options: &ConnectOptions, server: &Server) -> Result<TlsInfo> {
    let number = port(server)?;
    let (near, far) = futures::join!(options.open_connection(host, number), server.accept());
    drop(far?);
    let (_reader, writer) = near?;
    writer
        .tls_info()
        .ok_or_else(|| asyncio_streams_test_programs::Failure::new("no TLS"))
}

/// The name to verify, in each of its forms.
async fn names(client: &ClientConfig, server: &Server) -> Result {
    for (name, verified) in [
        (SERVER, SERVER),
        ("SERVER.test.", SERVER),
        ("bücher.test", "xn--bcher-kva.test"),
        ("BÜCHER.test", "xn--bcher-kva.test"),
        ("Xn--Bcher-Kva.test", "xn--bcher-kva.test"),
        ("127.1", "127.0.0.1"),
        ("[::1]", "::1"),
    ] {
        let options = ConnectOptions::new().tls(client).server_name(name);
        let info = agreed("127.0.0.1", &options, server).await?;
        same!(info.server_name.as_deref(), Some(verified));
    }
    Ok(())
}

/// Both refuse an impossible host; the message shows it and the reason.
async fn refused(client: &ClientConfig, port: u16) -> Result {
    for (host, shown, why) in [
        ("a..b", "a..b", "empty label"),
        ("host name", "host name", "a space"),
        ("127.0.0.1:80", "127.0.0.1:80", "a separate argument"),
        ("1.2.3.4.5", "1.2.3.4.5", "no IPv4 address"),
        ("::1%eth0", "::1%eth0", "network interface"),
        ("http://bücher", "http://bücher", "URL"),
        ("a\nb", "a\\nb", "which names cannot contain"),
        ("a\u{202e}b", "a\\u{202e}b", "xn--"),
        ("bu\u{308}cher", "bu\u{308}cher", "xn--"),
    ] {
        let options = [ConnectOptions::new(), ConnectOptions::new().tls(client)];
        for options in options {
            let error = options.open_connection(host, port).await.err();
            let Some(Error::Network(error)) = error else {
                return Err(asyncio_streams_test_programs::Failure::new(format_args!(
                    "{host:?}: {error:?}"
                )));
            };
            same!(error.code, NetworkCode::NameNotFound);
            let message = error.message;
            check!(message.contains(&format!("\"{shown}\"")), "{message}");
            check!(message.contains(why), "{message}");
        }
        let named = ConnectOptions::new().tls(client).server_name(host);
        let error = named.open_connection("127.0.0.1", port).await.err();
        check!(
            matches!(&error, Some(Error::InvalidArgument(text)) if text.contains(shown) && text.contains(why)),
            "{error:?}"
        );
    }
    // A name in another alphabet is looked up in its ASCII form, and shown as given.
    for options in [ConnectOptions::new(), ConnectOptions::new().tls(client)] {
        let error = options.open_connection("bücher.invalid", port).await.err();
        check!(
            matches!(&error, Some(Error::Network(it)) if it.message.contains("\"bücher.invalid\"")),
            "{error:?}"
        );
    }
    Ok(())
}
