/// The methods of a `server` that do not wait, for an `impl` of the interface. Needs `Address` and `Error`; `self.0` leads to
/// the engine's server.
#[macro_export]
macro_rules! server_methods {
    () => {
        fn sockets(&self) -> Vec<Address> {
            self.0.sockets().into_iter().map(Address::from).collect()
        }

        fn is_serving(&self) -> bool {
            self.0.is_serving()
        }

        fn start_serving(&self) -> Result<(), Error> {
            self.0.start_serving().map_err(Error::from)
        }

        fn close(&self) {
            self.0.close();
        }

        fn close_clients(&self) {
            self.0.close_clients();
        }
    };
}
