//! How much memory WebAssembly has taken: the module's own and that of kernels in modules of theirs.

use std::cell::Cell;

thread_local! {
    static OF_KERNELS: Cell<u64> = const { Cell::new(0) };
}

/// Says that kernels have `bytes` of linear memory of their own now.
pub fn note_kernels(bytes: u64) {
    OF_KERNELS.set(bytes);
}

/// Bytes of linear memory, which never shrinks while kernels stay the same: its peak. None natively.
pub fn linear_memory() -> Option<u64> {
    #[cfg(target_arch = "wasm32")]
    return Some(core::arch::wasm32::memory_size::<0>() as u64 * 65_536 + OF_KERNELS.get());
    #[cfg(not(target_arch = "wasm32"))]
    None
}
