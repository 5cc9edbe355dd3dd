/// The `tls` interface without TLS: configurations that refuse every setting, and the functions `client` and `server`, which
/// refuse too. `$other` is the component that has TLS. Needs `Component`, `Error` and the module `tls` of the interface.
#[macro_export]
macro_rules! no_tls {
    ($other:literal) => {
        impl tls::Guest for Component {
            type ClientConfig = Config;
            type ServerConfig = Config;
        }

        /// A configuration.
        pub(crate) struct Config;

        pub(super) fn client(
            _: &tls::ClientConfigBorrow<'_>,
            _: Option<&str>,
        ) -> Result<std::rc::Rc<dyn $crate::engine::ClientProtector>, Error> {
            refuse()
        }

        pub(super) fn server(
            _: &tls::ServerConfigBorrow<'_>,
        ) -> Result<std::rc::Rc<dyn $crate::engine::Protector>, Error> {
            refuse()
        }

        // Inlined, so that the compiler knows the case of the error here and leaves out the code that lowers the others.
        #[inline(always)]
        fn refuse<T>() -> Result<T, Error> {
            Err(Error::NotSupported(reason()))
        }

        #[inline(never)]
        fn reason() -> String {
            concat!("TLS: this component has none, ", $other, " has").into()
        }

        impl tls::GuestClientConfig for Config {
            fn new() -> Self {
                Config
            }

            $crate::refused! {
                set_built_in_roots(bool) -> ();
                add_roots(Vec<u8>) -> u32;
                set_certificate(Vec<u8>, Vec<u8>) -> ();
                set_alpn(Vec<String>) -> ();
                set_versions(tls::TlsVersion, tls::TlsVersion) -> ();
                set_resumption(bool) -> ();
                set_handshake_timeout(u64) -> ();
                set_wait_for_peer(bool) -> ();
                set_shutdown_timeout(u64) -> ();
                dangerous_accept_any_certificate() -> ();
            }
        }

        impl tls::GuestServerConfig for Config {
            fn new() -> Self {
                Config
            }

            $crate::refused! {
                add_certificate(Vec<u8>, Vec<u8>) -> ();
                set_client_authentication(tls::ClientAuthentication) -> ();
                add_client_roots(Vec<u8>) -> u32;
                set_alpn(Vec<String>) -> ();
                set_versions(tls::TlsVersion, tls::TlsVersion) -> ();
                set_resumption(bool) -> ();
                set_handshake_timeout(u64) -> ();
                set_wait_for_peer(bool) -> ();
                set_shutdown_timeout(u64) -> ();
            }
        }
    };
}

/// Setters, each of which refuses. Needs `Error` and `refuse`.
#[doc(hidden)]
#[macro_export]
macro_rules! refused {
    ($($name:ident($($argument:ty),*) -> $result:ty;)*) => {
        $(fn $name(&self, $(_: $argument),*) -> Result<$result, Error> {
            refuse()
        })*
    };
}
