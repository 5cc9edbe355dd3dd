//! Readers, writers and servers as in a component: calls that are not async run as sync calls.

use asyncio_streams_engine::platform::Source;
use asyncio_streams_engine::testing::sync_call;
use asyncio_streams_engine::types::{Address, Error};
use asyncio_streams_engine::{self as engine, InputRest, Request, Separators, Wait, Wanted};

pub(crate) struct Reader(Option<engine::Reader>);

impl From<engine::Reader> for Reader {
    fn from(reader: engine::Reader) -> Self {
        Reader(Some(reader))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        sync_call(|| self.0.take());
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader")
    }
}

pub(crate) fn until(separators: &[&[u8]]) -> Result<Separators, Error> {
    let separators = separators.iter().map(|one| one.to_vec()).collect();
    Separators::new(separators).map_err(|reason| Error::InvalidArgument(reason.0.into()))
}

impl Reader {
    pub(crate) fn raw(&self) -> &engine::Reader {
        self.0.as_ref().expect("not dropped")
    }

    pub(crate) async fn request(&self, request: Request) -> Result<Vec<u8>, Error> {
        self.raw().read(&request).await
    }

    pub(crate) async fn read(&self, n: usize) -> Result<Vec<u8>, Error> {
        self.request(Request::Read(n)).await
    }

    pub(crate) async fn read_to_end(&self) -> Result<Vec<u8>, Error> {
        self.request(Request::ReadToEnd).await
    }

    pub(crate) async fn readline(&self) -> Result<Vec<u8>, Error> {
        self.request(Request::Readline).await
    }

    pub(crate) async fn readlines(&self, most: usize) -> Result<Vec<u8>, Error> {
        self.request(Request::Readlines(most)).await
    }

    pub(crate) async fn readexactly(&self, n: usize) -> Result<Vec<u8>, Error> {
        self.request(Request::Readexactly(n)).await
    }

    pub(crate) async fn readuntil(&self, separators: &[&[u8]]) -> Result<Vec<u8>, Error> {
        self.request(Request::Readuntil(until(separators)?)).await
    }

    pub(crate) async fn wait(&self, wanted: Wanted) -> Result<(), Error> {
        self.raw().wait(&wanted).await
    }

    pub(crate) fn try_request(&self, request: Request) -> Result<Option<Vec<u8>>, Error> {
        sync_call(|| self.raw().try_read(&request))
    }

    pub(crate) fn try_read(&self, n: usize) -> Result<Option<Vec<u8>>, Error> {
        self.try_request(Request::Read(n))
    }

    pub(crate) fn discard(&self, n: usize) -> Result<usize, Error> {
        sync_call(|| self.raw().discard(n))
    }

    pub(crate) fn cancel(&self) {
        sync_call(|| self.raw().cancel());
    }

    pub(crate) fn buffered(&self) -> usize {
        sync_call(|| self.raw().look(|buffer| buffer.buffered()))
    }

    pub(crate) fn peek(&self, n: usize) -> Vec<u8> {
        sync_call(|| self.raw().look(|buffer| buffer.peek(n).to_vec()))
    }

    pub(crate) fn at_eof(&self) -> bool {
        sync_call(|| self.raw().look(|buffer| buffer.at_eof()))
    }

    pub(crate) fn exception(&self) -> Option<Error> {
        sync_call(|| self.raw().look(|buffer| buffer.failure().cloned()))
    }

    /// Hands the input over. An async call.
    pub(crate) fn give_away(&self) -> Result<InputRest, Error> {
        self.raw().into_stream()
    }
}

pub(crate) struct Writer(Option<engine::Writer>);

impl From<engine::Writer> for Writer {
    fn from(writer: engine::Writer) -> Self {
        Writer(Some(writer))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        sync_call(|| self.0.take());
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writer")
    }
}

impl Writer {
    pub(crate) fn raw(&self) -> &engine::Writer {
        self.0.as_ref().expect("not dropped")
    }

    pub(crate) fn write(&self, data: &[u8]) -> Result<(), Error> {
        sync_call(|| self.raw().write(data.to_vec()))
    }

    pub(crate) fn writelines(&self, data: &[&[u8]]) -> Result<(), Error> {
        let data = data.iter().map(|piece| piece.to_vec()).collect();
        sync_call(|| self.raw().writelines(data))
    }

