//! The engines that there are without a browser.

#![allow(clippy::unwrap_used, reason = "for tests")]

use keyside::forward::{Model, native_engine};
use keyside::model::Processing;
use keyside::names::{EngineChoice, EngineName};

use super::{block_on, tiny};

/// Whether this machine has a GPU, or Mesa's llvmpipe in its place. If not, a message says so; with `KEYSIDE_NEEDS_GPU` set
/// it is an error.
#[cfg(feature = "gpu")]
pub fn has_gpu() -> bool {
    match block_on(keyside::forward::GpuDevice::open()) {
        Ok(_) => true,
        Err(error) => {
            assert!(std::env::var_os("KEYSIDE_NEEDS_GPU").is_none(), "{error}");
            eprintln!("not tested: {error}");
            false
        }
    }
}

#[cfg(not(feature = "gpu"))]
pub fn has_gpu() -> bool {
    false
}

/// All of them; the GPU's where [`has_gpu`] is true.
pub fn engines() -> Vec<EngineName> {
    let gpu = has_gpu().then_some(EngineName::Gpu);
    [EngineName::Gemm, EngineName::Packed].into_iter().chain(gpu).collect()
}

/// The tiny checkpoint, computed with `engine`.
pub fn model_on(engine: EngineName) -> Model {
    let mut model = block_on(Model::open(Box::new(tiny()), Processing::default())).unwrap();
    let choice = EngineChoice {
        engine: Some(engine),
        threads: (engine == EngineName::Packed).then_some(2),
    };
    model.set_engine(block_on(native_engine(choice)).unwrap());
    model
}

/// Checks that all that `model` has computed was computed by `engine`.
pub fn was_computed_by(engine: EngineName, mut model: Model) {
    assert!(model.take_engine_failure().is_none());
    assert_eq!(model.engine(), engine);
}
