//! Writes the control flow of a function in fewer bytes. Unreachable code is left out, branches to a trap share one, and a block
//! becomes an `if` where it can.

use wasm_encoder::Instruction;
use wasmparser::{BlockType, Operator};

mod decide;
mod read;
mod shorten;

/// A block's number: where a branch leads.
type Label = usize;

/// A part of a function.
enum Node<'a> {
    Step(Operator<'a>),
    Branch(Label),
    /// A branch that depends on a value, and whether it leaves the stack empty.
    BranchIf(Label, bool),
    /// A branch that a number selects. The last is for all other numbers.
    Table(Vec<Label>),
    Block(Block<'a>),
}

struct Block<'a> {
    opening: Operator<'a>,
    label: Label,
    body: Vec<Node<'a>>,
    /// The code behind the `else` of an `if`.
    or_else: Option<Vec<Node<'a>>>,
    /// Whether it is an `if` without a result around which the stack is empty.
    is_clear: bool,
}

/// The control flow of a function.
pub(super) struct Flow<'a> {
    body: Vec<Node<'a>>,
    /// The number of its blocks, with itself.
    labels: usize,
}

/// An operator of the shorter function.
pub(super) enum Written<'a> {
    Same(Operator<'a>),
    New(Instruction<'static>),
}

impl<'a> Flow<'a> {
    /// Passes each operator to a function.
    pub(super) fn write<E>(
        self,
        write: &mut impl FnMut(Written<'a>) -> Result<(), E>,
    ) -> Result<(), E> {
        write_all(self.body, &mut vec![0], write)?;
        write(Written::New(Instruction::End))
    }
}

fn write_all<'a, E>(
    body: Vec<Node<'a>>,
    around: &mut Vec<Label>,
    write: &mut impl FnMut(Written<'a>) -> Result<(), E>,
) -> Result<(), E> {
    for node in body {
        let depth = |label| around.iter().rev().take_while(|of| **of != label).count() as u32;
        match node {
            Node::Step(operator) => write(Written::Same(operator))?,
            Node::BranchIf(label, _) => write(Written::New(Instruction::BrIf(depth(label))))?,
            Node::Branch(label) => write(Written::New(Instruction::Br(depth(label))))?,
            Node::Table(labels) => {
                let mut depths: Vec<_> = labels.into_iter().map(depth).collect();
                let default = depths.pop().unwrap_or_default();
                write(Written::New(Instruction::BrTable(depths.into(), default)))?;
            }
            Node::Block(block) => {
                write(Written::Same(block.opening))?;
                around.push(block.label);
                write_all(block.body, around, write)?;
                if let Some(body) = block.or_else {
                    write(Written::New(Instruction::Else))?;
                    write_all(body, around, write)?;
                }
                around.pop();
                write(Written::New(Instruction::End))?;
            }
        }
    }
    Ok(())
}

fn is_trap(node: &Node<'_>) -> bool {
    matches!(node, Node::Step(Operator::Unreachable))
}

impl<'a> Block<'a> {
    /// An `if` that traps.
    fn check(label: Label) -> Self {
        Self::decides(label, vec![Node::Step(Operator::Unreachable)])
    }

    /// An `if`.
    fn decides(label: Label, body: Vec<Node<'a>>) -> Self {
        let blockty = BlockType::Empty;
        Self {
            opening: Operator::If { blockty },
            label,
            body,
            or_else: None,
            is_clear: false,
        }
    }

    fn is_check(&self) -> bool {
        let is_if = matches!(self.opening, Operator::If { .. });
        is_if && self.or_else.is_none() && matches!(&*self.body, [node] if is_trap(node))
    }

    fn is_loop(&self) -> bool {
        matches!(self.opening, Operator::Loop { .. })
    }

    /// Returns whether it takes and leaves no values.
    fn is_empty(&self) -> bool {
        let (Operator::Block { blockty } | Operator::Loop { blockty } | Operator::If { blockty }) =
            self.opening
        else {
            return false;
        };
        blockty == BlockType::Empty
    }

    /// Returns whether its content could do without it.
    fn is_plain(&self) -> bool {
        matches!(self.opening, Operator::Block { .. }) && self.is_empty()
    }

    fn bodies(&mut self) -> impl Iterator<Item = &mut Vec<Node<'a>>> {
        std::iter::once(&mut self.body).chain(&mut self.or_else)
    }
}
