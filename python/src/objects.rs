//! A serializer from the library's types to Python objects: dictionaries, lists, numbers, and `Array` as a NumPy array.

use std::fmt;

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};
use serde::Serialize;
use serde::ser::{
    Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// The name of the library's type that becomes a NumPy array.
const ARRAY: &str = "Array";

/// `value` as a Python object.
///
/// # Errors
/// Those of Python, and of what `value` says itself.
pub fn object<'py>(py: Python<'py>, value: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    let node = value.serialize(Objects(py)).map_err(|failed| failed.0)?;
    node.object(py)
}

/// The Python form of a part. Numbers stay in Rust until it is known whether they are part of an array.
enum Node<'py> {
    Object(Bound<'py, PyAny>),
    Single(f32),
    Singles(Vec<f32>),
}

impl<'py> Node<'py> {
    fn object(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Object(object) => Ok(object),
            Self::Single(value) => Ok(f64::from(value).into_pyobject(py)?.into_any()),
            Self::Singles(values) => {
                let wide = values.into_iter().map(f64::from);
                Ok(PyList::new(py, wide.collect::<Vec<_>>())?.into_any())
            }
        }
    }
}

/// An error of Python.
#[derive(Debug)]
struct Failed(PyErr);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Failed {}

impl serde::ser::Error for Failed {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(pyo3::exceptions::PyRuntimeError::new_err(message.to_string()))
    }
}

impl From<PyErr> for Failed {
    fn from(error: PyErr) -> Self {
        Self(error)
    }
}

type Made<'py> = Result<Node<'py>, Failed>;

#[derive(Clone, Copy)]
struct Objects<'py>(Python<'py>);

impl<'py> Objects<'py> {
    fn made(self, value: impl IntoPyObject<'py>) -> Made<'py> {
        Ok(Node::Object(value.into_bound_py_any(self.0)?))
    }

    fn none(self) -> Made<'py> {
        Ok(Node::Object(self.0.None().into_bound(self.0)))
    }

    fn fields(self, name: &str) -> Fields<'py> {
        Fields {
            py: self.0,
            is_array: name == ARRAY,
            within: None,
            key: None,
            fields: PyDict::new(self.0),
            numbers: Vec::new(),
        }
    }

    fn items(self, within: Option<&'static str>) -> Items<'py> {
        Items {
            py: self.0,
            within,
            numbers: Vec::new(),
            objects: Vec::new(),
        }
    }
}

/// A list under construction: of f32 only, or of anything.
struct Items<'py> {
    py: Python<'py>,
    /// The name of its enum variant.
    within: Option<&'static str>,
    numbers: Vec<f32>,
    objects: Vec<Bound<'py, PyAny>>,
}

impl<'py> Items<'py> {
    fn add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
        match value.serialize(Objects(self.py))? {
            Node::Single(number) if self.objects.is_empty() => self.numbers.push(number),
            node => {
                for number in std::mem::take(&mut self.numbers) {
                    self.objects.push(Node::Single(number).object(self.py)?);
                }
                self.objects.push(node.object(self.py)?);
            }
        }
        Ok(())
    }

    fn made(self) -> Made<'py> {
        let node = match self.objects.is_empty() {
            true => Node::Singles(self.numbers),
            false => Node::Object(PyList::new(self.py, self.objects)?.into_any()),
        };
        within(self.py, self.within, node)
    }
}

/// A dictionary or an array under construction.
struct Fields<'py> {
    py: Python<'py>,
    is_array: bool,
    within: Option<&'static str>,
    key: Option<Bound<'py, PyAny>>,
    fields: Bound<'py, PyDict>,
    numbers: Vec<f32>,
}

impl<'py> Fields<'py> {
    fn add<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Failed> {
        match value.serialize(Objects(self.py))? {
            Node::Singles(numbers) if self.is_array && key == "data" => self.numbers = numbers,
            node => self.fields.set_item(key, node.object(self.py)?)?,
        }
        Ok(())
    }

    fn made(self) -> Made<'py> {
        let node = match self.is_array {
            false => Node::Object(self.fields.into_any()),
            true => {
                let shape = self.fields.get_item("shape")?;
                let bytes = PyBytes::new_with(self.py, self.numbers.len() * size_of::<f32>(), |bytes| {
                    let (places, _) = bytes.as_chunks_mut::<{ size_of::<f32>() }>();
                    for (place, number) in places.iter_mut().zip(&self.numbers) {
                        *place = number.to_le_bytes();
                    }
                    Ok(())
                })?;
                let array = self.py.import("keyside._arrays")?.getattr("array")?;
                Node::Object(array.call1((bytes, shape))?)
            }
        };
        within(self.py, self.within, node)
    }
}

