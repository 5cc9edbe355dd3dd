/// The methods of a `writer` that do not wait, for an `impl` of the interface. Needs `Address`, `Error` and `TlsInfo`;
/// `self.0` leads to the engine's writer.
#[macro_export]
macro_rules! writer_methods {
    () => {
        fn write(&self, data: Vec<u8>) -> Result<(), Error> {
            self.0.write(data).map_err(Error::from)
        }

        fn writelines(&self, data: Vec<Vec<u8>>) -> Result<(), Error> {
            self.0.writelines(data).map_err(Error::from)
        }

        fn can_write_eof(&self) -> bool {
            self.0.can_write_eof()
        }

        fn write_eof(&self) -> Result<(), Error> {
            self.0.write_eof().map_err(Error::from)
        }

        fn close(&self) {
            self.0.close();
        }

        fn is_closing(&self) -> bool {
            self.0.is_closing()
        }

        fn peername(&self) -> Option<Address> {
            self.0.peername().map(Address::from)
        }

        fn sockname(&self) -> Option<Address> {
            self.0.sockname().map(Address::from)
        }

        fn write_buffer_size(&self) -> u32 {
            $crate::engine::errors::saturate(self.0.write_buffer_size())
        }

        fn write_buffer_limits(&self) -> (u32, u32) {
            let (low, high) = self.0.write_buffer_limits();
            let saturate = $crate::engine::errors::saturate;
            (saturate(low), saturate(high))
        }

        fn set_write_buffer_limits(
            &self,
            high: Option<u32>,
            low: Option<u32>,
        ) -> Result<(), Error> {
            let size = $crate::engine::size;
            Ok(self
                .0
                .set_write_buffer_limits(high.map(size), low.map(size))?)
        }

        fn tls_info(&self) -> Option<TlsInfo> {
            self.0.tls_info().map(TlsInfo::from)
        }
    };
}
