//! The contracts of the GPU engine: natively on the available GPU, such as Mesa's llvmpipe in continuous integration, and
//! in a browser's worker on Chromium's SwiftShader. Both run all cases, which took SwiftShader 17 to 20 s on two busy cores.

use std::rc::Rc;

use super::gpu::{Gpu, GpuDevice};
use super::{contract, contract_several};

/// Tests the engine on `device`.
async fn holds_and_gives_back_memory(device: Rc<GpuDevice>) {
    contract::holds(&Gpu::new(Rc::clone(&device))).await;
    contract_several::holds(&Gpu::new(Rc::clone(&device))).await;
    assert_eq!(device.held(), 0, "matrices of blocks that were dropped");
}

/// Skipped, with a message, if there is no GPU.
#[cfg(not(target_arch = "wasm32"))]
#[test]
fn a_gpu_holds_and_gives_back_memory() {
    use futures::executor::block_on;

    let device = match block_on(GpuDevice::open()) {
        Ok(device) => device,
        Err(error) => {
            assert!(std::env::var_os("KEYSIDE_NEEDS_GPU").is_none(), "{error}");
            eprintln!("not tested: {error}");
            return;
        }
    };
    eprintln!("tested on {:?}", device.info());
    block_on(holds_and_gives_back_memory(device));
}

#[cfg(target_arch = "wasm32")]
mod in_a_browser {
    use wasm_bindgen_test::{console_log, wasm_bindgen_test, wasm_bindgen_test_configure};

    use super::*;

    wasm_bindgen_test_configure!(run_in_dedicated_worker);

    #[wasm_bindgen_test]
    async fn a_gpu_holds_and_gives_back_memory() {
        let device = GpuDevice::open().await.unwrap();
        let begun = web_time::Instant::now();
        holds_and_gives_back_memory(Rc::clone(&device)).await;
        console_log!(
            "tested on {:?} in {:.1} s",
            device.info(),
            begun.elapsed().as_secs_f32()
        );
    }
}
