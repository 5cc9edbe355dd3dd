//! A handler that writes a megabyte and returns, without closing, waiting, or reading its client's input.

use asyncio_streams::{Error, Reader, Writer};
use asyncio_streams_test_programs::pattern;

asyncio_streams::serve!(write_and_leave);

async fn write_and_leave(_reader: Reader, writer: Writer) -> Result<(), Error> {
    writer.write(pattern(0, 1 << 20))
}
