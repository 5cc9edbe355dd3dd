//! TLS: the certificate and its key, from the environment.

use crate::arguments::Tls;
use crate::bindings::asyncio::streams::tls::ServerConfig;

/// How to protect the connections.
///
/// # Errors
/// A line for people: a variable that is not there, or a certificate or key that is of no use.
pub(crate) fn config(tls: &Tls, environment: &[(String, String)]) -> Result<ServerConfig, String> {
    let value = |name: &str| {
        let mut found = environment.iter().filter(|(known, _)| known == name);
        let (_, value) = found
            .next()
            .ok_or_else(|| format!("there is no {name} in the environment"))?;
        Ok::<_, String>(value.as_bytes())
    };
    let config = ServerConfig::new();
    config
        .add_certificate(value(&tls.certificate)?, value(&tls.key)?)
        .map_err(|error| crate::serving::describe(&error))?;
    if !tls.alpn.is_empty() {
        config
            .set_alpn(&tls.alpn)
            .map_err(|error| crate::serving::describe(&error))?;
    }
    Ok(config)
}
