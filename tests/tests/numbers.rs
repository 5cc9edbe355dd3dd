//! Calls by number, and one wait for many connections.

use asyncio_streams_tests::component;
use wasmtime::component::{Component, Instance, Linker, ResourceTable, StreamReader, Val};
use wasmtime::error::Context as _;
use wasmtime::{Config, Engine, Result, Store, bail, format_err};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

asyncio_streams_tests::programs! {
    embedded: [],
    under_wasmtime_too: [many_waits, numbers, waits_chaos, watch, watch_many, watch_reports],
}

/// Text is any characters, and only some are bytes. A host in Rust passes text as it is.
#[test]
fn text_that_is_no_bytes_is_refused() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        let mut streams = Streams::new().await?;
        let (reader, writer) = streams.wrapped(b"abc\xff").await?;
        let all_bytes: String = (0..=u8::MAX).map(char::from).collect();
        for (writer, text, written) in [
            (writer, "", "drained"),
            (writer, "abc", "drained"),
            (writer, &*all_bytes, "drained"),
            (writer, "\u{100}", "refused"),
            (writer, &*"a\u{1f600}".repeat(100_000), "refused"),
            (0, "abc", "refused"),
            (writer ^ 1, "abc", "refused"),
            (writer ^ 1, "", "refused"),
            // A number of a reader is no writer's.
            (reader, "abc", "refused"),
        ] {
            let start: String = text.chars().take(5).collect();
            assert_eq!(streams.write(writer, text).await?, written, "{start:?}");
        }
        // Refused text is not queued.
        assert_eq!(streams.queued().await?, 3 + 256);
        for (skip, n, bytes, remaining) in [
            (0, 9, "abc\u{ff}", 0),
            (0, 2, "ab", 2),
            (1, 1, "b", 2),
            (1, 9, "bc\u{ff}", 0),
            (4, 9, "", 0),
            (u32::MAX, u32::MAX, "", 0),
            (0, 0, "", 4),
        ] {
            let front = streams.peek(reader, skip, n).await?;
            let expected = Some((bytes.to_owned(), remaining));
            assert_eq!(front, expected, "peek({skip}, {n})");
        }
        for number in [0, reader ^ 1, writer] {
            assert_eq!(streams.peek(number, 0, 9).await?, None);
        }
        Ok(())
    })
}

/// `streams.wasm` alone, with one wrapped connection.
struct Streams {
    store: Store<Host>,
    instance: Instance,
    writer: Option<Val>,
}

#[derive(Default)]
struct Host {
    context: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.context,
            table: &mut self.table,
        }
    }
}

impl Streams {
    async fn new() -> Result<Self> {
        let mut config = Config::new();
        config.wasm_component_model_async(true);
        let engine = Engine::new(&config)?;
        let component = Component::new(&engine, component("streams"))?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p3::add_to_linker(&mut linker)?;
        let mut store = Store::new(&engine, Host::default());
        let instance = linker.instantiate_async(&mut store, &component).await?;
        Ok(Streams {
            store,
            instance,
            writer: None,
        })
    }

    /// Calls an exported function.
    async fn call(&mut self, interface: &str, name: &str, arguments: &[Val]) -> Result<Vec<Val>> {
        let store = &mut self.store;
        let interface = format!("asyncio:streams/{interface}@0.1.0");
        let index = self
            .instance
            .get_export_index(&mut *store, None, &interface);
        let index = self
            .instance
            .get_export_index(&mut *store, index.as_ref(), name);
        let function = index.and_then(|index| self.instance.get_func(&mut *store, index));
        let function = function.with_context(|| format!("it exports no {interface}#{name}"))?;
        let mut results = vec![Val::Bool(false); function.ty(&*store).results().len()];
        store
            .run_concurrent(async |store| {
                function
                    .call_concurrent(store, arguments, &mut results)
                    .await
            })
            .await??;
        Ok(results)
    }

    /// Wraps a connection on which `input` comes; returns the numbers of its reader and its writer.
    async fn wrapped(&mut self, input: &[u8]) -> Result<(u64, u64)> {
        let incoming = StreamReader::new(&mut self.store, input.to_vec())?;
        let incoming = Val::Stream(incoming.try_into_stream_any(&mut self.store)?);
        let wrapped = self
            .call("streams", "wrap", &[incoming, Val::Option(None)])
            .await?;
        let Some(Val::Result(Ok(Some(wrapped)))) = wrapped.into_iter().next() else {
            bail!("wrap failed");
        };
        let Val::Tuple(wrapped) = *wrapped else {
            bail!("wrap returned no tuple");
        };
        let [reader, writer, _outgoing] = <[Val; 3]>::try_from(wrapped)
            .map_err(|_| format_err!("wrap returned another tuple"))?;
        let want = Val::Variant("exactly".into(), Some(Box::new(Val::U32(4))));
        self.call("streams", "[method]reader.wait", &[reader.clone(), want])
            .await?;
        let numbers = (
            self.call("numbers", "reader-number", &[reader]).await?,
            self.call("numbers", "writer-number", std::slice::from_ref(&writer))
                .await?,
        );
        self.writer = Some(writer);
        match (&*numbers.0, &*numbers.1) {
            ([Val::U64(reader)], [Val::U64(writer)]) => Ok((*reader, *writer)),
            _ => bail!("numbers are no u64"),
        }
    }

    async fn write(&mut self, writer: u64, text: &str) -> Result<String> {
        let arguments = [Val::U64(writer), Val::String(text.into())];
        match &*self.call("latin1", "write", &arguments).await? {
            [Val::Enum(written)] => Ok(written.clone()),
            other => bail!("write returned {other:?}"),
        }
    }

    async fn queued(&mut self) -> Result<u32> {
        let writer = self.writer.clone().context("there is a writer")?;
        match &*self
            .call("streams", "[method]writer.write-buffer-size", &[writer])
            .await?
        {
            [Val::U32(queued)] => Ok(*queued),
            other => bail!("write-buffer-size returned {other:?}"),
        }
    }

    /// Returns the bytes as text, and the number of those that remain.
    async fn peek(&mut self, reader: u64, skip: u32, n: u32) -> Result<Option<(String, u32)>> {
        let arguments = [Val::U64(reader), Val::U32(skip), Val::U32(n)];
        let results = self.call("latin1", "peek", &arguments).await?;
        let [Val::Option(front)] = &*results else {
            bail!("peek returned {results:?}");
        };
        let Some(front) = front else {
            return Ok(None);
        };
        let Val::Record(fields) = &**front else {
            bail!("peek returned {front:?}");
        };
        match &**fields {
            [(_, Val::String(bytes)), (_, Val::U32(remaining)), ..] => {
                Ok(Some((bytes.clone(), *remaining)))
            }
            _ => bail!("front is {fields:?}"),
        }
    }
}