/// `node` as the value of its enum variant, `{"variant": node}`.
fn within<'py>(py: Python<'py>, variant: Option<&'static str>, node: Node<'py>) -> Made<'py> {
    let Some(variant) = variant else {
        return Ok(node);
    };
    let outer = PyDict::new(py);
    outer.set_item(variant, node.object(py)?)?;
    Ok(Node::Object(outer.into_any()))
}

/// Numbers and texts have direct counterparts in Python.
macro_rules! plain {
    ($($name:ident: $type:ty),+) => {
        $(fn $name(self, value: $type) -> Made<'py> {
            self.made(value)
        })+
    };
}

impl<'py> Serializer for Objects<'py> {
    type Ok = Node<'py>;
    type Error = Failed;
    type SerializeSeq = Items<'py>;
    type SerializeTuple = Items<'py>;
    type SerializeTupleStruct = Items<'py>;
    type SerializeTupleVariant = Items<'py>;
    type SerializeMap = Fields<'py>;
    type SerializeStruct = Fields<'py>;
    type SerializeStructVariant = Fields<'py>;

    plain! {
        serialize_bool: bool,
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_f64: f64, serialize_char: char, serialize_str: &str, serialize_bytes: &[u8]
    }

    fn serialize_f32(self, value: f32) -> Made<'py> {
        Ok(Node::Single(value))
    }

    fn serialize_none(self) -> Made<'py> {
        self.none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Made<'py> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Made<'py> {
        self.none()
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Made<'py> {
        self.none()
    }

    fn serialize_unit_variant(self, _name: &'static str, _index: u32, variant: &'static str) -> Made<'py> {
        self.made(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _name: &'static str, value: &T) -> Made<'py> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Made<'py> {
        within(self.0, Some(variant), value.serialize(self)?)
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Items<'py>, Failed> {
        Ok(self.items(None))
    }

    fn serialize_tuple(self, _length: usize) -> Result<Items<'py>, Failed> {
        Ok(self.items(None))
    }

    fn serialize_tuple_struct(self, _name: &'static str, _length: usize) -> Result<Items<'py>, Failed> {
        Ok(self.items(None))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Items<'py>, Failed> {
        Ok(self.items(Some(variant)))
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Fields<'py>, Failed> {
        Ok(self.fields(""))
    }

    fn serialize_struct(self, name: &'static str, _length: usize) -> Result<Fields<'py>, Failed> {
        Ok(self.fields(name))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Fields<'py>, Failed> {
        Ok(Fields {
            within: Some(variant),
            ..self.fields("")
        })
    }
}

/// All kinds of sequences are serialized alike.
macro_rules! list {
    ($($trait:ident::$add:ident),+) => {
        $(impl<'py> $trait for Items<'py> {
            type Ok = Node<'py>;
            type Error = Failed;

            fn $add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
                self.add(value)
            }

            fn end(self) -> Made<'py> {
                self.made()
            }
        })+
    };
}

list! {
    SerializeSeq::serialize_element, SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field, SerializeTupleVariant::serialize_field
}

/// All kinds of structs are serialized alike.
macro_rules! dictionary {
    ($($trait:ident),+) => {
        $(impl<'py> $trait for Fields<'py> {
            type Ok = Node<'py>;
            type Error = Failed;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Failed> {
                self.add(key, value)
            }

            fn end(self) -> Made<'py> {
                self.made()
            }
        })+
    };
}

dictionary! { SerializeStruct, SerializeStructVariant }

impl<'py> SerializeMap for Fields<'py> {
    type Ok = Node<'py>;
    type Error = Failed;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Failed> {
        let key = key.serialize(Objects(self.py))?.object(self.py)?;
        // As in JSON.
        self.key = Some(match key.cast_into::<PyString>() {
            Ok(text) => text.into_any(),
            Err(other) => other.into_inner().str()?.into_any(),
        });
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
        let key = self.key.take().ok_or_else(|| Failed::custom("a value without a key"))?;
        let value = value.serialize(Objects(self.py))?.object(self.py)?;
        Ok(self.fields.set_item(key, value)?)
    }

    fn end(self) -> Made<'py> {
        self.made()
    }
}
