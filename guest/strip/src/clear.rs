//! The branches of a function that leave the stack empty: the code behind them needs no value from before.

use std::collections::HashSet;

use wasmparser::{
    FuncToValidate, FuncValidatorAllocations, FunctionBody, Operator, OperatorsReader, Parser,
    Result, ValidPayload, Validator, ValidatorResources,
};

/// The clear branches of a module's functions. The default knows none.
#[derive(Default)]
pub(super) struct Clear(Vec<HashSet<u64>>);

impl Clear {
    /// Finds them in a module.
    pub(super) fn of(module: &[u8]) -> Result<Self> {
        let (mut validator, mut functions) = (Validator::new(), Vec::new());
        for part in Parser::new(0).parse_all(module) {
            if let ValidPayload::Func(function, body) = validator.payload(&part?)? {
                functions.push(of_function(function, &body)?);
            }
        }
        Ok(Self(functions))
    }

    /// Returns whether one is at a place in the body of one of the module's own functions.
    pub(super) fn contains(&self, function: usize, place: u64) -> bool {
        self.0.get(function).is_some_and(|of| of.contains(&place))
    }
}

fn of_function(
    function: FuncToValidate<ValidatorResources>,
    body: &FunctionBody<'_>,
) -> Result<HashSet<u64>> {
    let mut validator = function.into_validator(FuncValidatorAllocations::default());
    let mut reader = body.get_binary_reader();
    validator.read_locals(&mut reader)?;
    let (mut operators, mut clear) = (OperatorsReader::new(reader), HashSet::new());
    while !operators.eof() {
        let place = operators.original_position();
        let operator = operators.read()?;
        // The operand stack holds only the condition, if the branch has one.
        let height = match operator {
            Operator::Br { .. } => Some(0),
            Operator::BrIf { .. } => Some(1),
            _ => None,
        };
        if height == Some(validator.operand_stack_height()) {
            clear.insert(place - body.range().start);
        }
        validator.op(place, &operator)?;
    }
    Ok(clear)
}
