//! Memory used by WebAssembly: by the module itself and by the kernels' modules.

use std::cell::Cell;

thread_local! {
    static OF_KERNELS: Cell<u64> = const { Cell::new(0) };
}

/// Sets the size of the kernels' linear memory to `bytes`.
pub fn note_kernels(bytes: u64) {
    OF_KERNELS.set(bytes);
}

/// Bytes of linear memory. It does not shrink (unless kernels are replaced), so that this is its peak. None natively.
pub fn linear_memory() -> Option<u64> {
    #[cfg(target_arch = "wasm32")]
    return Some(core::arch::wasm32::memory_size::<0>() as u64 * 65_536 + OF_KERNELS.get());
    #[cfg(not(target_arch = "wasm32"))]
    None
}
