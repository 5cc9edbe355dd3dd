/// The resources `connect-options` and `server-options`, and the functions `connect` and `serve`, which return the options of a
/// call. Needs `ClientConfigBorrow`, `ServerConfigBorrow`, `AddressFamily`, `Error`, the module of the interface, and the
/// module `tls` of the face. A call reads its options when it starts; later changes are for later calls.
///
/// The methods that only one interface has are arguments: both resources get them.
#[macro_export]
macro_rules! options {
    ($face:ident, $tls:path, { $($more:tt)* }) => {
        /// Returns the options of a call, or the defaults.
        pub(super) fn connect(
            options: Option<$face::ConnectOptionsBorrow<'_>>,
        ) -> $crate::engine::ConnectOptions {
            match options {
                Some(options) => options.get::<ConnectOptions>().0.borrow().clone(),
                None => $crate::engine::ConnectOptions::default(),
            }
        }

        /// Returns the options of a call, or the defaults.
        pub(super) fn serve(
            options: Option<$face::ServerOptionsBorrow<'_>>,
        ) -> $crate::engine::ServerOptions {
            match options {
                Some(options) => options.get::<ServerOptions>().0.borrow().clone(),
                None => $crate::engine::ServerOptions::default(),
            }
        }

        /// `connect-options`.
        pub(crate) struct ConnectOptions(
            std::cell::RefCell<$crate::engine::ConnectOptions>,
        );

        /// `server-options`.
        pub(crate) struct ServerOptions(
            std::cell::RefCell<$crate::engine::ServerOptions>,
        );

        impl $face::GuestConnectOptions for ConnectOptions {
            fn new() -> Self {
                ConnectOptions(std::cell::RefCell::default())
            }

            $crate::setters! {
                fails: {
                    set_limit(bytes: u32);
                    set_max_result(bytes: u32);
                    set_max_queued(bytes: u32);
                    set_keep_alive_times(idle: Option<u64>, interval: Option<u64>, count: Option<u32>);
                }
                sets: {
                    set_family(family: AddressFamily);
                    set_happy_eyeballs_delay(nanoseconds: Option<u64>);
                    set_interleave(first_family_count: u32);
                    set_deadline(nanoseconds: Option<u64>);
                    set_close_deadline(nanoseconds: Option<u64>);
                    set_keep_alive(on: bool);
                }
            }

            fn add_local_address(&self, host: String, port: u16) {
                self.0.borrow_mut().add_local_address(&host, port);
            }

            fn set_tls(
                &self,
                config: ClientConfigBorrow<'_>,
                server_name: Option<String>,
            ) -> Result<(), Error> {
                use $tls as tls;
                let client = tls::client(&config, server_name.as_deref())?;
                self.0.borrow_mut().set_tls(client);
                Ok(())
            }

            $($more)*
        }

        impl $face::GuestServerOptions for ServerOptions {
            fn new() -> Self {
                ServerOptions(std::cell::RefCell::default())
            }

            $crate::setters! {
                fails: {
                    set_limit(bytes: u32);
                    set_max_result(bytes: u32);
                    set_max_queued(bytes: u32);
                    set_backlog(connections: u32);
                    set_max_connections(n: u32);
                    set_keep_alive_times(idle: Option<u64>, interval: Option<u64>, count: Option<u32>);
                }
                sets: {
                    set_family(family: AddressFamily);
                    set_idle_timeout(nanoseconds: Option<u64>);
                    set_close_deadline(nanoseconds: Option<u64>);
                    set_keep_alive(on: bool);
                    set_start_serving(on: bool);
                }
            }

            fn set_tls(&self, config: ServerConfigBorrow<'_>) -> Result<(), Error> {
                use $tls as tls;
                let server = tls::server(&config)?;
                self.0.borrow_mut().set_tls(server);
                Ok(())
            }

            $($more)*
        }
    };
}

/// Setters that may fail and setters that may not, each of them the engine's of the same name. Needs `Error`.
#[doc(hidden)]
#[macro_export]
macro_rules! setters {
    (
        fails: { $($check:ident($($check_argument:ident: $check_type:ty),*);)* }
        sets: { $($set:ident($argument:ident: $type:ty);)* }
    ) => {
        $(fn $check(&self, $($check_argument: $check_type),*) -> Result<(), Error> {
            Ok(self.0.borrow_mut().$check($($check_argument),*)?)
        })*
        $(fn $set(&self, $argument: $type) {
            self.0.borrow_mut().$set($argument.into());
        })*
    };
}
