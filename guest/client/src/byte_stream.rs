//! Raw byte streams, as WebAssembly has them: unbuffered, with one reader and one writer.

use crate::bindings::imports::wit_stream;

/// The receiving end of a raw byte stream. `read(Vec::with_capacity(n))` reads into the spare room.
///
/// Dropping a pending `read` of it can lose bytes; [`from_stream`](crate::from_stream) makes a
/// [`Reader`](crate::Reader) of it, which never does.
pub type ByteReader = wit_bindgen::StreamReader<u8>;

/// The sending end of a raw byte stream. `write_all(bytes)` returns the bytes that were not
/// taken because the other end is gone. Dropping it ends the stream.
pub type ByteWriter = wit_bindgen::StreamWriter<u8>;

/// Makes a raw byte stream, for [`wrap`](crate::wrap), [`from_stream`](crate::from_stream) and
/// [`Writer::write_stream`](crate::Writer::write_stream).
///
/// Nothing is buffered: a write waits until the other end reads. So the two ends belong in
/// different tasks, or different components.
pub fn byte_stream() -> (ByteWriter, ByteReader) {
    wit_stream::new()
}
