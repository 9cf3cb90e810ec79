//! What a file of weights is expected to hold. The model says it; nothing here knows a model.

/// Name and shape of a tensor.
pub type TensorSpec = (String, Vec<usize>);

/// The tensors that a file of weights must have, and how their names are read.
#[derive(Debug, Clone)]
pub struct Expected {
    /// Tensors that must be there.
    pub tensors: Vec<TensorSpec>,
    /// Tensors that may be there.
    pub optional: Vec<TensorSpec>,
    /// A prefix that names may have; they are read without it.
    pub prefix: &'static str,
    /// Which names (without prefix) are passed over, as if the file did not have them.
    pub ignored: fn(&str) -> bool,
    /// What the tensors are of, for messages: "a GPT-2 model with 12 layers".
    pub of: String,
}

impl Expected {
    /// `name` without the prefix.
    pub(super) fn short<'a>(&self, name: &'a str) -> &'a str {
        name.strip_prefix(self.prefix).unwrap_or(name)
    }
}
