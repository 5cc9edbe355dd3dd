/// The waits and the separators of a caller, as the engine's. Needs `Error`, and `Wanted` of the interface.
#[macro_export]
macro_rules! requests {
    () => {
        /// Converts the read that a wait is for.
        pub(crate) fn wanted(want: Wanted) -> Result<$crate::engine::Wanted, Error> {
            use $crate::engine;
            Ok(match want {
                Wanted::Any => engine::Wanted::Any,
                Wanted::Line => engine::Wanted::Line,
                Wanted::Exactly(n) => engine::Wanted::Exactly(engine::size(n)),
                Wanted::Until(wanted) => engine::Wanted::Until(separators(wanted)?),
                Wanted::End => engine::Wanted::End,
            })
        }

        /// Converts separators.
        pub(crate) fn separators(
            separators: Vec<Vec<u8>>,
        ) -> Result<$crate::engine::Separators, Error> {
            $crate::engine::Separators::new(separators).map_err(
                |$crate::engine::errors::InvalidArgument(reason)| {
                    Error::InvalidArgument(reason.into())
                },
            )
        }
    };
}
