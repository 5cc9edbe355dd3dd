//! Finds the steps of a module that only lead to a trap. A component that cannot write to standard error reports nothing about a panic,
//! so the work for its message is left out: the steps since the last branch or call, and the call itself.
//!
//! Calls by table are not followed, since the message is formatted by some: a module must not report by one of them what it does
//! before it traps.

use std::collections::HashSet;
use std::ops::Range;

use wasmparser::{
    ComponentImport, FunctionBody, ImportSectionReader, Operator, Parser, Payload, Result, TypeRef,
};

/// The interfaces by which a component could report a panic.
const REPORTS: [&str; 2] = ["wasi:cli/stderr@", "wasi:cli/stdout@"];

/// Returns whether a component, or one inside it, imports an interface by which it could report a panic.
pub(super) fn can_report(component: &[u8]) -> Result<bool> {
    for part in Parser::new(0).parse_all(component) {
        if let Payload::ComponentImportSection(imports) = part? {
            for import in imports {
                let ComponentImport { name, .. } = import?;
                if REPORTS.iter().any(|of| name.name.starts_with(of)) {
                    return Ok(true);
                }
            }
        }
    }
    Ok(false)
}

/// The functions of a module that never return, and call nothing outside of it but by table. The default knows none.
#[derive(Default)]
pub(super) struct Ends(HashSet<u32>);

/// An operator and its place in the module.
pub(super) type Step<'a> = (Operator<'a>, Range<u64>);

/// Counts the functions among imports.
pub(super) fn functions_in(imports: ImportSectionReader<'_>) -> Result<u32> {
    let mut count = 0;
    for import in imports.into_imports() {
        if let TypeRef::Func(_) | TypeRef::FuncExact(_) = import?.ty {
            count += 1;
        }
    }
    Ok(count)
}

/// A function of a module.
struct Own {
    number: u32,
    returns: bool,
    loops: bool,
    calls: Vec<u32>,
}

impl Ends {
    /// Finds them in a module.
    pub(super) fn of(module: &[u8]) -> Result<Self> {
        let (mut imported, mut own) = (0, Vec::new());
        for part in Parser::new(0).parse_all(module) {
            match part? {
                Payload::ImportSection(imports) => imported += functions_in(imports)?,
                Payload::CodeSectionEntry(body) => {
                    let number = imported + own.len() as u32;
                    own.push(Own::of(number, &body)?);
                }
                _ => {}
            }
        }
        // A function that calls an imported one, itself or by others, may be heard outside. So may one that goes on and on, such
        // as an executor, which calls by table.
        let endless = own.iter().filter(|of| !of.returns && of.loops);
        let mut heard: HashSet<u32> = (0..imported).chain(endless.map(|of| of.number)).collect();
        loop {
            let known = heard.len();
            let calls_heard = |of: &&Own| of.calls.iter().any(|call| heard.contains(call));
            let more: Vec<u32> = own.iter().filter(calls_heard).map(|of| of.number).collect();
            heard.extend(more);
            if heard.len() == known {
                break;
            }
        }
        let ends = own
            .iter()
            .filter(|of| !of.returns && !heard.contains(&of.number));
        Ok(Ends(ends.map(|of| of.number).collect()))
    }

    /// The operators of a body, without those before its ends, and their places in the module.
    pub(super) fn kept<'a>(&self, body: &FunctionBody<'a>) -> Result<Vec<Step<'a>>> {
        let (mut kept, mut line) = (Vec::new(), 0);
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            let start = reader.original_position();
            let operator = reader.read()?;
            let place = start..reader.original_position();
            if let Operator::Call { function_index } = operator
                && self.0.contains(&function_index)
            {
                kept.truncate(line);
                kept.push((Operator::Unreachable, start..start));
                line = kept.len();
                continue;
            }
            let branches = is_branch(&operator);
            kept.push((operator, place));
            if branches {
                line = kept.len();
            }
        }
        Ok(kept)
    }
}

impl Own {
    fn of(number: u32, body: &FunctionBody<'_>) -> Result<Self> {
        let operators: Vec<_> = body
            .get_operators_reader()?
            .into_iter()
            .collect::<Result<_>>()?;
        let (mut depth, mut returns, mut calls) = (0_u32, false, Vec::new());
        let loops = operators
            .iter()
            .any(|of| matches!(of, Operator::Loop { .. }));
        for operator in &operators {
            match operator {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => depth += 1,
                Operator::End => depth = depth.saturating_sub(1),
                Operator::Br { relative_depth } | Operator::BrIf { relative_depth } => {
                    returns |= *relative_depth >= depth;
                }
                Operator::BrTable { targets } => {
                    for target in targets.targets() {
                        returns |= target? >= depth;
                    }
                    returns |= targets.default() >= depth;
                }
                Operator::Call { function_index } => calls.push(*function_index),
                // Another block may be there in other versions of the format.
                Operator::Return
                | Operator::ReturnCall { .. }
                | Operator::ReturnCallIndirect { .. }
                | Operator::ReturnCallRef { .. }
                | Operator::TryTable { .. } => returns = true,
                _ => {}
            }
        }
        // The end of the function, after a step that never ends.
        returns |= !matches!(
            operators.as_slice(),
            [.., Operator::Unreachable, Operator::End]
        );
        Ok(Own {
            number,
            returns,
            loops,
            calls,
        })
    }
}

/// Returns whether control flow may leave or enter here, or a call may be heard outside.
fn is_branch(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::Else
            | Operator::End
            | Operator::Br { .. }
            | Operator::BrIf { .. }
            | Operator::BrTable { .. }
            | Operator::Return
            | Operator::Unreachable
            | Operator::Call { .. }
            | Operator::CallIndirect { .. }
            | Operator::TryTable { .. }
            | Operator::Throw { .. }
            | Operator::ThrowRef
            | Operator::ReturnCall { .. }
            | Operator::ReturnCallIndirect { .. }
    )
}