    /// Writes, then waits for the marks.
    pub(crate) async fn send(&self, data: &[u8]) -> Result<(), Error> {
        self.write(data)?;
        self.drain().await
    }

    pub(crate) async fn drain(&self) -> Result<(), Error> {
        self.raw().drain().await
    }

    pub(crate) fn try_drain(&self) -> Result<bool, Error> {
        sync_call(|| self.raw().try_drain())
    }

    pub(crate) async fn flush(&self) -> Result<(), Error> {
        self.raw().flush().await
    }

    pub(crate) async fn write_stream(&self, data: Box<dyn Source>) -> (u64, Result<(), Error>) {
        self.raw().write_stream(data).await
    }

    pub(crate) fn can_write_eof(&self) -> bool {
        sync_call(|| self.raw().can_write_eof())
    }

    pub(crate) fn write_eof(&self) -> Result<(), Error> {
        sync_call(|| self.raw().write_eof())
    }

    pub(crate) fn close(&self) {
        sync_call(|| self.raw().close());
    }

    pub(crate) fn is_closing(&self) -> bool {
        sync_call(|| self.raw().is_closing())
    }

    pub(crate) async fn wait_closed(&self) -> Result<(), Error> {
        self.raw().wait_closed().await
    }

    pub(crate) fn abort(&self) {
        sync_call(|| self.raw().abort());
    }

    pub(crate) fn cancel(&self, wait: Wait) {
        sync_call(|| self.raw().cancel(wait));
    }

    pub(crate) fn peername(&self) -> Option<Address> {
        sync_call(|| self.raw().peername())
    }

    pub(crate) fn sockname(&self) -> Option<Address> {
        sync_call(|| self.raw().sockname())
    }

    pub(crate) fn write_buffer_size(&self) -> usize {
        sync_call(|| self.raw().write_buffer_size())
    }

    pub(crate) fn write_buffer_limits(&self) -> (usize, usize) {
        sync_call(|| self.raw().write_buffer_limits())
    }

    pub(crate) fn set_limits(&self, high: Option<usize>, low: Option<usize>) -> bool {
        sync_call(|| self.raw().set_write_buffer_limits(high, low).is_ok())
    }
}

pub(crate) struct Server(Option<engine::Server>);

impl From<engine::Server> for Server {
    fn from(server: engine::Server) -> Self {
        Server(Some(server))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        sync_call(|| self.0.take());
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Server")
    }
}

impl Server {
    pub(crate) fn raw(&self) -> &engine::Server {
        self.0.as_ref().expect("not dropped")
    }

    pub(crate) async fn accept(&self) -> Result<(Reader, Writer), Error> {
        let (reader, writer) = self.raw().accept().await?;
        Ok((reader.into(), writer.into()))
    }

    pub(crate) async fn wait_connection(&self) -> Result<(), Error> {
        self.raw().wait_connection().await
    }

    pub(crate) fn try_accept(&self) -> Result<Option<(Reader, Writer)>, Error> {
        let pair = sync_call(|| self.raw().try_accept())?;
        Ok(pair.map(|(reader, writer)| (reader.into(), writer.into())))
    }

    pub(crate) fn cancel(&self) {
        sync_call(|| self.raw().cancel());
    }

    pub(crate) fn sockets(&self) -> Vec<Address> {
        sync_call(|| self.raw().sockets())
    }

    /// Returns the port of the first address.
    pub(crate) fn port(&self) -> u16 {
        match self.sockets().first() {
            Some(Address::Inet(address)) => address.port,
            other => panic!("no address: {other:?}"),
        }
    }

    pub(crate) fn is_serving(&self) -> bool {
        sync_call(|| self.raw().is_serving())
    }

    pub(crate) fn start_serving(&self) -> Result<(), Error> {
        self.raw().start_serving()
    }

    pub(crate) fn close(&self) {
        sync_call(|| self.raw().close());
    }

    pub(crate) fn close_clients(&self) {
        sync_call(|| self.raw().close_clients());
    }

    pub(crate) fn abort_clients(&self) {
        sync_call(|| self.raw().abort_clients());
    }

    pub(crate) async fn wait_closed(&self) {
        self.raw().wait_closed().await;
    }

    pub(crate) async fn shutdown(&self, grace: u64) -> u32 {
        self.raw().shutdown(grace).await
    }
}
