/// The `tls` interface: configurations, as programs make them, and the functions `client` and `server`, which return the
/// client or server that a configuration describes at that time. Needs `Component`, `Error` and the module `tls` of the interface.
#[macro_export]
macro_rules! tls {
    () => {
        impl tls::Guest for Component {
            type ClientConfig = ClientConfig;
            type ServerConfig = ServerConfig;
        }

        /// `client-config`.
        pub(crate) struct ClientConfig(std::cell::RefCell<$crate::engine::tls::ClientSettings>);

        /// `server-config`.
        pub(crate) struct ServerConfig(std::cell::RefCell<$crate::engine::tls::ServerSettings>);

        /// Returns the client that a configuration describes now, with a name to verify or none yet.
        pub(super) fn client(
            config: &tls::ClientConfigBorrow<'_>,
            name: Option<&str>,
        ) -> Result<std::rc::Rc<dyn $crate::engine::ClientProtector>, Error> {
            let client = config.get::<ClientConfig>().0.borrow_mut().client(name)?;
            Ok(std::rc::Rc::new(client))
        }

        /// Returns the server that a configuration describes now.
        pub(super) fn server(
            config: &tls::ServerConfigBorrow<'_>,
        ) -> Result<std::rc::Rc<dyn $crate::engine::Protector>, Error> {
            let server = config.get::<ServerConfig>().0.borrow_mut().server()?;
            Ok(std::rc::Rc::new(server))
        }

        impl From<tls::TlsVersion> for $crate::engine::types::TlsVersion {
            fn from(version: tls::TlsVersion) -> Self {
                match version {
                    tls::TlsVersion::Tls12 => $crate::engine::types::TlsVersion::Tls12,
                    tls::TlsVersion::Tls13 => $crate::engine::types::TlsVersion::Tls13,
                }
            }
        }

        impl tls::GuestClientConfig for ClientConfig {
            fn new() -> Self {
                ClientConfig(std::cell::RefCell::default())
            }

            fn set_built_in_roots(&self, on: bool) -> Result<(), Error> {
                Ok(self.0.borrow_mut().set_built_in_roots(on)?)
            }

            fn add_roots(&self, certificates: Vec<u8>) -> Result<u32, Error> {
                Ok(self.0.borrow_mut().add_roots(&certificates)?)
            }

            fn set_certificate(&self, chain: Vec<u8>, key: Vec<u8>) -> Result<(), Error> {
                Ok(self.0.borrow_mut().set_certificate(&chain, key)?)
            }

            $crate::common_settings!();

            fn dangerous_accept_any_certificate(&self) -> Result<(), Error> {
                Ok(self.0.borrow_mut().accept_any_certificate()?)
            }
        }

        impl tls::GuestServerConfig for ServerConfig {
            fn new() -> Self {
                ServerConfig(std::cell::RefCell::default())
            }

            fn add_certificate(&self, chain: Vec<u8>, key: Vec<u8>) -> Result<(), Error> {
                Ok(self.0.borrow_mut().add_certificate(&chain, key)?)
            }

            fn set_client_authentication(
                &self,
                rule: tls::ClientAuthentication,
            ) -> Result<(), Error> {
                Ok(self
                    .0
                    .borrow_mut()
                    .set_client_authentication(authentication(rule))?)
            }

            fn add_client_roots(&self, certificates: Vec<u8>) -> Result<u32, Error> {
                Ok(self.0.borrow_mut().add_client_roots(&certificates)?)
            }

            $crate::common_settings!();
        }

        fn authentication(
            rule: tls::ClientAuthentication,
        ) -> $crate::engine::types::ClientAuthentication {
            match rule {
                tls::ClientAuthentication::None => {
                    $crate::engine::types::ClientAuthentication::None
                }
                tls::ClientAuthentication::Optional => {
                    $crate::engine::types::ClientAuthentication::Optional
                }
                tls::ClientAuthentication::Required => {
                    $crate::engine::types::ClientAuthentication::Required
                }
            }
        }
    };
}

/// The settings that both sides of a connection have. Needs what [`tls!`] needs.
#[doc(hidden)]
#[macro_export]
macro_rules! common_settings {
    () => {
        fn set_alpn(&self, protocols: Vec<String>) -> Result<(), Error> {
            Ok(self.0.borrow_mut().common.set_alpn(protocols)?)
        }

        fn set_versions(
            &self,
            oldest: tls::TlsVersion,
            newest: tls::TlsVersion,
        ) -> Result<(), Error> {
            Ok(self
                .0
                .borrow_mut()
                .common
                .set_versions(oldest.into(), newest.into())?)
        }

        fn set_resumption(&self, on: bool) -> Result<(), Error> {
            Ok(self.0.borrow_mut().common.set_resumption(on)?)
        }

        fn set_handshake_timeout(&self, nanoseconds: u64) -> Result<(), Error> {
            Ok(self
                .0
                .borrow_mut()
                .common
                .set_handshake_timeout(nanoseconds)?)
        }

        fn set_wait_for_peer(&self, on: bool) -> Result<(), Error> {
            Ok(self.0.borrow_mut().common.set_wait_for_peer(on)?)
        }

        fn set_shutdown_timeout(&self, nanoseconds: u64) -> Result<(), Error> {
            Ok(self
                .0
                .borrow_mut()
                .common
                .set_shutdown_timeout(nanoseconds)?)
        }
    };
}
