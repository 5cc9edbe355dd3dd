//! Unix sockets: another kind of socket below the same connections.

use std::pin::pin;

use asyncio_streams_engine::testing::sync_call;
use asyncio_streams_engine::types::Address;
use asyncio_streams_engine::unix::BindOptions;
use asyncio_streams_engine::{ConnectOptions, ServerOptions};
use futures::join;

use crate::support::unix::{CLIENT_PROCESS, Paths};
use crate::support::*;

const PATH: &[u8] = b"/run/app";
const BIND: BindOptions = BindOptions {
    mode: Some(0o600),
    cleanup: true,
};

fn serve(lab: &Lab, paths: &Paths, bind: BindOptions) -> Result<Server, Error> {
    let options = ServerOptions::default();
    let server = lab
        .engine
        .start_unix_server(paths, PATH.to_vec(), bind, &options)?;
    Ok(server.into())
}

async fn open(lab: &Lab, paths: &Paths, path: &[u8]) -> Result<(Reader, Writer), Error> {
    let options = ConnectOptions::default();
    let opened = lab
        .engine
        .open_unix_connection(paths, path.to_vec(), options);
    let (reader, writer) = opened.await?;
    Ok((reader.into(), writer.into()))
}

#[test]
fn both_ends_have_their_names_and_the_server_knows_the_client() {
    run(|lab| async move {
        let paths = Paths::new(&lab.here);
        let server = serve(&lab, &paths, BIND).unwrap();
        assert_eq!(paths.options.get(), Some(BIND));
        let named = Some(Address::Unix("/run/app".into()));
        let unnamed = Some(Address::Unix(String::new()));
        assert_eq!(
            server.sockets(),
            named.clone().into_iter().collect::<Vec<_>>()
        );
        let (opened, accepted) = join!(open(&lab, &paths, PATH), server.accept());
        let ((reader, writer), (far_reader, far_writer)) = (opened.unwrap(), accepted.unwrap());
        assert_eq!(
            (writer.peername(), writer.sockname()),
            (named.clone(), unnamed.clone())
        );
        assert_eq!(
            (far_writer.peername(), far_writer.sockname()),
            (unnamed, named)
        );
        let known = sync_call(|| far_writer.raw().peer_credentials());
        assert_eq!(known, Some(CLIENT_PROCESS));
        assert_eq!(sync_call(|| writer.raw().peer_credentials()), None);
        assert_eq!(sync_call(|| writer.raw().peer_address()), None);
        writer.write(b"hello\n").unwrap();
        assert_eq!(far_reader.readline().await.unwrap(), b"hello\n");
        far_writer.write(b"world\n").unwrap();
        assert_eq!(reader.readline().await.unwrap(), b"world\n");
    });
}

#[test]
fn a_close_frees_the_path_at_once_even_while_an_accept_waits() {
    run(|lab| async move {
        let paths = Paths::new(&lab.here);
        let server = serve(&lab, &paths, BIND).unwrap();
        let mut accept = pin!(server.accept());
        lab.pending(accept.as_mut());
        assert!(paths.is_bound(PATH));
        server.close();
        assert!(!paths.is_bound(PATH));
        assert_eq!(accept.await.err(), Some(Error::Closed));
    });
}

#[test]
fn a_failure_of_the_host_names_the_path_and_is_quoted() {
    run(|lab| async move {
        let paths = Paths::new(&lab.here);
        match open(&lab, &paths, b"/run/\n").await {
            Err(Error::Network(error)) => {
                assert_eq!(error.code, NetworkCode::NoSuchFile);
                let text = r#"connect to "/run/\n": no \"such\" file"#;
                assert_eq!(error.message, text);
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn arguments_that_can_never_work_reach_no_host() {
    run(|lab| async move {
        let paths = Paths::new(&lab.here);
        for path in [&b""[..], b"\0"] {
            let opened = open(&lab, &paths, path).await;
            assert!(
                matches!(opened, Err(Error::InvalidArgument(_))),
                "{opened:?}"
            );
        }
        let mode = BindOptions {
            mode: Some(0o10000),
            ..BIND
        };
        let served = serve(&lab, &paths, mode);
        assert!(matches!(served, Err(Error::InvalidArgument(_))));
        assert_eq!(paths.options.get(), None);
    });
}
