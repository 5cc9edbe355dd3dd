//! The format of the recorded cases.

use serde::{Deserialize, Deserializer};

/// The operations on one reader, from its creation on.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) limit: usize,
    pub(crate) steps: Vec<Step>,
}

/// One operation, and the whole observable state after it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) op: String,
    pub(crate) a: Option<Argument>,
    pub(crate) now: Option<Outcome>,
    pub(crate) done: Option<Outcome>,
    #[serde(with = "hex")]
    pub(crate) buf: Vec<u8>,
    pub(crate) eof: bool,
    pub(crate) paused: bool,
    #[serde(default)]
    pub(crate) tr: Vec<String>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Argument {
    Number(i64),
    #[serde(with = "hex")]
    Bytes(Vec<u8>),
    Several(#[serde(deserialize_with = "several")] Vec<Vec<u8>>),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Outcome {
    Pending(Pending),
    Bytes {
        #[serde(with = "hex")]
        ok: Vec<u8>,
    },
    Error(Error),
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Pending {
    #[serde(rename = "pending")]
    Pending,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Error {
    pub(crate) err: String,
    pub(crate) found: Option<bool>,
    pub(crate) consumed: Option<usize>,
    #[serde(default, deserialize_with = "optional")]
    pub(crate) partial: Option<Vec<u8>>,
    pub(crate) expected: Option<usize>,
    pub(crate) why: Option<String>,
}

fn several<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Vec<u8>>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    texts
        .iter()
        .map(|text| hex::decode(text).map_err(serde::de::Error::custom))
        .collect()
}

fn optional<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<u8>>, D::Error> {
    hex::serde::deserialize(from).map(Some)
}
