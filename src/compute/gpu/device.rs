//! A GPU device: its queue, compiled shaders and buffers.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use futures::channel::oneshot;

use super::wgsl::Program;
use crate::error::{Error, ErrorKind, Result};

/// Idle scratch buffers of one size that are kept for reuse.
const KEPT_OF_A_SIZE: usize = 8;

/// The name of a GPU, and whether it is hardware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpuInfo {
    /// The name that the driver reports.
    pub name: String,
    /// Whether the CPU emulates it: then it is correct, but slower than the cpu engine.
    pub is_software: bool,
}

/// A GPU opened for computing.
pub struct GpuDevice {
    device: wgpu::Device,
    queue: wgpu::Queue,
    info: GpuInfo,
    /// The reason why nothing can be computed on it any more.
    failure: Arc<Mutex<Option<String>>>,
    programs: RefCell<HashMap<Program, wgpu::ComputePipeline>>,
    scratch: RefCell<HashMap<(u64, bool), Vec<wgpu::Buffer>>>,
    held: Cell<u64>,
}

impl GpuDevice {
    /// Opens the fastest GPU of the machine.
    ///
    /// # Errors
    /// [`ErrorKind::Engine`] where there is none, or it can't be opened.
    pub async fn open() -> Result<Rc<Self>> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..wgpu::RequestAdapterOptions::default()
        };
        let adapter = instance.request_adapter(&options).await;
        let adapter = adapter.map_err(|cause| {
            Error::new(
                ErrorKind::Engine,
                format!("there is no graphics processor to compute on ({cause})"),
            )
            .advice("Choose another engine.")
        })?;
        let (limits, info) = (adapter.limits(), adapter.get_info());
        let wanted = wgpu::DeviceDescriptor {
            required_limits: wgpu::Limits {
                max_storage_buffer_binding_size: limits.max_storage_buffer_binding_size,
                max_buffer_size: limits.max_buffer_size,
                ..wgpu::Limits::default()
            },
            ..wgpu::DeviceDescriptor::default()
        };
        let (device, queue) = adapter.request_device(&wanted).await.map_err(|cause| {
            Error::new(ErrorKind::Engine, format!("{} can't be opened ({cause})", info.name))
                .advice("Choose another engine.")
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
        let named = if info.name.is_empty() { info.driver } else { info.name };
        Ok(Rc::new(Self {
            info: GpuInfo {
                name: named,
                is_software: info.device_type == wgpu::DeviceType::Cpu,
            },
            device,
            queue,
            failure,
            programs: RefCell::default(),
            scratch: RefCell::default(),
            held: Cell::new(0),
        }))
    }

    /// The name and kind.
    pub fn info(&self) -> &GpuInfo {
        &self.info
    }

    /// Bytes of weights in its memory.
    pub fn held(&self) -> u64 {
        self.held.get()
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
                format!("the graphics processor {} stopped computing ({cause})", self.info.name),
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
    pub(super) fn weights(self: &Rc<Self>, bytes: u64) -> Result<WeightBuffer> {
        self.check_size(bytes)?;
        let buffer = self.buffer(bytes, STORAGE);
        self.held.set(self.held.get() + bytes);
        Ok(WeightBuffer {
            gpu: Rc::clone(self),
            buffer,
        })
    }

    /// A buffer of at least `bytes` for one step.
    ///
    /// # Errors
    /// As [`GpuDevice::weights`].
    pub(super) fn scratch(self: &Rc<Self>, bytes: u64) -> Result<Scratch> {
        self.lend(bytes, false)
    }

    /// A staging buffer of at least `bytes`, for reading back.
    pub(super) fn staging(self: &Rc<Self>, bytes: u64) -> Result<Scratch> {
        self.lend(bytes, true)
    }

    fn lend(self: &Rc<Self>, bytes: u64, is_read: bool) -> Result<Scratch> {
        self.check_size(bytes)?;
        let size = bytes
            .max(256)
            .next_power_of_two()
            .min(bytes.next_multiple_of(1 << 20))
            .max(256);
        let known = self.scratch.borrow_mut().get_mut(&(size, is_read)).and_then(Vec::pop);
        let usage = if is_read { STAGING } else { STORAGE };
        Ok(Scratch {
            gpu: Rc::clone(self),
            buffer: known.unwrap_or_else(|| self.buffer(size, usage)),
            is_read,
            is_idle: Cell::new(true),
        })
    }

    fn buffer(&self, size: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size,
            usage,
            mapped_at_creation: false,
        })
    }

    fn check_size(&self, bytes: u64) -> Result<()> {
        self.check()?;
        let limits = self.device.limits();
        let most = limits.max_buffer_size.min(limits.max_storage_buffer_binding_size);
        if bytes <= most {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Engine,
            format!(
                "{} takes at most {most} bytes in one piece, and {bytes} are needed",
                self.info.name
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
        staging.is_idle.set(false);
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
            Error::new(
                ErrorKind::Engine,
                format!("{} gives nothing back ({cause})", self.info.name),
            )
        })?;
        let numbers = mapped
            .as_chunks::<4>()
            .0
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect();
        drop(mapped);
        staging.buffer.unmap();
        staging.is_idle.set(true);
        self.check()?;
        Ok(numbers)
    }
}

const STORAGE: wgpu::BufferUsages = wgpu::BufferUsages::STORAGE
    .union(wgpu::BufferUsages::COPY_DST)
    .union(wgpu::BufferUsages::COPY_SRC)
    .union(wgpu::BufferUsages::UNIFORM);
const STAGING: wgpu::BufferUsages = wgpu::BufferUsages::MAP_READ.union(wgpu::BufferUsages::COPY_DST);

/// A buffer with weights, freed when it is dropped.
pub(super) struct WeightBuffer {
    gpu: Rc<GpuDevice>,
    pub(super) buffer: wgpu::Buffer,
}

impl Drop for WeightBuffer {
    fn drop(&mut self) {
        self.gpu.held.set(self.gpu.held.get() - self.buffer.size());
        self.buffer.destroy();
    }
}

/// A buffer for one step, which is returned for reuse.
pub(super) struct Scratch {
    gpu: Rc<GpuDevice>,
    pub(super) buffer: wgpu::Buffer,
    is_read: bool,
    /// Whether its content is no longer needed.
    is_idle: Cell<bool>,
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.is_idle.get() {
            self.buffer.destroy();
            return;
        }
        let mut scratch = self.gpu.scratch.borrow_mut();
        let same = scratch.entry((self.buffer.size(), self.is_read)).or_default();
        if same.len() < KEPT_OF_A_SIZE {
            same.push(self.buffer.clone());
        }
    }
}
