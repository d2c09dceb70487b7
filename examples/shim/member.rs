//! Members of JSON objects, read with their path, so that a fault tells which one it is.

use std::fmt;

use serde_json::Value;

use super::hex;

/// Why a line is not obeyed.
#[derive(Debug)]
pub(crate) struct Fault(pub(crate) String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A member, which may be absent; `null` counts as absent.
#[derive(Debug, Clone)]
pub(crate) struct Member<'a> {
    path: String,
    value: Option<&'a Value>,
}

impl<'a> Member<'a> {
    /// The outermost value, which must be an object.
    pub(crate) fn root(value: &'a Value) -> Result<Self, Fault> {
        Self { path: String::new(), value: Some(value) }.object()
    }

    /// The same member, which must be an object if it is there.
    pub(crate) fn object(self) -> Result<Self, Fault> {
        match self.value {
            None | Some(Value::Object(_)) => Ok(self),
            Some(_) => Err(self.fault("is no object")),
        }
    }

    /// The same member, which must be there.
    pub(crate) fn present(self) -> Result<Self, Fault> {
        if self.is_absent() { Err(self.fault("is missing")) } else { Ok(self) }
    }

    pub(crate) const fn is_absent(&self) -> bool {
        self.value.is_none()
    }

    pub(crate) fn get(&self, name: &str) -> Self {
        let path = if self.path.is_empty() { name.into() } else { format!("{}.{name}", self.path) };
        let value = self.value.and_then(|value| value.get(name)).filter(|value| !value.is_null());
        Self { path, value }
    }

    /// The elements of a list; none if it is absent.
    pub(crate) fn elements(&self) -> Result<Vec<Self>, Fault> {
        let list = match self.value {
            None => return Ok(Vec::new()),
            Some(Value::Array(list)) => list,
            Some(_) => return Err(self.fault("is no list")),
        };
        let element =
            |(index, value): (usize, &'a Value)| Self { path: format!("{}[{index}]", self.path), value: Some(value) };
        Ok(list.iter().enumerate().map(element).collect())
    }

    /// Its value, if it is there.
    pub(crate) fn read<T: FromJson>(&self) -> Result<Option<T>, Fault> {
        let read = |value| T::from_json(value).ok_or_else(|| self.fault(&format!("is no {}", T::WHAT)));
        self.value.map(read).transpose()
    }

    /// Its value, which must be there.
    pub(crate) fn need<T: FromJson>(&self) -> Result<T, Fault> {
        self.read()?.ok_or_else(|| self.fault("is missing"))
    }

    pub(crate) fn fault(&self, what: &str) -> Fault {
        let path = if self.path.is_empty() { "the line" } else { &self.path };
        Fault(format!("{path} {what}"))
    }
}

/// What a member's value may be read as.
pub(crate) trait FromJson: Sized {
    /// What it should have been.
    const WHAT: &'static str;

    fn from_json(value: &Value) -> Option<Self>;
}

impl FromJson for String {
    const WHAT: &'static str = "string";

    fn from_json(value: &Value) -> Option<Self> {
        value.as_str().map(Into::into)
    }
}

impl FromJson for Vec<u8> {
    const WHAT: &'static str = "string of hexadecimal digits";

    fn from_json(value: &Value) -> Option<Self> {
        hex::decode(value.as_str()?)
    }
}

impl FromJson for bool {
    const WHAT: &'static str = "boolean";

    fn from_json(value: &Value) -> Option<Self> {
        value.as_bool()
    }
}

impl FromJson for u64 {
    const WHAT: &'static str = "number from zero on";

    fn from_json(value: &Value) -> Option<Self> {
        value.as_u64()
    }
}

impl FromJson for u32 {
    const WHAT: &'static str = "number of 32 bits";

    fn from_json(value: &Value) -> Option<Self> {
        value.as_u64()?.try_into().ok()
    }
}

impl FromJson for u16 {
    const WHAT: &'static str = "number of 16 bits";

    fn from_json(value: &Value) -> Option<Self> {
        value.as_u64()?.try_into().ok()
    }
}

impl FromJson for u8 {
    const WHAT: &'static str = "number of 8 bits";

    fn from_json(value: &Value) -> Option<Self> {
        value.as_u64()?.try_into().ok()
    }
}
