//! Runs a program in this process.
//!
//! Each program has its own thread, runtime and store, so that one that hangs does not affect others.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Instant;

use tokio::sync::oneshot;
use wasmtime::component::{Linker, ResourceTable, TypedFunc};
use wasmtime::{ResourceLimiter, Result, Store};
use wasmtime_wasi::cli::AsyncStdinStream;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::components::{self, Composed};
use crate::names;
use crate::output::Output;
use crate::program::{In, Network, Program};
use crate::running::{Exit, Process, Running, Stdin};

/// Enough for the tests' input on a standard input.
const PIPE: usize = 64 * 1024;

type Run = TypedFunc<(), (Result<(), ()>,)>;

pub(crate) fn start(program: Program, place: In, composed: &Composed) -> Running {
    let (stdout, stderr) = (Output::default(), Output::default());
    let (context, stdin) = context(&program, &stdout, &stderr);
    let (stop, stopped) = oneshot::channel();
    let (ended, exit) = mpsc::channel();
    let outputs = [stdout.clone(), stderr.clone()];
    let composed = composed.clone();
    let memory = Arc::new(AtomicUsize::new(0));
    let host = Host {
        context,
        table: ResourceTable::new(),
        memory: Memory(memory.clone()),
    };
    // Compile before the deadline starts.
    composed.compiled();
    let running = program.clone();
    let work = move || {
        let exit = block_on(run(&composed, place, host, running), stopped);
        outputs.iter().for_each(Output::end);
        // Without a receiver the program was stopped.
        let _ = ended.send(exit);
    };
    thread::Builder::new()
        .name(program.name.clone())
        .spawn(work)
        .expect("a thread");
    Running {
        name: program.name,
        deadline: Instant::now() + program.deadline,
        stdout,
        stderr,
        exit,
        stdin,
        process: Process::Here {
            memory,
            _stop: stop,
        },
    }
}

/// Runs `work` until it ends or the test stops it.
fn block_on(work: impl Future<Output = Result<Exit>>, stopped: oneshot::Receiver<()>) -> Exit {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let work = async {
        tokio::select! {
            exit = work => exit,
            _ = stopped => Ok(Exit::Trap("stopped by the test".into())),
        }
    };
    runtime
        .block_on(work)
        .unwrap_or_else(|error| Exit::Trap(format!("{error:?}")))
}

async fn run(composed: &Composed, place: In, host: Host, program: Program) -> Result<Exit> {
    let component = composed.compiled();
    let mut linker = Linker::new(components::engine());
    // The libraries of other languages use WASI 0.1 and 0.2 in part.
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    if !program.names.is_empty() {
        names::add_to_linker(&mut linker, &program.names)?;
    }
    let mut store = Store::new(components::engine(), host);
    store.limiter(|host| &mut host.memory);
    if let Some(handles) = program.max_handles {
        store.set_max_component_handles(handles);
    }
    let instance = linker.instantiate_async(&mut store, component).await?;
    let interface = ["wasi:cli/run@0.3.0", "wasi:cli/run@0.2.0"]
        .into_iter()
        .find_map(|version| instance.get_export_index(&mut store, None, version));
    let function = instance.get_export_index(&mut store, interface.as_ref(), "run");
    let function =
        function.ok_or_else(|| wasmtime::format_err!("it does not export wasi:cli/run"))?;
    let function: Run = instance.get_typed_func(&mut store, function)?;
    let (result,) = match place {
        In::CallAsync => function.call_async(&mut store, ()).await?,
        _ => {
            store
                .run_concurrent(async |store| function.call_concurrent(store, ()).await)
                .await??
        }
    };
    Ok(if result.is_ok() {
        Exit::Success
    } else {
        Exit::Failure
    })
}

fn context(program: &Program, stdout: &Output, stderr: &Output) -> (WasiCtx, Option<Stdin>) {
    let mut context = WasiCtx::builder();
    context.stdout(stdout.clone()).stderr(stderr.clone());
    context.arg(&program.name).args(&program.args);
    context.envs(&program.variables);
    if program.network != Network::Nothing {
        context.inherit_network().allow_tcp(true);
        context.allow_ip_name_lookup(program.network == Network::All);
    }
    let stdin = program.stdin.then(|| {
        let (ours, theirs) = tokio::io::duplex(PIPE);
        context.stdin(AsyncStdinStream::new(theirs));
        Stdin::Here(ours)
    });
    (context.build(), stdin)
}

struct Host {
    context: WasiCtx,
    table: ResourceTable,
    memory: Memory,
}

/// Counts the linear memory of a store, in bytes; it never shrinks.
struct Memory(Arc<AtomicUsize>);

impl ResourceLimiter for Memory {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        self.0
            .fetch_add(desired.saturating_sub(current), Ordering::Relaxed);
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> Result<bool> {
        Ok(true)
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.context,
            table: &mut self.table,
        }
    }
}
