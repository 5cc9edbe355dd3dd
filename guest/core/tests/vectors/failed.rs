//! Rule 4 of the replay: a connection that has failed.

use crate::call::{call_of, expect_value, feed};
use crate::case::{Argument, Outcome, Step};
use crate::pieces::Pieces;
use crate::support::model::{Failure, Model};
use asyncio_streams_core::{ReadError, Reader};

/// The expected state of a reader once its connection has failed.
pub(crate) struct Failed {
    model: Model,
    /// The bytes that asyncio's `read(-1)` had taken and lost.
    lost: Vec<u8>,
    /// The bytes that reads have returned since.
    given: Vec<u8>,
}

impl Failed {
    /// Starts when `reader` has failed; asyncio has lost `lost`, the first bytes of its buffer.
    pub(crate) fn new(reader: &Reader<Failure>, lost: Vec<u8>) -> Self {
        let mut model = Model::new(reader.limit(), reader.max_result());
        model.bytes = reader.peek(usize::MAX).to_vec();
        model.paused = reader.is_paused();
        model.failure = reader.failure().copied();
        model.ended = model.failure.is_none();
        Self {
            model,
            lost,
            given: Vec::new(),
        }
    }

    /// Does one more step and compares the result with the model. asyncio's buffer never shrinks any more, so it shows
    /// whether bytes are missing.
    pub(crate) fn step(
        &mut self,
        reader: &mut Reader<Failure>,
        step: &Step,
        pieces: &mut Pieces,
    ) -> Result<(), String> {
        let model = &mut self.model;
        match step.op.as_str() {
            "feed" => {
                let Some(Argument::Bytes(data)) = &step.a else {
                    return Err("bytes expected".into());
                };
                pieces
                    .cut(data)
                    .into_iter()
                    .for_each(|piece| feed(reader, piece));
                model.feed(data);
            }
            "eof" => {
                reader.feed_end();
                model.feed_end();
            }
            "exc" => {
                reader.fail("another");
                model.fail("another");
            }
            "cancel" => {}
            _ => match call_of(step)? {
                Err(why) => expect_value(&step.now, why)?,
                Ok(read) => {
                    if !matches!(&step.now, Some(Outcome::Error(error)) if error.err == "stream-exception")
                    {
                        return Err(format!("recorded after a failure: {:?}", step.now));
                    }
                    let (ours, theirs) = (read.try_on(reader), model.read(&read));
                    if ours != theirs {
                        return Err(format!("{read:?} returned {ours:?}, expected {theirs:?}"));
                    }
                    if let Ok(Some(bytes)) | Err(ReadError::Incomplete { partial: bytes, .. }) =
                        ours
                    {
                        self.given.extend(bytes);
                    }
                }
            },
        }
        let buffered = reader.peek(usize::MAX);
        let ours = (
            buffered,
            reader.at_eof(),
            reader.is_paused(),
            reader.failure().copied(),
        );
        if ours
            != (
                &model.bytes[..],
                model.at_eof(),
                model.paused,
                model.failure,
            )
        {
            return Err(format!("is {ours:?}, expected {model:?}"));
        }
        if [&self.given[..], buffered].concat() != [&self.lost[..], &step.buf[..]].concat() {
            return Err(format!(
                "bytes are missing: recorded {}",
                hex::encode(&step.buf)
            ));
        }
        Ok(())
    }
}
