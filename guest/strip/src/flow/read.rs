//! Reads the operators of a function as blocks within blocks.

use wasmparser::{Operator, Result};

use super::{Block, Flow, Label, Node};

impl<'a> Flow<'a> {
    /// Reads the operators of a function, each with whether it is a branch that leaves the stack empty. Returns nothing if it has
    /// branches that are not known here.
    pub(crate) fn of(
        operators: impl IntoIterator<Item = (Operator<'a>, bool)>,
    ) -> Result<Option<Self>> {
        let mut reader = Reader {
            operators: operators.into_iter(),
            around: vec![0],
            labels: 1,
        };
        let body = reader.body()?;
        let labels = reader.labels;
        Ok(body.map(|(body, _)| Self { body, labels }))
    }
}

struct Reader<I> {
    operators: I,
    /// The blocks around the next operator.
    around: Vec<Label>,
    labels: usize,
}

impl<'a, I: Iterator<Item = (Operator<'a>, bool)>> Reader<I> {
    /// Reads the body of a block, and returns whether it ended with an `else`. Returns nothing for a branch of another kind.
    fn body(&mut self) -> Result<Option<(Vec<Node<'a>>, bool)>> {
        let mut body = Vec::new();
        while let Some((operator, clear)) = self.operators.next() {
            let node = match operator {
                Operator::End => return Ok(Some((body, false))),
                Operator::Else => return Ok(Some((body, true))),
                // Values below would stay where the branch is left out.
                Operator::Br { .. } if !clear => None,
                Operator::Br { relative_depth } => self.label(relative_depth).map(Node::Branch),
                Operator::BrIf { relative_depth } => self
                    .label(relative_depth)
                    .map(|of| Node::BranchIf(of, clear)),
                Operator::BrTable { ref targets } => {
                    let mut depths = targets.targets().collect::<Result<Vec<_>>>()?;
                    depths.push(targets.default());
                    let labels = depths
                        .into_iter()
                        .map(|of| self.label(of))
                        .collect::<Option<_>>();
                    labels.map(Node::Table)
                }
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                    self.block(operator)?.map(Node::Block)
                }
                // Everything else that may branch was added to the format later.
                _ if is_plain(&operator) => Some(Node::Step(operator)),
                _ => None,
            };
            let Some(node) = node else {
                return Ok(None);
            };
            body.push(node);
        }
        Ok(None)
    }

    fn block(&mut self, opening: Operator<'a>) -> Result<Option<Block<'a>>> {
        let label = self.labels;
        self.labels += 1;
        self.around.push(label);
        let Some((body, more)) = self.body()? else {
            return Ok(None);
        };
        let or_else = if more { self.body()? } else { None };
        if more && or_else.is_none() {
            return Ok(None);
        }
        self.around.pop();
        let or_else = or_else.map(|(body, _)| body);
        Ok(Some(Block {
            opening,
            label,
            body,
            or_else,
            is_clear: false,
        }))
    }

    fn label(&self, depth: u32) -> Option<Label> {
        let at = self.around.len().checked_sub(depth as usize + 1)?;
        self.around.get(at).copied()
    }
}

/// Returns whether an operator goes on to the next one, traps or returns.
fn is_plain(operator: &Operator<'_>) -> bool {
    !matches!(
        operator,
        Operator::Try { .. }
            | Operator::Catch { .. }
            | Operator::CatchAll
            | Operator::Delegate { .. }
            | Operator::Rethrow { .. }
            | Operator::TryTable { .. }
            | Operator::BrOnNull { .. }
            | Operator::BrOnNonNull { .. }
            | Operator::BrOnCast { .. }
            | Operator::BrOnCastFail { .. }
            | Operator::BrOnCastDescEq { .. }
            | Operator::BrOnCastDescEqFail { .. }
            | Operator::Resume { .. }
            | Operator::ResumeThrow { .. }
            | Operator::ResumeThrowRef { .. }
    )
}
