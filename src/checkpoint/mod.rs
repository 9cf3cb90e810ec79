//! Bytes to tensors: the safetensors header, byte ranges, and the sources they come from.
