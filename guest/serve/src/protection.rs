//! TLS: reads the certificate and its key from the environment.

use crate::arguments::Tls;
use crate::bindings::asyncio::streams::tls::ServerConfig;
use crate::bindings::asyncio::streams::types::Error;
use crate::errors::describe;
use crate::output::Output;

/// Creates the TLS configuration, if there are options for it. Returns `Err` after logging that it could not.
pub(crate) async fn wanted(
    tls: Option<&Tls>,
    environment: &[(String, String)],
    output: &mut Output,
) -> Result<Option<ServerConfig>, ()> {
    match tls.map(|tls| config(tls, environment)).transpose() {
        Ok(config) => Ok(config),
        Err(reason) => {
            output.log(&reason).await;
            Err(())
        }
    }
}

/// Creates the TLS configuration.
///
/// # Errors
/// One line for people that names the option. Its variable is missing, its certificate or key cannot be used, or the
/// composed program has no TLS.
fn config(tls: &Tls, environment: &[(String, String)]) -> Result<ServerConfig, String> {
    let value = |option: &str, name: &str, of: &str| {
        let found = environment.iter().find(|(known, _)| known == name);
        let (_, value) = found.ok_or_else(|| {
            format!("{option} {name}: expected a variable {name} in the environment, with {of} as PEM text")
        })?;
        Ok::<_, String>(value.as_bytes())
    };
    let Tls {
        certificate,
        key,
        alpn,
    } = tls;
    let chain = value("--tls-cert", certificate, "the certificates")?;
    let private = value("--tls-key", key, "their private key")?;
    let config = ServerConfig::new();
    config.add_certificate(chain, private).map_err(|error| {
        let options = format!("--tls-cert {certificate} --tls-key {key}");
        match error {
            Error::NotSupported(_) => format!(
                "{options}: expected a program with TLS: compose it with streams-tls.wasm in place of streams.wasm"
            ),
            error => format!("{options}: {}", describe(&error)),
        }
    })?;
    if !alpn.is_empty() {
        config
            .set_alpn(alpn)
            .map_err(|error| format!("--tls-alpn {}: {}", alpn.join(" "), describe(&error)))?;
    }
    Ok(config)
}
