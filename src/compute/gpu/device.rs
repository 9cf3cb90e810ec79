//! A GPU device: its queue, compiled shaders and buffers.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use futures::channel::oneshot;

use super::buffers::{BufferPool, Scratch, WeightBuffer};
use super::wgsl::Program;
use crate::error::{Error, ErrorKind, Result};

/// The name of an adapter, and whether it is software.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpuInfo {
    /// As its driver or the browser gives it.
    pub name: String,
    /// Whether the CPU emulates it: then it is correct, but slower than the cpu engine.
    pub is_software: bool,
}

impl fmt::Display for GpuInfo {
    /// "NVIDIA H200", "llvmpipe (software)".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        f.write_str(if self.is_software { " (software)" } else { "" })
    }
}

/// The name of an adapter that has none.
const UNNAMED: &str = "unnamed GPU";

/// Blocks that rows go through in one piece of work, at most: a few waits fewer are not worth more than that where a GPU is lost.
const MAX_BLOCKS: usize = 8;

/// A GPU, opened for computing: device and queue of an adapter.
pub struct GpuDevice {
    device: wgpu::Device,
    queue: wgpu::Queue,
    info: GpuInfo,
    /// The reason why nothing can be computed on it any more.
    failure: Arc<Mutex<Option<String>>>,
    programs: RefCell<HashMap<Program, wgpu::ComputePipeline>>,
    pool: Rc<BufferPool>,
    /// Bytes that it takes in one piece.
    piece: Cell<u64>,
    /// Most blocks that rows go through in one piece of work.
    blocks_at_once: Cell<usize>,
}

impl GpuDevice {
    /// Opens the machine's fastest adapter.
    ///
    /// # Errors
    /// [`ErrorKind::Engine`] where there is none, or it can't be opened.
    pub async fn open() -> Result<Rc<Self>> {
        Self::open_as(None).await
    }

