//! The available compute resources: CPU kernels and GPU.

use std::num::NonZero;
use std::rc::Rc;
use std::thread::available_parallelism;

#[cfg(feature = "gpu")]
use crate::compute::gpu::GpuDevice;
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Kernels, NativeKernels};
use crate::names::{EngineChoice, EngineName};

/// Limit of the threads that are started unless a number is requested.
const MAX_THREADS: usize = 8;

/// The compute resources for an engine. By default only the gemm crate.
#[derive(Clone, Default)]
pub struct ComputeResources {
    /// CPU kernels, used instead of the gemm crate.
    pub kernels: Option<Rc<dyn Kernels>>,
    /// A GPU, used first. If it fails, the CPU takes over.
    #[cfg(feature = "gpu")]
    pub gpu: Option<Rc<GpuDevice>>,
    /// Why these are not the resources that were requested.
    pub failure: Option<Error>,
}

/// The resources outside of the browser: the gemm crate, which is faster natively than the kernels of this crate, or
/// the GPU if that is requested.
///
/// # Errors
/// [`ErrorKind::Request`] for relaxed SIMD, which is WebAssembly's; [`ErrorKind::Engine`] for a GPU that is requested by name
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

/// The GPU of this machine.
#[cfg(feature = "gpu")]
async fn find_gpu() -> Result<ComputeResources> {
    Ok(ComputeResources {
        gpu: GpuDevice::tested(true, None).await?,
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
