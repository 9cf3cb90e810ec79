//! What there is to compute with.

use std::num::NonZero;
use std::rc::Rc;
use std::thread::available_parallelism;

#[cfg(feature = "gpu")]
use crate::compute::gpu::GpuDevice;
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Kernels, NativeKernels};
use crate::names::{EngineChoice, EngineName};

/// More threads are not started where nobody asks for a number.
const MAX_THREADS: usize = 8;

/// What there is to compute with, as it was chosen: nothing but the gemm crate at first.
#[derive(Clone, Default)]
pub struct ComputeResources {
    /// Kernels on the processor.
    pub kernels: Option<Rc<dyn Kernels>>,
    /// A graphics processor that comes before them. Where it fails, the processor goes on.
    #[cfg(feature = "gpu")]
    pub gpu: Option<Rc<GpuDevice>>,
    /// Why there is something else than what was asked for.
    pub failure: Option<Error>,
}

/// What this machine has without a browser: the gemm crate, which is faster there than kernels of ours; its graphics processor where that is
/// asked for.
///
/// # Errors
/// [`ErrorKind::Request`] for relaxed SIMD, which is WebAssembly's; [`ErrorKind::Engine`] for a graphics processor that is asked for by name
/// and is not there.
pub async fn native_engine(choice: EngineChoice) -> Result<ComputeResources> {
    match choice.engine {
        None | Some(EngineName::Gemm) => Ok(ComputeResources::default()),
        Some(EngineName::Gpu) => find_gpu().await,
        Some(EngineName::Packed) => {
            let cores = || available_parallelism().map_or(1, NonZero::get).min(MAX_THREADS);
            let threads = choice.threads.map_or_else(cores, |threads| threads as usize);
            Ok(ComputeResources {
                kernels: Some(Rc::new(NativeKernels::new(threads))),
                ..ComputeResources::default()
            })
        }
        Some(EngineName::Relaxed) => Err(Error::new(
            ErrorKind::Request,
            "the engine \"relaxed\" is not here: it is a browser's",
        )
        .expected("gemm, packed or gpu")),
    }
}

/// The card of this machine.
#[cfg(feature = "gpu")]
async fn find_gpu() -> Result<ComputeResources> {
    Ok(ComputeResources {
        gpu: GpuDevice::tested(true).await?,
        ..ComputeResources::default()
    })
}

#[cfg(not(feature = "gpu"))]
async fn find_gpu() -> Result<ComputeResources> {
    Err(
        Error::new(ErrorKind::Request, "this program was built without the engine \"gpu\"")
            .expected("gemm or packed")
            .advice("Build it with the feature gpu."),
    )
}