    /// The same; `known_as` is the adapter's name where wgpu does not give it: in a browser only scripts can ask.
    ///
    /// # Errors
    /// As [`GpuDevice::open`].
    pub async fn open_as(known_as: Option<String>) -> Result<Rc<Self>> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..wgpu::RequestAdapterOptions::default()
        };
        let adapter = instance.request_adapter(&options).await;
        let adapter = adapter.map_err(|cause| {
            // In a browser the cause only lists the backends that this program is built without.
            let cause = if cfg!(target_arch = "wasm32") {
                String::new()
            } else {
                format!(" ({cause})")
            };
            Error::new(ErrorKind::Engine, format!("there is no GPU to compute on{cause}"))
                .advice("Choose another engine.")
        })?;
        let (limits, info) = (adapter.limits(), adapter.get_info());
        let names = [Some(info.name), known_as, Some(info.driver)].into_iter().flatten();
        let info = GpuInfo {
            name: names
                .into_iter()
                .find(|name| !name.is_empty())
                .unwrap_or_else(|| UNNAMED.to_owned()),
            is_software: info.device_type == wgpu::DeviceType::Cpu,
        };
        let wanted = wgpu::DeviceDescriptor {
            required_limits: wgpu::Limits {
                max_storage_buffer_binding_size: limits.max_storage_buffer_binding_size,
                max_buffer_size: limits.max_buffer_size,
                ..wgpu::Limits::default()
            },
            ..wgpu::DeviceDescriptor::default()
        };
        let (device, queue) = adapter.request_device(&wanted).await.map_err(|cause| {
            Error::new(ErrorKind::Engine, format!("{info} can't be opened ({cause})")).advice("Choose another engine.")
        })?;
        let failure = Arc::new(Mutex::new(None));
        let note = |failure: &Arc<Mutex<Option<String>>>, cause: String| {
            failure
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert(cause);
        };
        let noted = Arc::clone(&failure);
        device.set_device_lost_callback(move |_, cause| note(&noted, format!("it was lost: {cause}")));
        let noted = Arc::clone(&failure);
        device.on_uncaptured_error(Arc::new(move |cause: wgpu::Error| note(&noted, cause.to_string())));
        Ok(Rc::new(Self {
            piece: Cell::new(limits.max_buffer_size.min(limits.max_storage_buffer_binding_size)),
            blocks_at_once: Cell::new(MAX_BLOCKS),
            info,
            device,
            queue,
            failure,
            programs: RefCell::default(),
            pool: Rc::default(),
        }))
    }

    /// The name and kind.
    pub fn info(&self) -> &GpuInfo {
        &self.info
    }

    /// Bytes of weights in its memory.
    pub fn held(&self) -> u64 {
        self.pool.held()
    }

    /// The most bytes of weights that there have been on it at once.
    pub fn most_held(&self) -> u64 {
        self.pool.most_held()
    }

    /// Bytes that it takes in one piece: a matrix, or rows of one kind.
    pub fn piece(&self) -> u64 {
        self.piece.get()
    }

    /// Gives it no piece larger than `bytes` from now on: for tests of what goes on then.
    pub fn limit_pieces(&self, bytes: u64) {
        self.piece.set(self.piece.get().min(bytes));
    }

    /// How many blocks rows go through in one piece of work, at most.
    pub fn blocks_at_once(&self) -> usize {
        self.blocks_at_once.get()
    }

    /// Lets rows go through no more than `count` blocks in one piece of work: fewer cost more waiting, and less is lost with a GPU.
    pub fn limit_blocks(&self, count: usize) {
        self.blocks_at_once.set(count.clamp(1, MAX_BLOCKS));
    }

    /// Destroys the device, as a failing driver would: for tests of the fallback.
    pub fn lose(&self) {
        self.device.destroy();
        self.note("it was taken away".to_owned());
    }

    fn note(&self, cause: String) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(cause);
    }

    /// Fails where the device is lost.
    pub(super) fn check(&self) -> Result<()> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        match failure.as_ref() {
            None => Ok(()),
            Some(cause) => Err(Error::new(
                ErrorKind::Engine,
                format!("the GPU {} stopped computing ({cause})", self.info),
            )
            .advice("Choose another engine.")),
        }
    }

    /// The compiled `program`; compiled on first use.
    pub(super) fn program(&self, program: Program) -> wgpu::ComputePipeline {
        let mut programs = self.programs.borrow_mut();
        let made = programs.entry(program).or_insert_with(|| {
            let module = self.device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: None,
                source: wgpu::ShaderSource::Wgsl(program.text().into()),
            });
            self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: None,
                layout: None,
                module: &module,
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                cache: None,
            })
        });
        made.clone()
    }

    pub(super) fn encoder(&self) -> wgpu::CommandEncoder {
        self.device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
    }

    pub(super) fn bind(
        &self,
        program: &wgpu::ComputePipeline,
        entries: &[wgpu::BindGroupEntry<'_>],
    ) -> wgpu::BindGroup {
        self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &program.get_bind_group_layout(0),
            entries,
        })
    }

    pub(super) fn submit(&self, encoder: wgpu::CommandEncoder) {
        self.queue.submit([encoder.finish()]);
    }

    /// Allocates a buffer of `bytes` for weights.
    ///
    /// # Errors
    /// [`ErrorKind::Engine`] where it is larger than the GPU binds, or the GPU is gone.
    pub(super) fn weights(&self, bytes: u64) -> Result<WeightBuffer> {
        self.check_size(bytes, self.piece.get())?;
        Ok(self.pool.hold(self.buffer(bytes, STORAGE)))
    }

    /// Sends what has been written so far on its way, so that no copy of it waits for the next piece of work.
    pub(super) fn flush(&self) {
        self.queue.submit([]);
    }

    /// A buffer of at least `bytes` for one step.
    ///
    /// # Errors
    /// As [`GpuDevice::weights`].
    pub(super) fn scratch(&self, bytes: u64) -> Result<Scratch> {
        self.lend(bytes, false)
    }

    /// The same for what is read back.
    pub(super) fn staging(&self, bytes: u64) -> Result<Scratch> {
        self.lend(bytes, true)
    }

    fn lend(&self, bytes: u64, is_read: bool) -> Result<Scratch> {
        // What is read is bound to no program.
        let most = if is_read {
            self.device.limits().max_buffer_size
        } else {
            self.piece.get()
        };
        self.check_size(bytes, most)?;
        let size = bytes
            .max(256)
            .next_power_of_two()
            .min(bytes.next_multiple_of(1 << 20))
            .max(256);
        let usage = if is_read { STAGING } else { STORAGE };
        Ok(self.pool.lend(size, is_read, || self.buffer(size, usage)))
    }

    fn buffer(&self, size: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size,
            usage,
            mapped_at_creation: false,
        })
    }

    fn check_size(&self, bytes: u64, most: u64) -> Result<()> {
        self.check()?;
        if bytes <= most {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Engine,
            format!(
                "the GPU {} takes at most {most} bytes in one piece, and {bytes} are needed",
                self.info
            ),
        )
        .advice("Choose another engine."))
    }

    pub(super) fn write(&self, buffer: &wgpu::Buffer, offset: u64, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.queue.write_buffer(buffer, offset, bytes);
        }
    }

    /// Reads the first `bytes` of `staging` after all submitted work is finished.
    ///
    /// # Errors
    /// [`ErrorKind::Engine`] where the GPU has failed.
    pub(super) async fn read(&self, staging: &Scratch, bytes: u64) -> Result<Vec<f32>> {
        let slice = staging.buffer.slice(..bytes);
        staging.set_idle(false);
        let (tell, told) = oneshot::channel();
        slice.map_async(wgpu::MapMode::Read, move |mapped| {
            // The receiver is gone where the step was canceled.
            let _ = tell.send(mapped.is_ok());
        });
        // Natively completion must be polled; a browser calls back by itself.
        #[cfg(not(target_arch = "wasm32"))]
        if let Err(cause) = self.device.poll(wgpu::PollType::wait_indefinitely()) {
            self.note(cause.to_string());
        }
        if !told.await.unwrap_or(false) {
            self.note("what it computed can't be read".to_owned());
        }
        self.check()?;
        let mapped = slice.get_mapped_range().map_err(|cause| {
            self.note(cause.to_string());
            Error::new(ErrorKind::Engine, format!("{} gives nothing back ({cause})", self.info))
        })?;
        let numbers = mapped
            .as_chunks::<4>()
            .0
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect();
        drop(mapped);
        staging.buffer.unmap();
        staging.set_idle(true);
        self.check()?;
        Ok(numbers)
    }
}

const STORAGE: wgpu::BufferUsages = wgpu::BufferUsages::STORAGE
    .union(wgpu::BufferUsages::COPY_DST)
    .union(wgpu::BufferUsages::COPY_SRC)
    .union(wgpu::BufferUsages::UNIFORM);
const STAGING: wgpu::BufferUsages = wgpu::BufferUsages::MAP_READ.union(wgpu::BufferUsages::COPY_DST);
