//! Which kernels there are without a browser.

use std::num::NonZero;
use std::rc::Rc;
use std::thread::available_parallelism;

use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Kernels, NativeKernels};
use crate::names::{EngineChoice, EngineName};

/// More threads are not started where nobody asks for a number.
const MOST_THREADS: usize = 8;

/// The kernels on this machine's own processor, where they are asked for by name: the gemm crate is faster there.
///
/// # Errors
/// [`ErrorKind::Request`] for relaxed SIMD, which is WebAssembly's.
pub fn native_kernels(choice: EngineChoice) -> Result<Option<Rc<dyn Kernels>>> {
    match choice.engine {
        None | Some(EngineName::Gemm) => Ok(None),
        Some(EngineName::Packed) => {
            let cores = || available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS);
            let threads = choice.threads.map_or_else(cores, |threads| threads as usize);
            Ok(Some(Rc::new(NativeKernels::new(threads))))
        }
        Some(EngineName::Relaxed) => Err(Error::new(
            ErrorKind::Request,
            "the engine \"relaxed\" is not here: it is a browser's",
        )
        .expected("gemm or packed")),
    }
}
