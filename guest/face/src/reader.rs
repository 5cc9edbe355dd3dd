/// The methods of a `reader` that do not wait, for an `impl` of the interface. Needs `Error`, `MaybeBytes`, `separators`, and
/// a `try_read` of the reader itself; `self.0` leads to the engine's reader.
#[macro_export]
macro_rules! reader_methods {
    () => {
        fn try_read(&self, n: u32) -> MaybeBytes {
            self.try_read(&$crate::engine::Request::Read($crate::engine::size(n)))
        }

        fn try_readline(&self) -> MaybeBytes {
            self.try_read(&$crate::engine::Request::Readline)
        }

        fn try_readexactly(&self, n: u32) -> MaybeBytes {
            self.try_read(&$crate::engine::Request::Readexactly($crate::engine::size(
                n,
            )))
        }

        fn try_readuntil(&self, wanted: Vec<Vec<u8>>) -> MaybeBytes {
            self.try_read(&$crate::engine::Request::Readuntil(separators(wanted)?))
        }

        fn try_readlines(&self, max_bytes: u32) -> MaybeBytes {
            self.try_read(&$crate::engine::Request::Readlines($crate::engine::size(
                max_bytes,
            )))
        }

        fn peek(&self, n: u32) -> Vec<u8> {
            self.0
                .look(|buffer| buffer.peek($crate::engine::size(n)).to_vec())
        }

        fn buffered(&self) -> u32 {
            $crate::engine::errors::saturate(self.0.look(|buffer| buffer.buffered()))
        }

        fn at_eof(&self) -> bool {
            self.0.look(|buffer| buffer.at_eof())
        }

        fn exception(&self) -> Option<Error> {
            let failure = self.0.look(|buffer| buffer.failure().cloned());
            failure.map(Error::from)
        }

        fn limit(&self) -> u32 {
            $crate::engine::errors::saturate(self.0.look(|buffer| buffer.limit()))
        }
    };
}
